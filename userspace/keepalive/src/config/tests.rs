use std::path::Path;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::node::Node;

struct Machine;

impl World for Machine {
    fn has_user(&self, user: &str) -> bool {
        user == "www"
    }

    fn has_group(&self, group: &str) -> bool {
        group == "www"
    }

    fn nodes(&self) -> Vec<Node> {
        (1..=5).filter_map(Node::new).collect()
    }

    fn cvips(&self) -> Vec<std::net::IpAddr> {
        vec![[10, 88, 0, 100].into(), "fd88::100".parse().unwrap()]
    }

    fn not_executable(&self, path: &Path) -> Option<String> {
        path.ends_with("missing")
            .then(|| "there is no such file".to_owned())
    }

    fn has_directory(&self, path: &Path) -> bool {
        !path.ends_with("missing")
    }
}

const EVERYTHING: &str = r#"
[[process]]
name = "web"
path = "/usr/sbin/nginx"
args = ["-g", "daemon off;"]
environment = { LANG = "C" }
user = "www"
group = "www"
cwd = "/var/www"
rlimits = { nofile = 65536, core = "unlimited", nproc = [100, 200] }
cgroup = { cpu = 1.5, memory = "512M", pids = 100 }
instances = 1
favoured = 1
backup = [2, 3]
restart_on = "F_node"
pinned = true
probation = 300
error_limit = 10
term_wait = "2s"
respawn_time = 0.5
backoff = { first = "100ms", longest = "1m" }
down = [7]
reject = [8]
after = ["db"]
ready = { http = "http://127.0.0.1/" }
health = { test = { port = 80 }, every = 10 }
watchdog = 30
log = { size = "1M", keep = 2 }
overlap = true
stop_signal = "QUIT"
balance = ["tcp://10.88.0.100:80", { service = "tcp://[fd88::100]:443", port = 8443, method = "masq", weight = 3, scheduler = "wlc" }]

[[process]]
name = "db"
path = "/usr/bin/db"
ready = "notify"
daemonize = true

[[process]]
name = "cache"
path = "/usr/bin/cache"
balance = "tcp://10.88.0.100:11211"

[[group]]
name = "shop"
members = ["db", "cache"]
critical = ["db"]
favoured = 2
backup = "any"
"#;

fn read(text: &str) -> Result<Config, String> {
    Config::read([(Path::new("a.toml"), text)], &Machine).map_err(|e| e.to_string())
}

#[test]
fn everything_can_be_said() {
    let config = read(EVERYTHING).unwrap();
    let web = config.process("web").unwrap();
    assert_eq!(web.cgroup.cpu, Some(Cpus(1500)));
    assert_eq!(web.term_wait, Span::secs(2));
    assert_eq!(web.respawn_time, Span::millis(500));
    assert_eq!(web.backoff.longest, Span::secs(60));
    assert_eq!(web.backoff.factor, 2);
    assert_eq!(web.stop_signal, StopSignal::Quit);
    let [plain, other] = &web.balance[..] else {
        panic!("{:?}", web.balance)
    };
    assert_eq!((plain.port(), plain.weight), (80, 1));
    assert_eq!((other.port(), other.weight), (8443, 3));
    let limit = |soft, hard| Rlimit { soft, hard };
    assert_eq!(web.rlimits[&Resource::Core], limit(None, None));
    assert_eq!(web.rlimits[&Resource::Nproc], limit(Some(100), Some(200)));
    let cache = config.process("cache").unwrap();
    assert_eq!(config.place(cache).backup, Backup::Any);
    assert_eq!(cache.balance.len(), 1);
    assert_eq!(read(&config.print().unwrap()), Ok(config));
}

/// A process with these lines, and what is said about it.
fn about(lines: &str) -> String {
    let text = format!("[[process]]\nname = \"a\"\npath = \"/a\"\n{lines}");
    read(&text).err().unwrap_or_default()
}

