//! What operators see happen.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use ssi_keepalive::core::{Action, Event, Exit, Failure, Id, Main, Order, State};

use super::stage::{Stage, is_there, kill, play, process, until};
use super::{gap, http, journal, limits, precedence, storm, window};

pub(crate) const ALL: &[(&str, fn())] = &[
    (
        "a_killed_process_is_there_again",
        a_killed_process_is_there_again,
    ),
    ("it_is_started_as_configured", it_is_started_as_configured),
    (
        "what_can_t_be_started_says_why",
        what_can_t_be_started_says_why,
    ),
    ("the_whole_tree_ends", the_whole_tree_ends),
    ("a_daemon_is_found", a_daemon_is_found),
    ("readiness_watchdog_and_order", readiness_watchdog_and_order),
    (
        "a_killed_supervisor_costs_nobody_anything",
        a_killed_supervisor_costs_nobody_anything,
    ),
    ("a_stranger_is_adopted", a_stranger_is_adopted),
    ("a_log_stays_small_and_whole", a_log_stays_small_and_whole),
    (
        "without_a_lease_it_stands_still",
        without_a_lease_it_stands_still,
    ),
    ("how_it_ended_is_known", gap::how_it_ended_is_known),
    ("what_it_says_is_heard", gap::what_it_says_is_heard),
    (
        "whoever_kills_its_supervisor_is_known",
        window::whoever_kills_its_supervisor_is_known,
    ),
    (
        "whenever_it_is_killed_each_end_is_known",
        window::whenever_it_is_killed_each_end_is_known,
    ),
    (
        "what_it_writes_goes_to_the_journal",
        journal::what_it_writes_goes_to_the_journal,
    ),
    (
        "supervision_goes_before_what_it_supervises",
        precedence::supervision_goes_before_what_it_supervises,
    ),
    ("what_answers_decides", http::what_answers_decides),
    ("limits_hold", limits::limits_hold),
    (
        "whoever_was_killed_by_cgroup_is_there_again",
        limits::whoever_was_killed_by_cgroup_is_there_again,
    ),
    (
        "a_thousand_that_die_at_once_are_there_again",
        storm::a_thousand_that_die_at_once_are_there_again,
    ),
    (
        "a_thousand_that_can_t_run_go_down",
        storm::a_thousand_that_can_t_run_go_down,
    ),
];

fn stop(name: &str) -> Event {
    Event::Order(Order::Stop(vec![name.into()]))
}

fn a_killed_process_is_there_again() {
    let stage = Stage::new(&process("s", "exec sleep 1000", ""));
    play(async {
        let mut play = stage.open();
        play.state("s", State::Ok).await;
        for n in 1..=3 {
            let pid = play.pid("s");
            kill(pid, "-9");
            play.until("another one", |p| p.errors("s") == n && p.pid("s") != 0)
                .await;
            assert_ne!(play.pid("s"), pid);
            let last = play.status("s").record.last;
            assert_eq!(last, Some(Failure::Exit(Exit::Signal(9))));
        }
        play.local.tell(stop("s"));
        play.state("s", State::Shutdown).await;
        play.until("no process", |_| stage.pids("s").is_empty())
            .await;
    });
}

fn it_is_started_as_configured() {
    let script = "id -u; id -g; pwd; ulimit -n; echo $SSI_SERVICE $X; echo wrong >&2; \
                  ls /proc/$$/fd | wc -l; exec sleep 1000";
    let more = "user = \"nobody\"\ngroup = \"daemon\"\ncwd = \"/usr\"\n\
                rlimits = { nofile = 77 }\nenvironment = { X = \"y z\" }";
    let stage = Stage::new(&process("s", script, more));
    play(async {
        let mut play = stage.open();
        play.until("seven lines", |play| play.log("s").lines().count() >= 7)
            .await;
        let log = play.log("s");
        let lines: Vec<&str> = log.lines().collect();
        // Standard input, output, error, and no descriptor of ours.
        assert_eq!(lines, ["65534", "1", "/usr", "77", "s y z", "wrong", "3"]);
    });
}

fn what_can_t_be_started_says_why() {
    let stage = Stage::new(&process("s", "exit 0", "cwd = \"/usr\"\nerror_limit = 2"));
    let text = fs::read_to_string(stage.path("config.toml")).unwrap();
    let gone = stage.path("gone");
    fs::create_dir(&gone).unwrap();
    let text = text.replace("/usr", gone.to_str().unwrap());
    fs::write(stage.path("config.toml"), text).unwrap();
    play(async {
        let mut play = stage.open();
        fs::remove_dir(&gone).unwrap();
        play.state("s", State::Down).await;
        let why = play.status("s").why;
        let part = format!("it can't be started: cwd {}: No such file", gone.display());
        assert!(why.contains(&part), "{why}");
    });
}

