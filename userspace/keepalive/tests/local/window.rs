//! A supervisor is killed around starts: every run is known, and how it ended.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use ssi_keepalive::core::{Exit, Failure, Id};
use ssi_loader::{Proc, ProcOptions};

use super::stage::{Play, Stage, play, process};

/// As many as are being started at a time.
const INSTANCES: u32 = 16;
/// How often it is killed from outside.
const KILLS: u32 = 40;
/// How often by what it has just started.
const SUICIDES: u32 = 10;

/// Instances that say in a file that they run, and end; from the moment that there is a file
/// `stop`, they stay.
fn stage(first: &str) -> Stage {
    let stage = Stage::new("");
    let script =
        format!("[ -e stop ] && exec sleep 1000; {first} echo run >>runs.$SSI_INSTANCE; exit 3");
    let more = format!(
        "cwd = \"{}\"\ninstances = {INSTANCES}\nerror_limit = 1000000\n\
         backoff = {{ first = \"1ms\", factor = 1, longest = \"1ms\" }}",
        stage.path("").display()
    );
    fs::write(stage.path("config.toml"), process("s", &script, &more)).unwrap();
    fs::create_dir(stage.path("bpf")).unwrap();
    let options = ProcOptions {
        pins: Some(stage.path("bpf")),
        ..ProcOptions::default()
    };
    let mut proc = Proc::open(&options).expect("BPF and BTF");
    // What is pinned goes on.
    proc.attach().unwrap();
    stage
}

/// How often an instance ran.
fn runs(stage: &Stage, instance: u32) -> u64 {
    let lines = fs::read_to_string(stage.path(&format!("runs.{instance}")));
    lines.unwrap_or_default().lines().count() as u64
}

fn stays(pid: u32) -> bool {
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
    program != Path::new("")
        && fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"sleep"))
}

/// One more supervisor runs, until all has come to rest. Each end was counted, and nobody
/// failed to see one.
fn all_is_known(stage: &Stage) {
    fs::write(stage.path("stop"), "").unwrap();
    play(async {
        let mut play = stage.open();
        let of = |play: &Play, instance| play.of(&Id::new("s", instance));
        let rests =
            |play: &Play, instance| of(play, instance).main.is_some_and(|main| stays(main.pid));
        play.until("all stay", |play| (0..INSTANCES).all(|n| rests(play, n)))
            .await;
        let mut all = 0;
        for instance in 0..INSTANCES {
            let (runs, record) = (runs(stage, instance), of(&play, instance).record);
            assert_eq!(record.total, runs, "ends of instance {instance}");
            let last = (runs > 0).then_some(Failure::Exit(Exit::Code(3)));
            assert_eq!(record.last, last, "instance {instance}");
            all += runs;
        }
        assert!(all > 0, "nothing ran");
        println!("{all} runs, all known");
    });
    let unseen = fs::read_to_string(stage.path("unseen")).unwrap_or_default();
    assert_eq!(unseen, "");
}

pub(crate) fn whoever_kills_its_supervisor_is_known() {
    // While the first one does it, the others are being started. Whoever's supervisor is
    // another program by now leaves it alone.
    let own = std::env::current_exe().unwrap();
    let stage = stage(&format!(
        "[ /proc/$PPID/exe -ef {} ] && mkdir kills.$PPID 2>/dev/null && kill -9 $PPID;",
        own.display()
    ));
    for _ in 0..SUICIDES {
        stage.elsewhere().wait().unwrap();
    }
    all_is_known(&stage);
}

pub(crate) fn whenever_it_is_killed_each_end_is_known() {
    let stage = stage("");
    for kill in 0..KILLS {
        let mut supervisor = stage.elsewhere();
        // From before its first start until it has restarted all of them.
        sleep(Duration::from_millis(5) + Duration::from_micros(1_700) * (kill % 20));
        supervisor.kill().unwrap();
        supervisor.wait().unwrap();
    }
    all_is_known(&stage);
}