#[test]
fn each_mistake_is_named_with_its_line() {
    for (lines, wrong) in [
        (
            "argz = []",
            "a.toml:4: unknown field `argz`; did you mean `args`?",
        ),
        (
            "user = \"ww\"",
            "a.toml:4: there is no user \"ww\" on this node",
        ),
        (
            "group = \"ww\"",
            "a.toml:4: there is no group \"ww\" on this node",
        ),
        (
            "cwd = \"/missing\"",
            "a.toml:4: cwd: there is no directory /missing on this node",
        ),
        (
            "favoured = 9",
            "a.toml:4: favoured: there is no node 9; there are 1, 2, 3, 4, 5",
        ),
        (
            "favoured = 0",
            "a.toml:4: 0 is no node number: 1, 2, 3 … are",
        ),
        (
            "favoured = 1\nbackup = [2, 1]",
            "a.toml:5: node 1 is favoured; it can't be its own backup",
        ),
        (
            "backup = [2]",
            "a.toml:4: backup without a favoured node: say favoured = 1, or no backup",
        ),
        (
            "favoured = \"all\"\nrestart_on = \"last_node\"",
            "a.toml:5: it runs on each node: restart_on has no meaning",
        ),
        (
            "pinned = true",
            "a.toml:4: pinned = true, but to which node? Say favoured = 1, \"all\" or \"root\"",
        ),
        (
            "favoured = 1\nnodes = [2]",
            "a.toml:4: favoured: node 1 is not in nodes, where it may run",
        ),
        (
            "favoured = 1\nreject = [3]",
            "a.toml:5: reject asks for another node, and there is none it may run on",
        ),
        (
            "down = [3]\nreject = [3]",
            "a.toml:5: exit code 3 can't mean both down and reject",
        ),
        (
            "after = [\"a\"]",
            "a.toml:4: \"a\" can't be started after itself",
        ),
        (
            "after = [\"b\"]",
            "a.toml:4: after: there is no process \"b\"",
        ),
        (
            "term_wait = \"2 parsecs\"",
            "a.toml:4: \"2 parsecs\" is no time; \"500ms\", \"2s\", \"5m\" are",
        ),
        ("probation = 0", "a.toml:4: probation is no time at all"),
        (
            "error_limit = 0",
            "a.toml:4: error_limit is 1 at least: 0 errors have happened already",
        ),
        (
            "cgroup = { memory = \"1X\" }",
            "a.toml:4: \"1X\" is no size; \"512K\", \"64M\", \"2G\" are",
        ),
        (
            "cgroup = { memroy = 1 }",
            "a.toml:4: unknown field `memroy`; did you mean `memory`?",
        ),
        (
            "rlimits = { nofile = [9, 3] }",
            "a.toml:4: rlimits.nofile: soft is above hard",
        ),
        (
            "ready = { http = \"ftp://x\" }",
            "a.toml:4: ready: \"ftp://x\" is no http://host/… address",
        ),
        (
            "ready = { command = [\"/missing\"] }",
            "a.toml:4: ready: there is no such file",
        ),
        (
            "restart_on = \"round_robbin\"",
            "a.toml:4: unknown variant `round_robbin`; did you mean `round_robin`?",
        ),
        (
            "[[procces]]",
            "a.toml:4: unknown \"procces\": a file has [[process]] and [[group]]; did you mean \"process\"?",
        ),
        (
            "[[process]]\nname = \"a\"\npath = \"/b\"",
            "a.toml:5: process \"a\": the process at a.toml:1 is called so too",
        ),
        (
            "[[process]]\npath = \"/b\"",
            "a.toml:4: missing field `name`",
        ),
        (
            "[[group]]\nname = \"g\"\nmembers = [\"a\", \"b\"]",
            "a.toml:6: members: there is no process \"b\"",
        ),
        (
            "[[group]]\nname = \"g\"\nmembers = [\"a\"]\ncritical = [\"b\"]",
            "a.toml:7: critical: \"b\" is no member",
        ),
        (
            "balance = \"tcp://10.9.9.9:80\"",
            "a.toml:4: balance: 10.9.9.9 is no address of the cluster: there are 10.88.0.100, fd88::100",
        ),
        (
            "balance = \"tcp:10.88.0.100:80\"",
            "a.toml:4: \"tcp:10.88.0.100:80\" is no virtual service: tcp://ADDRESS:PORT and udp://ADDRESS:PORT are, IPv6 as [ADDRESS]",
        ),
        (
            "balance = [\"tcp://10.88.0.100:80\",\n\"tcp://10.88.0.100:99999\"]",
            "a.toml:5: \"tcp://10.88.0.100:99999\" is no virtual service: tcp://ADDRESS:PORT and udp://ADDRESS:PORT are, IPv6 as [ADDRESS]",
        ),
        (
            "balance = \"udp://10.88.0.100:0\"",
            "a.toml:4: balance: udp://10.88.0.100:0: there is no port 0",
        ),
        (
            "balance = { service = \"tcp://10.88.0.100:80\", port = 8080 }",
            "a.toml:4: balance: tcp://10.88.0.100:80: port 8080 needs method = \"masq\"; with \"route\" a server has the service's own port",
        ),
        (
            "balance = { service = \"tcp://10.88.0.100:80\", prt = 80 }",
            "a.toml:4: unknown field `prt`; did you mean `port`?",
        ),
        (
            "balance = { service = \"tcp://10.88.0.100:80\", weight = 0 }",
            "a.toml:4: balance: tcp://10.88.0.100:80: weight is 1 to 65535, not 0",
        ),
        (
            "balance = [\"tcp://10.88.0.100:80\", \"tcp://10.88.0.100:80\"]",
            "a.toml:4: balance has tcp://10.88.0.100:80 twice",
        ),
        (
            "balance = { service = \"tcp://10.88.0.100:80\", scheduler = \"rr\" }\n[[process]]\nname = \"b\"\npath = \"/b\"\nbalance = { service = \"tcp://10.88.0.100:80\", scheduler = \"wlc\" }",
            "a.toml:8: balance: tcp://10.88.0.100:80 is scheduled by rr at a.toml:1, not by wlc",
        ),
        (
            "overlap = true\nfavoured = \"all\"",
            "a.toml:4: overlap is for what moves, and there is no other node it may run on",
        ),
        (
            "stop_signal = \"KILL\"",
            "a.toml:4: unknown variant `KILL`, expected one of `TERM`, `INT`, `QUIT`, `HUP`, `USR1`, `USR2`, `WINCH`",
        ),
        (
            "instances = 2\n[[group]]\nname = \"g\"\nmembers = [\"a\"]",
            "a.toml:4: \"a\" is a member of \"g\": one instance of it runs",
        ),
        (
            "favoured = 2\n[[group]]\nname = \"g\"\nmembers = [\"a\"]",
            "a.toml:4: \"a\" runs where its group \"g\" runs; say it there, not here",
        ),
    ] {
        assert_eq!(about(lines), wrong, "{lines}");
    }
}

