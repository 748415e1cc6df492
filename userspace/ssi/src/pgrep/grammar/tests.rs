use proptest::prelude::*;

use super::*;

fn asked(line: &str, program: Program) -> Asked {
    let words: Vec<_> = line.split_whitespace().collect();
    match parse(&words, program) {
        Ok(Invocation::Do(asked)) => *asked,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn habits() {
    let it = asked("-fa -u root,7 -P 2/1 --node 2,blue3 sleep", Program::Grep);
    assert_eq!(it.pattern.as_deref(), Some("sleep"));
    assert_eq!(
        (it.full, it.beside, it.users.len()),
        (true, Beside::Args, 2)
    );
    assert_eq!((it.parents.len(), it.nodes.len()), (1, 2));
    let it = asked(
        "-xn -t pts/1,/dev/tty2 -d , -r RD --output=json",
        Program::Grep,
    );
    assert_eq!((it.exact, it.only), (true, Some(Only::Newest)));
    assert_eq!(it.terminals, ["pts/1", "tty2"]);
    assert_eq!(
        (it.delimiter.as_deref(), it.states.as_str()),
        (Some(","), "RD")
    );
    assert_eq!(it.output, Some(Format::Json));
    for (line, signal) in [
        ("-9 x", Some(9)),
        ("-HUP x", Some(1)),
        ("--signal TERM x", Some(15)),
        ("x -SIGUSR1", Some(10)),
        ("-u root", None),
    ] {
        assert_eq!(asked(line, Program::Kill).signal, signal, "{line}");
    }
    let groups = asked("-g 7,8", Program::Grep).groups;
    assert_eq!(groups.len(), 2);
}

#[test]
fn nonsense_is_named() {
    for (line, part) in [
        ("", "whom?"),
        ("-f", "whom?"),
        ("-n -o x", "exclude"),
        ("a b", "only one pattern"),
        ("-N 2", "-N"),
        ("--frob x", "--frob"),
        ("-9 x", "-9"),
        ("-e x", "-e"),
        ("-P x", "x is no number"),
        ("--count=3 x", "wants no value"),
        ("-u", "-u wants"),
    ] {
        let words: Vec<_> = line.split_whitespace().collect();
        let said = parse(&words, Program::Grep).expect_err(line);
        assert!(said.contains(part), "{line}: {said}");
    }
    assert!(parse(&["-v", "x"], Program::Kill).is_err());
}

#[test]
fn the_own_group_is_0_and_may_have_no_number() {
    let own = nix::unistd::Pid::from_raw;
    assert_eq!(
        pids_or_own("0,7", "session", own(41)),
        Ok(vec![Pid::Here(41), Pid::Here(7)])
    );
    let said = pids_or_own("7,0", "session", own(0)).expect_err("it has none");
    assert!(said.contains("namespace"), "{said}");
}

proptest! {
    #[test]
    fn anything_is_taken(words in prop::collection::vec("[-a-zA-Z0-9/=,+]{0,12}", 0..5)) {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let _ = parse(&words, Program::Grep);
        let _ = parse(&words, Program::Kill);
    }
}
