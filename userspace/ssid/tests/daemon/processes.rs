//! Processes: `ssi ps`.

use std::process::{Child, Command};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::machine::{Machine, isolated};

/// Ends with the test.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().expect("sleep"))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What `ssi ps` says of a process, if it is there.
fn shown(machine: &Machine, pid: u32, columns: &str) -> Option<String> {
    let output = machine.ssi(&format!("ps -p {pid} -o {columns} --no-headers"), "");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    (output.status.code() == Some(0)).then(|| text.trim().to_owned())
}

#[test]
fn processes_come_and_go() {
    isolated(|machine| {
        let _daemon = machine.start();
        // Loading takes a moment.
        machine.wait_until("processes are known", || {
            machine.ssi("ps -e", "").status.code() == Some(0)
        });
        let sleeper = Sleeper::start();
        let pid = sleeper.0.id();
        let told = shown(machine, pid, "ppid,comm,stat").expect("told by its event");
        assert!(told.starts_with(&std::process::id().to_string()), "{told}");
        assert_eq!(shown(machine, pid, "args").as_deref(), Some("sleep 1000"));
        drop(sleeper);
        machine.wait_until("it is gone", || shown(machine, pid, "pid").is_none());
        let own = std::process::id();
        assert_eq!(shown(machine, own, "pid,user"), Some(format!("{own} root")));
    });
}

#[test]
fn lists_for_people_and_programs() {
    isolated(|machine| {
        let daemon = machine.start();
        machine.wait_until("the load is known", || {
            let output = machine.ssi("ps -e -o json", "");
            let json: Option<Value> = serde_json::from_slice(&output.stdout).ok();
            json.is_some_and(|json| json["node"]["load"]["process"].as_f64() > Some(0.0))
        });
        let json: Value = serde_json::from_str(&machine.ssi_ok("ps ax -o json", "")).expect("JSON");
        let node = &json["node"];
        assert_eq!(node["source"], "tracing");
        let processes = node["processes"].as_array().expect("processes");
        let own = processes.iter().find(|p| p["pid"] == daemon.pid());
        let own = own.expect("ssid itself");
        assert_eq!(own["comm"], "ssid");
        assert!(own["rss"].as_u64() > Some(1 << 20) && own["run"].as_u64() > Some(0));
        assert_eq!(own["args"][1], "--config");
        let sorted = machine.ssi_ok("ps aux --sort -rss", "");
        assert!(sorted.starts_with("USER"), "{sorted}");
        let full = machine.ssi_ok("ps -ef", "");
        assert!(full.contains("--config"), "{full}");
        let said = machine.ssi_fails("ps --frob", "", 2);
        assert!(said.contains("--frob"), "{said}");
        assert_eq!(machine.ssi("ps -p 4000000", "").status.code(), Some(1));
    });
}

#[test]
fn events_go_on_without_the_daemon_and_unloading_ends_them() {
    isolated(|machine| {
        let daemon = machine.start();
        let links = machine.dir.join("bpf/ssi");
        let pinned = || {
            let found = Command::new("find").arg(&links).output().expect("find");
            String::from_utf8(found.stdout)
                .expect("UTF-8")
                .contains("proc/links/sched_process_exit")
        };
        machine.wait_until("events are recorded", pinned);
        assert_eq!(daemon.end(Signal::SIGKILL), Err(9));
        assert!(pinned());
        let sleeper = Sleeper::start();
        let _daemon = machine.start();
        machine.wait_until("who came meanwhile is known", || {
            shown(machine, sleeper.0.id(), "comm").as_deref() == Some("sleep")
        });
        drop(_daemon);
        assert!(machine.ssid("--unload").status.success());
        assert!(!links.exists());
    });
}