#[test]
fn all_mistakes_of_all_files_are_named() {
    let first = "[[process]]\nname = \"a\"\npath = \"missing\"\nafter = [\"b\"]\n";
    let second = "[[process]]\nname = \"b\"\npath = \"/b\"\nuser = \"x\"\nafter = [\"c\"]\n\n\
                  [[process]]\nname = \"c\"\npath = \"/c\"\nafter = [\"a\"]\n";
    let files = [(Path::new("a.toml"), first), (Path::new("b.toml"), second)];
    let error = Config::read(files, &Machine).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.toml:3: \"missing\" is no absolute path of a program\n\
         a.toml:4: a cycle: a after b after c after a\n\
         b.toml:4: there is no user \"x\" on this node"
    );
}

fn span() -> impl Strategy<Value = Span> {
    (1_u64..10_000_000).prop_map(Span::millis)
}

fn test() -> impl Strategy<Value = Test> {
    prop_oneof![
        (1_u16..).prop_map(Test::Port),
        vec("/[a-z]{1,5}", 1..3).prop_map(Test::Command),
        Just(Test::Http("http://127.0.0.1:80/x".into())),
    ]
}

fn balance() -> impl Strategy<Value = Vec<Balance>> {
    use ssi_api::lvs::Method;
    let address = prop_oneof![Just("10.88.0.100"), Just("[fd88::100]")];
    let one = (
        address,
        any::<bool>(),
        1_u16..,
        1_u32..=65_535,
        any::<bool>(),
    );
    let one = one.prop_map(|(address, tcp, port, weight, masq)| {
        let protocol = if tcp { "tcp" } else { "udp" };
        let service = format!("{protocol}://{address}:{port}").parse().unwrap();
        let mut balance = Balance::of(service);
        balance.weight = weight;
        if masq {
            (balance.method, balance.port) = (Method::Masq, Some(8080));
        }
        balance
    });
    vec(one, 0..3).prop_map(|mut all| {
        all.dedup_by_key(|balance| balance.service);
        all.truncate(1 + all.len() % 2);
        all
    })
}

