//! A machine in no cluster, and the node of a cluster of one.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::machine::{Machine, ip, isolated};

const CVIP: &str = r#"
[[cvip]]
address = "10.88.0.100"
interface = "eth0"
"#;

fn cluster(machine: &Machine) -> Value {
    let shown = machine.ssi_ok("cluster -o json", "");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    shown["cluster"].clone()
}

/// Whether `eth0` answers for the cluster's address.
fn directs() -> bool {
    ip("-br addr show dev eth0").contains("10.88.0.100/32")
}

#[test]
fn a_machine_in_no_cluster_directs_nothing_and_says_how_to_get_into_one() {
    isolated(|machine| {
        machine.configure(CVIP);
        let daemon = machine.start();
        assert!(!directs());
        for args in [
            "cluster", "ics", "ping 2", "token", "leave", "rejoin", "forget 2",
        ] {
            let said = machine.ssi_fails(args, "", 1);
            assert!(
                said.contains("in no cluster") || said.contains("has left no cluster"),
                "{args}: {said}"
            );
        }
        // Its services are its own affair.
        machine.ssi_ok("lvs -A -t 10.88.0.100:80 -s rr", "");
        let shown: Value =
            serde_json::from_str(&machine.ssi_ok("status -o json", "")).expect("JSON");
        assert!(shown["status"].is_object(), "{shown}");
        assert_eq!(shown["status"]["member"], Value::Null, "{shown}");
        assert_eq!(daemon.end(Signal::SIGTERM), Ok(0));
        assert!(!machine.dir.join("state/cluster.json").exists());
    });
}

#[test]
fn a_cluster_of_one_is_founded_once_and_not_left() {
    isolated(|machine| {
        machine.configure(CVIP);
        let _daemon = machine.start();
        machine.ssi_ok("init blue --number 7", "");
        let view = cluster(machine);
        assert_eq!(
            (&view["name"], &view["node"], &view["master"]),
            (&"blue".into(), &7.into(), &7.into())
        );
        assert_eq!(
            (&view["incarnation"], &view["fenced"]),
            (&1.into(), &false.into())
        );
        assert_eq!(view["nodes"][0]["state"], "UP");
        assert_eq!(view["resources"][0]["name"], "cvip 10.88.0.100");
        assert_eq!(view["resources"][0]["owner"], 7);
        assert!(directs());
        machine.ssi_ok("lvs -A -t 10.88.0.100:80 -s slot", "");
        for (args, part) in [
            ("init green", "is node 7 of the cluster blue already"),
            ("rejoin", "has left no cluster"),
            ("evict 7 --yes", "does not put itself out"),
            ("forget 8 --yes", "no node 8"),
            ("ping 7", "is this one"),
            ("ping 8", "no node 8"),
        ] {
            let said = machine.ssi_fails(args, "", 1);
            assert!(said.contains(part), "{args}: {said}");
        }
        assert_eq!(cluster(machine)["nodes"], view["nodes"]);
    });
}

#[test]
fn restarted_it_goes_on_with_the_same_life() {
    isolated(|machine| {
        machine.configure(CVIP);
        let mut daemon = machine.start();
        machine.ssi_ok("init blue", "");
        machine.ssi_ok("lvs -A -t 10.88.0.100:80 -s slot", "");
        machine.ssi_ok("lvs -a -t 10.88.0.100:80 -r 10.77.0.1 -g", "");
        let (rules, before) = (machine.ssi_ok("lvs -S -n", ""), cluster(machine));
        for (signal, ended) in [(Signal::SIGKILL, Err(9)), (Signal::SIGTERM, Ok(0))] {
            assert_eq!(daemon.end(signal), ended);
            assert!(directs(), "the kernel goes on without it");
            daemon = machine.start();
            // A voter that was restarted promises nothing for a while.
            let acts = || !cluster(machine)["fenced"].as_bool().expect("a bool");
            machine.wait_until("the node acts", acts);
            let after = cluster(machine);
            assert_eq!(after["incarnation"], before["incarnation"]);
            assert_eq!(after["identity"], before["identity"]);
            assert_eq!(after["nodes"][0]["epoch"], before["nodes"][0]["epoch"]);
            assert_eq!(machine.ssi_ok("lvs -S -n", ""), rules);
            assert!(directs());
        }
        // The kernel forgets, as in a reboot: a new life.
        assert_eq!(daemon.end(Signal::SIGTERM), Ok(0));
        assert!(machine.ssid("--unload").status.success());
        let _daemon = machine.start();
        let up = || cluster(machine)["incarnation"] == 2;
        machine.wait_until("the node has a second life", up);
        machine.wait_until("it directs", directs);
        assert_eq!(machine.ssi_ok("lvs -S -n", ""), rules);
    });
}

/// Secrets are for root alone, and what an operator mistypes changes nothing.
#[test]
fn mistakes_are_refused_and_leave_nothing() {
    isolated(|machine| {
        machine.configure("");
        let _daemon = machine.start();
        for (args, part) in [
            ("init white!space", "no name for a cluster"),
            (&format!("init {}", "x".repeat(64)), "1 to 63 letters"),
            ("init blue --number 512", "1 to 511"),
            ("join 10.77.0.2 nonsense", "no join token"),
            ("join 10.77.0.2 ssi1-AAAA", "no join token"),
        ] {
            let said = machine.ssi_fails(args, "", 1);
            assert!(said.contains(part), "{args}: {said}");
        }
        assert!(!machine.dir.join("state/cluster.json").exists());
        machine.ssi_ok("init blue", "");
        let said = machine.ssi_fails("token --valid 32d", "", 1);
        assert!(said.contains("1 second to 31 days"), "{said}");
        for args in ["init green --number 0", "token --valid soon"] {
            assert_eq!(machine.ssi(args, "").status.code(), Some(2), "{args}");
        }
        let token = machine.ssi_ok("token --valid 1m", "");
        let said = machine.ssi_fails(&format!("join 10.77.0.1 {}", token.trim()), "", 1);
        assert!(
            said.contains("is node 1 of the cluster blue already"),
            "{said}"
        );
    });
}

#[test]
fn a_damaged_identity_is_named_and_kept() {
    isolated(|machine| {
        machine.configure("");
        let daemon = machine.start();
        machine.ssi_ok("init blue", "");
        assert_eq!(daemon.end(Signal::SIGTERM), Ok(0));
        let path = machine.dir.join("state/cluster.json");
        let whole = fs::read(&path).expect("it is there");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &fs::metadata(&path).expect("it is there").permissions(),
        );
        assert_eq!(mode & 0o077, 0, "others may read the keys");
        let cut = &whole[..whole.len() / 2];
        fs::write(&path, cut).expect("writes");
        let said = machine.ssid_refused();
        assert!(said.contains("cluster.json is damaged"), "{said}");
        assert_eq!(fs::read(&path).expect("it is there"), cut);
        fs::write(&path, whole).expect("writes");
        let _daemon = machine.start();
        assert_eq!(cluster(machine)["name"], "blue");
    });
}
