//! The daemon dies and comes back; what it set up does not.

use crate::machine::{addresses, ip, isolated};
use nix::sys::signal::Signal;

const CVIPS: &str = r#"
[[cvip]]
address = "10.88.0.100"
interface = "eth0"
[[cvip]]
address = "fd88::100"
interface = "eth0"
"#;

const RULES: &str = "\
-A -t 10.88.0.100:80 -s slot
-a -t 10.88.0.100:80 -r 10.77.0.1:80 -g -w 1
-a -t 10.88.0.100:80 -r 10.77.0.2:80 -g -w 2 -x 100 -y 50
-A -t 10.88.0.100:443 -s sh -p 600 -M 255.255.255.0 -b sh-fallback,sh-port
-a -t 10.88.0.100:443 -r 10.77.0.2:8443 -m -w 0
-A -t [fd88::100]:80 -s wrr
-a -t [fd88::100]:80 -r [fd77::2]:80 -i -w 3
-A -u 10.88.0.100:53 -s wlc -o
-A -f 7 -s rr --member tcp:10.88.0.100:6000-6003 --member udp:10.88.0.100:6000
-a -f 7 -r 10.77.0.1:0 -g -w 1
";

#[test]
fn killed_and_started_again_it_has_the_same_rules_and_addresses() {
    isolated(|machine| {
        machine.configure(CVIPS);
        let daemon = machine.start();
        machine.ssi_ok("lvs -R", RULES);
        machine.ssi_ok("lvs --set 800 0 200", "");
        assert_eq!(machine.ssi_ok("lvs -S -n", ""), RULES);
        let before = addresses();
        let is_there = |line: &String| line.contains("10.88.0.100/32");
        assert!(before.iter().any(is_there), "{before:?}");

        assert_eq!(daemon.end(Signal::SIGKILL), Err(9));
        let unreachable = machine.ssi_fails("lvs -L", "", 3);
        assert!(unreachable.contains("is it running?"), "{unreachable}");

        let daemon = machine.start();
        assert_eq!(machine.ssi_ok("lvs -S -n", ""), RULES);
        assert_eq!(
            machine.ssi_ok("lvs -L --timeout", ""),
            "Timeout (tcp tcpfin udp): 800 120 200\n"
        );
        assert_eq!(addresses(), before);
        let status = machine.ssi_ok("status", "");
        assert!(status.contains("found running and taken over"), "{status}");

        assert_eq!(daemon.end(Signal::SIGTERM), Ok(0));
        assert!(!machine.socket().exists());
        // Rules outlive the packet path too: they are on disk.
        assert!(machine.ssid("--unload").status.success());
        let daemon = machine.start();
        assert_eq!(machine.ssi_ok("lvs -S -n", ""), RULES);
        drop(daemon);
    });
}

#[test]
fn unloading_leaves_nothing_and_may_be_repeated() {
    isolated(|machine| {
        let setting =
            || std::fs::read_to_string("/proc/sys/net/ipv4/conf/all/arp_ignore").expect("readable");
        let (assigned, before) = (addresses(), setting());
        machine.configure(CVIPS);
        let daemon = machine.start();
        assert_eq!(setting(), "1\n");
        let refused = machine.ssid("--unload");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("another ssid is running"), "{said}");
        // Even a daemon that had no time for anything leaves nothing behind.
        assert_eq!(daemon.end(Signal::SIGKILL), Err(9));
        for _ in 0..2 {
            assert!(machine.ssid("--unload").status.success());
        }
        assert_eq!(addresses(), assigned);
        assert_eq!(setting(), before);
        assert!(!machine.dir.join("bpf/ssi").exists());
        assert_eq!(
            machine.dir.join("run").read_dir().expect("reads").count(),
            0
        );
        assert!(!machine.dir.join("state/cvips.json").exists());
    });
}

#[test]
fn a_second_daemon_is_refused_and_a_dead_ones_socket_replaced() {
    isolated(|machine| {
        let daemon = machine.start();
        let said = machine.ssid_refused();
        assert!(
            said.contains(&format!("process {}", daemon.pid())),
            "{said}"
        );
        drop(daemon);
        assert!(machine.socket().exists());
        let daemon = machine.start();
        assert_eq!(daemon.end(Signal::SIGINT), Ok(0));
    });
}

#[test]
fn a_new_configuration_is_taken_in_place_and_a_wrong_one_not() {
    isolated(|machine| {
        machine.configure(CVIPS);
        let daemon = machine.start();
        let here = |address: &str| ip("-br addr").contains(address);
        let wait = |what: &dyn Fn() -> bool| {
            for _ in 0..100 {
                if what() {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            panic!("nothing happened: {}", ip("-br addr"));
        };
        assert!(here("fd88::100"));
        machine.configure(&CVIPS.replace("fd88::100", "fd88::200"));
        daemon.signal(Signal::SIGHUP);
        wait(&|| here("fd88::200") && !here("fd88::100"));
        assert!(here("10.88.0.100"));
        machine.configure("[nonsense]\n");
        daemon.signal(Signal::SIGHUP);
        std::thread::sleep(std::time::Duration::from_millis(200));
        assert!(here("fd88::200"));
        machine.ssi_ok("status", "");
        assert_eq!(daemon.end(Signal::SIGTERM), Ok(0));
    });
}