prop_compose! {
    fn process(name: &'static str)(
        args in vec("\\PC{0,9}", 0..3),
        environment in btree_map("[A-Z]{1,5}", "\\PC{0,9}", 0..3),
        favoured in option::of(1_u16..=3), backups in any::<bool>(),
        (probation, term_wait, respawn_time) in (span(), span(), span()),
        (error_limit, instances) in (1_u32..100, 1_u32..9),
        ready in option::of(test()), health in option::of((test(), span(), 1_u32..9)),
        down in vec(any::<u8>(), 0..4), soft in option::of(0_u64..1 << 62),
        (cpu, memory) in (option::of(1_u32..1_000_000), option::of(0_u64..1 << 62)),
        (watchdog, daemonize) in (option::of(span()), any::<bool>()),
        balance in balance(),
    ) -> Process {
        let mut made = Process::new(name, "/bin/x");
        let nodes = [4, 5].into_iter().filter_map(Node::new).collect();
        made.favoured = favoured.and_then(Node::new).map_or(Favoured::Any, Favoured::Node);
        if favoured.is_some() && backups {
            made.backup = Backup::Nodes(nodes);
        }
        made.rlimits.insert(Resource::Nofile, Rlimit { soft, hard: soft });
        made.cgroup = CgroupLimits { cpu: cpu.map(Cpus), memory: memory.map(Size), pids: None };
        made.ready = ready.map(|test| match test {
            Test::Port(port) => Ready::Port(port),
            Test::Command(command) => Ready::Command(command),
            Test::Http(address) => Ready::Http(address),
        });
        made.health = health.map(|(test, every, failures)| Health {
            test, every, timeout: every, failures,
        });
        Process {
            args, environment, instances, balance, probation, error_limit, term_wait,
            respawn_time, down, watchdog, daemonize, ..made
        }
    }
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(a in process("a"), b in process("b"), after: bool) {
        let mut config = Config { process: vec![a, b], group: Vec::new() };
        if after {
            config.process[0].after.push("b".to_owned());
        }
        let text = config.print().unwrap();
        prop_assert_eq!(read(&text), Ok(config), "{}", text);
    }

    #[test]
    fn damaged_files_never_panic(at in 0..EVERYTHING.len(), with in "\\PC{0,3}") {
        let mut text = EVERYTHING.to_owned();
        text.replace_range(at..=at, &with);
        let _ = read(&text);
    }

    #[test]
    fn no_graph_of_dependencies_hangs(edges in vec((0_usize..8, 0_usize..8), 0..20)) {
        let name = |n: usize| format!("p{n}");
        let mut config = Config::default();
        for n in 0..8 {
            let mut made = Process::new(&name(n), "/p");
            let own = edges.iter().filter(|(from, to)| *from == n && to != from);
            made.after = own.map(|(_, to)| name(*to)).collect();
            config.process.push(made);
        }
        // There is a cycle if somebody can be reached from itself.
        let mut reach = [[false; 8]; 8];
        for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
            reach[from][to] = true;
        }
        for k in 0..8 {
            for i in 0..8 {
                for j in 0..8 {
                    reach[i][j] |= reach[i][k] && reach[k][j];
                }
            }
        }
        let cyclic = (0..8).any(|n| reach[n][n]);
        let answer = read(&config.print().unwrap());
        prop_assert_eq!(answer.is_err(), cyclic);
        if let Err(error) = answer {
            prop_assert!(error.contains("a cycle: p"), "{}", error);
        }
    }
}
