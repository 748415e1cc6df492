use proptest::prelude::*;

use super::*;

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

fn one(name: &str, line: &str) -> Plan {
    match parse(name, &words(line)) {
        Ok(Invocation::One(plan)) => plan,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_users_type() {
    let plan = one("onnode", "-lp 2 free -m");
    assert_eq!(plan.whom, Whom::Node("2".to_owned()));
    assert_eq!(plan.args, words("free -m"));
    assert!(plan.pinned && plan.own_context && !plan.verbose);
    let plan = one("onnode", "blue3 -- ls -l --help");
    assert_eq!(plan.args, words("ls -l --help"));
    let plan = one("run", "--node=2 --detach -T sleep 9");
    assert_eq!(plan.whom, Whom::Node("2".to_owned()));
    assert!(plan.detached && plan.terminals == Terminals::Never);
    assert_eq!(one("run", "-n3 ls").whom, Whom::Node("3".to_owned()));
    assert_eq!(one("run", "--near 2/1 ls").whom, Whom::Near(2 << 22 | 1));
    assert_eq!(one("run", "ls").whom, Whom::Least);
    assert_eq!(one("onclass", "db ls").whom, Whom::Class("db".to_owned()));
    assert_eq!(one("fast", "-- -odd").args, words("-odd"));
    match parse("onall", &words("-P 2 -g --class db uptime -p")) {
        Ok(Invocation::All(all)) => {
            assert_eq!((all.parallel, all.grouped), (Some(2), true));
            assert_eq!(all.class.as_deref(), Some("db"));
            assert_eq!(all.args, words("uptime -p"));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        parse("fastnode", &[]),
        Ok(Invocation::Where(Whom::Least))
    ));
}

#[test]
fn nonsense_is_named() {
    for (name, line, part) in [
        ("onnode", "-x 2 ls", "no option -x"),
        ("onnode", "2", "which command?"),
        ("run", "--node 2 --near 2/1 ls", "only one of"),
        ("run", "--near 77 ls", "2/77"),
        ("run", "--pin=1 ls", "takes no value"),
        ("run", "-tT ls", "not both"),
        ("onall", "-P 0 ls", "1 or more"),
        ("fastnode", "ls", "too much"),
        ("run", "--node", "wants a value"),
    ] {
        let said = parse(name, &words(line)).expect_err(line);
        assert!(said.contains(part), "{line}: {said}");
    }
    assert!(
        parse("onnode", &[])
            .expect_err("no node")
            .contains("which node")
    );
}

proptest! {
    #[test]
    fn anything_is_taken(name in 0..6_usize, words in prop::collection::vec("[-a-zA-Z0-9/=]{0,9}", 0..6)) {
        let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        let _ = parse(super::super::NAMES[name], &words);
    }
}
