use std::path::Path;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::{Backup, Config, Favoured, Process, Selection};
use super::*;
use crate::agreed::Any;
use crate::node::Node;

fn read(line: &str) -> Result<Order, String> {
    let args: Vec<&str> = line.split_whitespace().collect();
    parse(&args).map_err(|error| error.to_string())
}

fn node(number: u16) -> Node {
    Node::new(number).unwrap()
}

#[test]
fn the_synopsis() {
    for line in [
        "-i cluster_wide -n 3 -Z last_node -o -a -c down=7 -c reject=8 -r web.toml",
        "-i 1,2 -Z round_robin -oa -R web.toml 1234",
        "-n2 -F1 -B2 -B 3 -Z F_node -r web.toml",
        "-F 1 -B 2 -o -a -R web.toml 99",
        "-i cluster_wide -n 4 -U -o -a -c down=1 -r web.toml",
        "-k -x -D /usr/bin/web",
        "-x -P 17",
        "-kxS3",
        "-k -a -d /usr/bin/web -d -k args",
        "-d /usr/bin/web",
        "-k -p 17",
        "-g shop",
        "-s 4",
        "-q",
        "-k -Q",
        "-X",
        "-z 500",
        "-L",
        "-L -v machine",
        "-L -v human keepalive",
    ] {
        let order = read(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(parse(&order.to_args()), Ok(order), "{line}");
    }
    let Order::Register { options, .. } = read("-F1 -B3 -B2 -Z F_node -r f").unwrap() else {
        panic!("no registration");
    };
    assert_eq!(options.backups, [node(3), node(2)]);
    assert_eq!(options.selection, Some(Selection::FNode));
}

#[test]
fn what_is_wrong_is_said() {
    for (line, part) in [
        ("", "what is to be done?"),
        ("-o", "what is to be done?"),
        ("-r a -q", "-r and -q are two orders"),
        ("-y", "there is no option -y"),
        ("-r", "-r wants a value"),
        ("-R f", "-R wants the pid of the process behind it"),
        ("-R f x", "\"x\" is not the pid of the process"),
        ("-B 2 -r f", "give -F too"),
        ("-Z F_node -r f", "give -F too"),
        ("-Z fastest -r f", "not \"fastest\""),
        ("-U -F 1 -r f", "no -F with it"),
        ("-U -c reject=1 -r f", "no -c reject= with it"),
        ("-U -i 1,2 -r f", "no -i node_list with it"),
        ("-i 1,0 -r f", "-i: 0 is no node number"),
        ("-c up=1 -r f", "-c is down=CODE or reject=CODE"),
        ("-c down=256 -r f", "\"256\" is no exit code"),
        ("-n 2 -R f 9", "-n has no meaning with -R"),
        ("-n 0 -r f", "-n is 1 at least"),
        ("-F1 -F2 -r f", "-F is given twice"),
        ("-x", "-x wants one of -D path"),
        ("-x -P 1 -S 2", "-x wants one of -D path"),
        ("-d /bin/a b", "give -a first"),
        ("-L -v tall", "-v is human or machine"),
        ("-L -v human files", "not \"files\""),
        ("-k -q", "-k has no meaning with -q"),
        ("-p one", "-p: \"one\" is not a number"),
    ] {
        let error = read(line).unwrap_err();
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn options_go_before_what_the_file_says() {
    let mut config = Config {
        process: vec![Process::new("web", "/bin/web")],
        group: Vec::new(),
    };
    let Ok(Order::Register { options, .. }) = read("-n 2 -i 1,3 -c down=9 -r f") else {
        panic!("no registration");
    };
    options.onto(&mut config).unwrap();
    let web = &config.process[0];
    assert_eq!((web.favoured, web.instances), (Favoured::All, 2));
    assert_eq!(
        (&web.nodes[..], &web.down[..]),
        (&[node(1), node(3)][..], &[9][..])
    );

    let Ok(Order::Register { options, .. }) = read("-F 2 -B 1 -r f") else {
        panic!("no registration");
    };
    options.onto(&mut config).unwrap();
    let web = &config.process[0];
    assert_eq!(web.favoured, Favoured::Node(node(2)));
    assert_eq!(web.backup, Backup::Nodes(vec![node(1)]));
}

#[test]
fn where_instances_are_counted_goes_with_how_another_node_is_found() {
    let registered = |line: &str, before: Favoured| {
        let mut process = Process::new("web", "/bin/web");
        process.favoured = before;
        let mut config = Config {
            process: vec![process],
            group: Vec::new(),
        };
        let Ok(Order::Register { options, .. }) = read(line) else {
            panic!("no registration: {line}");
        };
        options.onto(&mut config).unwrap();
        // What comes of it can be applied.
        let text = config.print().unwrap();
        Config::read([(Path::new("f"), text.as_str())], &Any).unwrap();
        let web = config.process.remove(0);
        (web.favoured, web.instances, web.nodes.len())
    };
    for (line, before, after) in [
        ("-i 1,3 -n 2 -r f", Favoured::Any, (Favoured::All, 2, 2)),
        (
            "-i 1,3 -n 2 -Z round_robin -r f",
            Favoured::Any,
            (Favoured::Any, 4, 2),
        ),
        (
            "-i 1,3 -c reject=7 -r f",
            Favoured::All,
            (Favoured::Any, 2, 2),
        ),
        (
            "-i 1,3 -F 1 -B 3 -n 2 -Z last_node -r f",
            Favoured::Any,
            (Favoured::Node(node(1)), 2, 2),
        ),
        (
            "-i cluster_wide -n 3 -r f",
            Favoured::All,
            (Favoured::Any, 3, 0),
        ),
        ("-n 3 -r f", Favoured::All, (Favoured::All, 3, 0)),
    ] {
        assert_eq!(registered(line, before), after, "{line}");
    }
}

prop_compose! {
    fn registration()(
        adopt in any::<bool>(), floating in any::<bool>(), o in any::<bool>(),
        match_args in any::<bool>(),
        times in option::of(1_u32..9), down in vec(any::<u8>(), 0..3),
        reject in vec(any::<u8>(), 0..3), favoured in option::of(1_u16..9),
        backups in vec(1_u16..9, 0..3), wide in option::of(any::<bool>()),
        selection in option::of(prop_oneof![
            Just(Selection::FNode), Just(Selection::LastNode),
            Just(Selection::RoundRobin), Just(Selection::LeastLoaded)]),
        pid in any::<u32>(), file in "[a-z]{1,8}",
    ) -> Order {
        let pinned = !floating;
        let favoured = favoured.and_then(Node::new).filter(|_| pinned);
        let fits = |s: &Selection| pinned && (*s != Selection::FNode || favoured.is_some());
        let backups: Vec<Node> = backups.into_iter().filter_map(Node::new).collect();
        let options = Registration {
            scope: wide.map(|wide| match wide || floating {
                true => Scope::ClusterWide,
                false => Scope::Nodes(vec![node(2), node(1)]),
            }),
            times: times.filter(|_| !adopt),
            favoured,
            backups: if favoured.is_some() { backups } else { Vec::new() },
            floating, o, match_args,
            selection: selection.filter(fits),
            down: if adopt { Vec::new() } else { down },
            reject: if adopt || floating { Vec::new() } else { reject },
        };
        let file = file.into();
        if adopt { Order::Adopt { file, pid, options } } else { Order::Register { file, options } }
    }
}

fn which() -> impl Strategy<Value = Which> {
    let path = ("/[a-z]{1,9}", option::of(vec("[-a-z]{0,5}", 0..3)));
    prop_oneof![
        path.prop_map(|(path, args)| Which::Path {
            path: path.into(),
            args
        }),
        any::<u32>().prop_map(Which::Pid),
        any::<u32>().prop_map(Which::Slot),
        "[a-z]{1,9}".prop_map(Which::Group),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(order in registration(), which in which(), kill: bool) {
        prop_assert_eq!(parse(&order.to_args()), Ok(order));
        let order = Order::Remove { which, kill };
        prop_assert_eq!(parse(&order.to_args()), Ok(order));
    }

    #[test]
    fn no_command_line_panics(
        args in vec(prop_oneof!["-[a-zA-Z]{1,3}", "\\PC{0,6}", "[0-9]{1,12}"], 0..8),
    ) {
        if let Ok(order) = parse(&args) {
            prop_assert_eq!(parse(&order.to_args()), Ok(order));
        }
    }
}