fn the_whole_tree_ends() {
    let script = "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & \
                  setsid sleep 1000 & wait; while :; do sleep 1000; done";
    let stage = Stage::new(&process("s", script, "term_wait = 0.2"));
    play(async {
        let mut play = stage.open();
        play.until("four processes", |_| stage.pids("s").len() >= 4)
            .await;
        let pids = stage.pids("s");
        play.local.tell(stop("s"));
        play.until("no process", |_| pids.iter().all(|pid| !is_there(*pid)))
            .await;
        play.until("its end", |p| p.status("s").why.starts_with("stopped by"))
            .await;
        // A main process that dies leaves nobody behind either.
        play.local
            .tell(Event::Order(Order::Start(vec!["s".into()])));
        play.until("four processes", |_| stage.pids("s").len() >= 4)
            .await;
        let pids = stage.pids("s");
        play.state("s", State::Ok).await;
        kill(play.pid("s"), "-9");
        play.until("another one", |p| p.errors("s") == 1 && p.pid("s") != 0)
            .await;
        play.until("the old ones", |_| pids.iter().all(|pid| !is_there(*pid)))
            .await;
    });
}

fn a_daemon_is_found() {
    let script = "sleep 0.2; setsid sh -c 'exec sleep 1000' & exit 0";
    let stage = Stage::new(&process("d", script, "daemonize = true"));
    play(async {
        let mut play = stage.open();
        play.state("d", State::Daemonize).await;
        play.state("d", State::Ok).await;
        let pid = play.pid("d");
        let cmdline = format!("/proc/{pid}/cmdline");
        let is_sleep = || fs::read_to_string(&cmdline).is_ok_and(|name| name.starts_with("sleep"));
        play.until("its program", |_| is_sleep()).await;
        kill(pid, "-TERM");
        play.until("another one", |p| p.errors("d") == 1).await;
        let last = play.status("d").record.last;
        // Whose child it is depends on the machine; its end doesn't.
        assert_eq!(last, Some(Failure::Exit(Exit::Signal(15))));
        play.state("d", State::Ok).await;
    });
}

fn readiness_watchdog_and_order() {
    let say = "import os,socket,time\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n\
               s.connect(os.environ[\"NOTIFY_SOCKET\"])\ntime.sleep(0.3)\ns.send(b\"READY=1\")\n\
               for n in range(5): s.send(b\"WATCHDOG=1\"); time.sleep(0.2)\ntime.sleep(1000)";
    let db = format!(
        "[[process]]\nname = \"db\"\npath = \"/usr/bin/python3\"\nargs = [\"-c\", '''{say}''']\n\
         ready = \"notify\"\nwatchdog = 0.8\n"
    );
    let web = process("web", "exec sleep 1000", "after = [\"db\"]");
    let stage = Stage::new(&format!("{web}{db}"));
    play(async {
        let mut play = stage.open();
        play.state("db", State::Start).await;
        assert_eq!(
            play.status("web").why,
            "it waits for db, which is not ready (db: start)"
        );
        play.state("web", State::Ok).await;
        assert_eq!(
            play.local.supervisor().state(&Id::new("db", 0)),
            Some(State::Ok)
        );
        play.until("the watchdog", |play| play.errors("db") == 1)
            .await;
        assert_eq!(play.status("db").record.last, Some(Failure::Watchdog));
        assert_eq!(play.errors("web"), 0);
    });
}

fn a_killed_supervisor_costs_nobody_anything() {
    let steady = process(
        "steady",
        "n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done",
        "",
    );
    let ends = process(
        "ends",
        "while [ ! -e end ]; do sleep 0.05; done; rm end; exit 42",
        "cwd = \"@\"",
    );
    let stopped = process("stopped", "exec sleep 1000", "");
    let stage = Stage::new("");
    let text = format!("{steady}{ends}{stopped}").replace('@', stage.path("").to_str().unwrap());
    fs::write(stage.path("config.toml"), text).unwrap();

    let mut first = stage.elsewhere();
    until("all run", || {
        let states = fs::read_to_string(stage.path("states")).unwrap_or_default();
        states.lines().filter(|line| line.ends_with(" ok")).count() == 3
    });
    let (steady, ends) = (stage.pids("steady")[0], stage.pids("ends")[0]);
    kill(ends, "-9");
    until("another one", || {
        stage.pids("ends").first().is_some_and(|pid| *pid != ends)
    });
    until("it is known", || {
        fs::read_to_string(stage.path("states")).is_ok_and(|s| s.contains("ends ok"))
    });
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(is_there(steady), "it died with its supervisor");
    // One ends while nobody looks.
    fs::write(stage.path("end"), "").unwrap();
    until("its end", || stage.pids("ends").is_empty());

    play(async {
        let mut play = stage.open();
        play.until("another one", |p| {
            p.errors("ends") == 2 && p.pid("ends") != 0
        })
        .await;
        assert_eq!(play.pid("steady"), steady);
        assert_eq!(play.errors("steady"), 0);
        // An adopted process's end is seen at once, with its code, whoever is its parent.
        play.local.tell(stop("stopped"));
        play.state("stopped", State::Shutdown).await;
        kill(steady, "-9");
        play.until("another one", |p| {
            p.errors("steady") == 1 && p.pid("steady") != 0
        })
        .await;
        let last = play.status("steady").record.last;
        assert_eq!(last, Some(Failure::Exit(Exit::Signal(9))));
        // No line is missing of those that were written while no supervisor was there.
        let log = play.log("steady");
        let first = log.split("\n1\n").next().unwrap();
        let count = first.lines().count();
        let wanted: Vec<String> = (1..=count).map(|n| n.to_string()).collect();
        assert_eq!(first.lines().collect::<Vec<_>>(), wanted);
        assert!(count > 5, "{count}");
    });
    // What an operator stopped stays so.
    play(async {
        let mut play = stage.open();
        play.state("steady", State::Ok).await;
        assert_eq!(
            play.local.supervisor().state(&Id::new("stopped", 0)),
            Some(State::Shutdown)
        );
    });
}

