//! What happens while no supervisor runs.

use std::fs;

use ssi_keepalive::core::{Exit, Failure, State};
use ssi_loader::{Proc, ProcOptions};

use super::stage::{Stage, is_there, play, process, until};

/// Another supervisor runs, until the process has said so, and is killed.
fn until_killed(stage: &Stage, line: &str) {
    let mut first = stage.elsewhere();
    until("it runs", || {
        let states = fs::read_to_string(stage.path("states")).unwrap_or_default();
        states.lines().any(|state| state == line)
    });
    first.kill().unwrap();
    first.wait().unwrap();
}

pub(crate) fn how_it_ended_is_known() {
    let stage = Stage::new("");
    let script = "while [ ! -e end ]; do sleep 0.05; done; rm end; exit 42";
    let here = format!("cwd = \"{}\"", stage.path("").display());
    fs::write(stage.path("config.toml"), process("s", script, &here)).unwrap();
    let options = ProcOptions {
        pins: Some(stage.path("bpf")),
        ..ProcOptions::default()
    };
    fs::create_dir(stage.path("bpf")).unwrap();
    let mut proc = Proc::open(&options).expect("BPF and BTF");
    proc.attach().unwrap();
    // What is pinned goes on.
    drop(proc);

    until_killed(&stage, "s ok");
    let pid = stage.pids("s")[0];
    fs::write(stage.path("end"), "").unwrap();
    // Somebody has taken its exit code.
    until("its end", || !fs::exists(format!("/proc/{pid}")).unwrap());
    play(async {
        let mut play = stage.open();
        play.until("another one", |p| p.errors("s") == 1 && p.pid("s") != 0)
            .await;
        let last = play.status("s").record.last;
        assert_eq!(last, Some(Failure::Exit(Exit::Code(42))));
    });
}

pub(crate) fn what_it_says_is_heard() {
    let say = "import os,socket,time\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\n\
               while not os.path.exists(\"say\"): time.sleep(0.05)\n\
               s.connect(os.environ[\"NOTIFY_SOCKET\"])\ns.send(b\"READY=1\")\n\
               open(\"said\",\"w\")\ntime.sleep(1000)";
    let stage = Stage::new("");
    let config = format!(
        "[[process]]\nname = \"s\"\npath = \"/usr/bin/python3\"\nargs = [\"-c\", '''{say}''']\n\
         ready = \"notify\"\ncwd = \"{}\"\n",
        stage.path("").display()
    );
    fs::write(stage.path("config.toml"), config).unwrap();
    until_killed(&stage, "s start");
    let pid = stage.pids("s")[0];
    fs::write(stage.path("say"), "").unwrap();
    until("its word", || stage.path("said").exists());
    play(async {
        let mut play = stage.open();
        play.state("s", State::Ok).await;
        assert_eq!((play.pid("s"), play.errors("s")), (pid, 0));
        assert!(is_there(pid));
    });
}
