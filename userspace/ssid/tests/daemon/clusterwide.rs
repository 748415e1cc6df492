//! Processes by their numbers in the cluster: `ssi ps` and `ssi kill`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, Output};

use serde_json::Value;

use crate::machine::{Machine, isolated, program};

const NOBODY: u32 = 65_534;

/// A process in a group of its own; ends with the test.
struct Sleeper(Child);

impl Sleeper {
    fn start() -> Self {
        let mut sleep = Command::new("sleep");
        sleep.arg("1000").process_group(0);
        Self(sleep.spawn().expect("sleep"))
    }

    fn of(user: u32) -> Self {
        let mut sleep = Command::new("sleep");
        sleep.arg("1000").uid(user);
        Self(sleep.spawn().expect("sleep"))
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The signal that it ended by.
    fn end(mut self) -> Option<i32> {
        self.0.wait().expect("wait").signal()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn found(machine: &Machine) {
    machine.ssi_ok("init blue --number 7", "");
    machine.wait_until("processes are known", || {
        machine.ssi("ps -e", "").status.code() == Some(0)
    });
}

#[test]
fn numbers_of_the_whole_cluster() {
    isolated(|machine| {
        let _daemon = machine.start();
        found(machine);
        let sleeper = Sleeper::start();
        let pid = sleeper.pid();
        let cpid = 7 << 22 | pid;
        for process in [pid.to_string(), cpid.to_string(), format!("7/{pid}")] {
            let columns = "cpid,node,nodename,npid,pid";
            let line = format!("ps -p {process} -o {columns} --no-headers");
            let shown = machine.ssi_ok(&line, "");
            let shown: Vec<_> = shown.split_whitespace().collect();
            let wanted = format!("{cpid} 7 node1 7/{pid} {pid}");
            assert_eq!(shown.join(" "), wanted, "{line}");
        }
        let full = machine.ssi_ok("ps -ef --node node1", "");
        assert!(full.contains(&format!(" 7/{pid} ")), "{full}");
        let json = machine.ssi_ok(&format!("ps -p 7/{pid} -o json"), "");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(
            (&json["here"], &json["nodes"][0]["number"]),
            (&7.into(), &7.into())
        );
        let process = &json["processes"][0];
        assert_eq!(
            (&process["cpid"], &process["node"], &process["pid"]),
            (&cpid.into(), &7.into(), &pid.into())
        );
        let said = machine.ssi_fails("ps -e --node 8", "", 1);
        assert!(said.contains("no node 8"), "{said}");
        assert_eq!(machine.ssi("ps -p 8/1", "").status.code(), Some(1));
    });
}

#[test]
fn loads_of_a_machine_and_of_a_cluster() {
    isolated(|machine| {
        let _daemon = machine.start();
        machine.wait_until("the load is known", || {
            let output = machine.ssi("loads -o json", "");
            let json: Option<Value> = serde_json::from_slice(&output.stdout).ok();
            json.is_some_and(|json| json["nodes"][0]["load"]["process"].as_f64() > Some(0.0))
        });
        assert!(machine.ssi_ok("loads --short", "").starts_with("-: "));
        found(machine);
        let json: Value =
            serde_json::from_str(&machine.ssi_ok("loads -n 7 -o json", "")).expect("JSON");
        let node = &json["nodes"][0];
        assert_eq!(
            (&json["here"], &node["number"], &node["name"]),
            (&7.into(), &7.into(), &"node1".into())
        );
        assert!(node["cpus"].as_u64() > Some(0) && node["processes"].as_u64() > Some(1));
        assert!(node["memory"].as_u64() > node["free"].as_u64());
        assert!(machine.ssi_ok("loads -s", "").starts_with("7: "));
        assert!(machine.ssi_ok("loads", "").starts_with(" NODE "));
        let said = machine.ssi_fails("loads -n blue9", "", 1);
        assert!(said.contains("no node blue9"), "{said}");
    });
}

#[test]
fn signals_to_processes_and_groups() {
    isolated(|machine| {
        let _daemon = machine.start();
        let alone = Sleeper::start();
        let pid = alone.pid();
        for args in [format!("kill 7/{pid}"), "ps -e --node 7".to_owned()] {
            let said = machine.ssi_fails(&args, "", 1);
            assert!(said.contains("in no cluster"), "{said}");
        }
        machine.ssi_ok(&format!("kill -USR1 {pid}"), "");
        assert_eq!(alone.end(), Some(10));

        found(machine);
        let sleeper = Sleeper::start();
        let pid = sleeper.pid();
        machine.ssi_ok(&format!("kill -0 7/{pid}"), "");
        let said = machine.ssi_fails(&format!("kill -0 7/{pid} 8/1"), "", 1);
        assert!(said.starts_with("ssi kill: (8/1): node 8 is not"), "{said}");
        let said = machine.ssi_fails("kill 7/4000000", "", 1);
        assert!(
            said.starts_with("ssi kill: (7/4000000): no such process; see: ssi ps"),
            "{said}"
        );
        machine.ssi_ok(&format!("kill -s KILL {}", 7 << 22 | pid), "");
        assert_eq!(sleeper.end(), Some(9));
        let group = Sleeper::start();
        machine.ssi_ok(&format!("kill -HUP 7/-{}", group.pid()), "");
        assert_eq!(group.end(), Some(1));
        let said = machine.ssi_fails("kill -frob 7", "", 2);
        assert!(said.contains("frob"), "{said}");
        assert!(machine.ssi_ok("kill -l", "").contains("15 TERM\n"));
    });
}

/// Runs `ssi kill` as somebody who may use the socket, and nothing more.
fn kill_as_nobody(machine: &Machine, args: &str) -> Output {
    let ssi = machine.dir.join("ssi");
    fs::copy(program("ssi"), &ssi).expect("copies");
    let socket = machine.socket();
    let run = socket.parent().expect("a directory");
    for (path, mode) in [
        (machine.dir.as_path(), 0o711),
        (run, 0o711),
        (socket.as_path(), 0o666),
        (ssi.as_path(), 0o755),
    ] {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    }
    Command::new(&ssi)
        .arg("kill")
        .args(args.split_whitespace())
        .env("SSI_SOCKET", &socket)
        .uid(NOBODY)
        .output()
        .expect("ssi runs")
}

#[test]
fn a_user_signals_what_is_theirs() {
    isolated(|machine| {
        let _daemon = machine.start();
        found(machine);
        let roots = Sleeper::start();
        for target in [format!("7/{}", roots.pid()), format!("7/-{}", roots.pid())] {
            let output = kill_as_nobody(machine, &format!("-KILL {target}"));
            let said = String::from_utf8(output.stderr).expect("UTF-8");
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(
                said.starts_with(&format!("ssi kill: ({target}): not permitted")),
                "{said}"
            );
        }
        let theirs = Sleeper::of(NOBODY);
        let output = kill_as_nobody(machine, &format!("7/{}", theirs.pid()));
        assert!(output.status.success(), "{output:?}");
        assert_eq!(theirs.end(), Some(15));
        machine.ssi_ok(&format!("kill 7/{}", roots.pid()), "");
        assert_eq!(roots.end(), Some(15));
    });
}