fn a_stranger_is_adopted() {
    let stage = Stage::new(&process("s", "exec sleep 1000", "enabled = false"));
    let mut stranger = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = stranger.id();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let start = stat
        .rsplit(") ")
        .next()
        .unwrap()
        .split(' ')
        .nth(19)
        .unwrap();
    let start = start.parse().unwrap();
    play(async {
        let mut play = stage.open();
        let id = Id::new("s", 0);
        // Of another start: it is another process, and is left alone.
        let wrong = Main {
            pid,
            start: start + 1,
        };
        play.local
            .tell(Event::Order(Order::Adopt(id.clone(), wrong)));
        play.until("an error", |play| play.errors("s") == 1).await;
        assert!(is_there(pid));
        play.until("another one", |play| {
            play.pid("s") != 0 && play.pid("s") != pid
        })
        .await;
        play.local.tell(stop("s"));
        play.state("s", State::Shutdown).await;

        play.until("the end", |p| p.status("s").why.starts_with("stopped by"))
            .await;
        let right = Main { pid, start };
        play.local.tell(Event::Order(Order::Adopt(id, right)));
        play.state("s", State::Ok).await;
        play.until("its cgroup", |_| stage.pids("s") == [pid]).await;
        play.local.tell(stop("s"));
        play.until("its end", |_| !is_there(pid)).await;
        play.state("s", State::Shutdown).await;
    });
    // Who takes its exit code is a matter of luck: it is a child of this very program.
    let _ = stranger.wait();
}

fn a_log_stays_small_and_whole() {
    let script = "n=0; while [ $n -lt 30000 ]; do n=$((n+1)); echo line $n; done; exec sleep 1000";
    let stage = Stage::new(&process("s", script, "log = { size = 65536, keep = 9 }"));
    play(async {
        let mut play = stage.open();
        play.until("the last line", |play| {
            play.log("s").ends_with("line 30000\n")
        })
        .await;
        play.until("a rotation", |play| play.log("s").len() < 65536)
            .await;
        let path = play.local.log(&Id::new("s", 0));
        let older = |n: u32| format!("{}.{n}", path.display());
        let numbers: Vec<u32> = (1..=9).filter(|n| Path::new(&older(*n)).exists()).collect();
        let old = numbers
            .iter()
            .rev()
            .map(|n| fs::read_to_string(older(*n)).unwrap());
        let all = old.collect::<String>() + &play.log("s");
        let wanted: String = (1..=30_000).map(|n| format!("line {n}\n")).collect();
        assert!(all == wanted, "lines are lost or there twice");
    });
}

fn without_a_lease_it_stands_still() {
    let script = "while :; do echo x; sleep 0.01; done";
    let stage = Stage::new(&process("s", script, ""));
    play(async {
        let mut play = stage.open();
        play.until("output", |play| !play.log("s").is_empty()).await;
        play.state("s", State::Ok).await;
        let pid = play.pid("s");
        play.local.tell(Event::Fence);
        sleep(Duration::from_millis(100));
        let len = play.log("s").len();
        sleep(Duration::from_millis(200));
        assert_eq!(play.log("s").len(), len);
        play.local.tell(Event::Unfence);
        play.until("more output", |play| play.log("s").len() > len)
            .await;
        assert_eq!(play.pid("s"), pid);
        // Who is killed meanwhile is started again, in a cgroup that goes on.
        play.local.tell(Event::Fence);
        kill(pid, "-9");
        play.until("its end is known", |play| play.errors("s") == 1)
            .await;
        play.local.tell(Event::Unfence);
        play.state("s", State::Ok).await;
        let (pid, len) = (play.pid("s"), play.log("s").len());
        play.until("output again", |play| play.log("s").len() > len)
            .await;
        play.local.tell(Event::Fence);
        play.local.tell(Event::Lost);
        let gone = |said: &[Action]| said.iter().any(|a| matches!(a, Action::Gone { .. }));
        play.until("it has gone", |play| gone(&play.said)).await;
        assert!(!is_there(pid));
    });
}
