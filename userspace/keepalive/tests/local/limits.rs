//! What cgroups keep.

use std::fs;

use ssi_keepalive::core::State;

use super::stage::{Stage, play, process};

/// By a controller of version 2 or 1, whichever this machine has.
pub(crate) fn limits_hold() {
    let script = "cat /proc/self/cgroup; for n in 1 2 3 4 5 6 7 8; do sleep 1000 & done; wait";
    let limits = "cgroup = { pids = 4, memory = \"64M\", cpu = 0.5 }\nerror_limit = 1";
    let stage = Stage::new(&process("s", script, limits));
    play(async {
        let mut play = stage.open();
        play.until("it can't fork", |play| play.log("s").contains("fork"))
            .await;
        let log = play.log("s");
        for controller in ["pids", "memory", "cpu"] {
            let mut lines = log
                .lines()
                .map(|line| line.splitn(3, ':').collect::<Vec<_>>());
            let own =
                lines.find(|line| line.len() == 3 && line[1].split(',').any(|c| c == controller));
            // Where it is in no hierarchy of version 1, that of version 2 has it.
            if let Some(own) = own {
                assert!(own[2].ends_with("/s"), "{controller}: {log}");
                continue;
            }
            let (file, limit) = match controller {
                "pids" => ("pids.max", "4"),
                "memory" => ("memory.max", "67108864"),
                _ => ("cpu.max", "50000 100000"),
            };
            let set = fs::read_to_string(stage.cgroup.join("s").join(file)).unwrap();
            assert_eq!(set.trim(), limit, "{controller}");
        }
        play.state("s", State::Down).await;
    });
}

/// A cgroup that was killed takes processes all the same.
pub(crate) fn whoever_was_killed_by_cgroup_is_there_again() {
    let stage = Stage::new(&process(
        "s",
        "exec sleep 1000",
        "error_limit = 100\nbackoff = { reset = 0 }",
    ));
    play(async {
        let mut play = stage.open();
        play.state("s", State::Ok).await;
        for n in 1..=20 {
            let pid = play.pid("s");
            fs::write(stage.cgroup.join("s/cgroup.kill"), "1").unwrap();
            play.until("another one", |p| p.errors("s") == n && p.pid("s") != 0)
                .await;
            assert_ne!(play.pid("s"), pid);
            assert_eq!(stage.pids("s"), [play.pid("s")]);
        }
    });
}
