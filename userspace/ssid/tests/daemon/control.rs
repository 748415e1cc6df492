//! The control socket, and what `ssi lvs` makes of it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use crate::machine::{Machine, isolated};

fn say(machine: &Machine, line: &[u8]) -> String {
    let mut stream = UnixStream::connect(machine.socket()).expect("connects");
    stream.write_all(line).expect("writes");
    let mut answer = String::new();
    BufReader::new(stream)
        .read_line(&mut answer)
        .expect("reads");
    answer
}

#[test]
fn whatever_comes_in_it_goes_on_serving() {
    isolated(|machine| {
        let _daemon = machine.start();
        for (line, part) in [
            (&b"hello\n"[..], r#""kind":"malformed""#),
            (b"\n", r#""kind":"malformed""#),
            (b"\xff\xfe\n", r#""kind":"malformed""#),
            (b"{\"request\":\"frob\"}\n", r#""kind":"malformed""#),
            (
                b"{\"version\":99,\"id\":5,\"request\":\"status\"}\n",
                r#""id":5,"error":{"kind":"version""#,
            ),
            (b"{\"request\":\"describe\"}\n", r#""example":"#),
        ] {
            let answer = say(machine, line);
            assert!(answer.contains(part), "{answer}");
        }
        // Somebody who goes in the middle of a line, and somebody who never ends one.
        let mut stream = UnixStream::connect(machine.socket()).expect("connects");
        stream.write_all(b"{\"request").expect("writes");
        drop(stream);
        let mut stream = UnixStream::connect(machine.socket()).expect("connects");
        let chunk = vec![b'x'; 1 << 20];
        while stream.write_all(&chunk).is_ok() {}
        let mut answer = String::new();
        // The daemon may have closed before we could read.
        let _ = BufReader::new(stream).read_line(&mut answer);
        assert!(answer.is_empty() || answer.contains("too-long"), "{answer}");
        // A crowd: those it has no place for are told.
        let crowd: Vec<_> = (0..80)
            .filter_map(|_| UnixStream::connect(machine.socket()).ok())
            .collect();
        let busy = say(machine, b"{\"request\":\"status\"}\n");
        assert!(busy.contains(r#""kind":"busy""#), "{busy}");
        drop(crowd);
        std::thread::sleep(std::time::Duration::from_millis(200));
        machine.ssi_ok("status", "");
    });
}

#[test]
fn every_mistake_is_one_line_and_changes_nothing() {
    isolated(|machine| {
        let _daemon = machine.start();
        machine.ssi_ok("lvs -A -t 10.88.0.100:80 -s rr", "");
        machine.ssi_ok("lvs -a -t 10.88.0.100:80 -r 10.77.0.2 -g", "");
        let rules = machine.ssi_ok("lvs -S -n", "");
        for (args, code, part) in [
            ("lvs -A -t 10.88.0.100:80", 1, "exist"),
            ("lvs -A -t 10.88.0.100:81 -s frob", 2, "unknown scheduler"),
            ("lvs -A -t 10.88.0.300:81", 2, "not an IP address"),
            ("lvs -E -t 10.88.0.100:81", 1, "10.88.0.100:81"),
            ("lvs -D -t 10.88.0.100:81", 1, "10.88.0.100:81"),
            ("lvs -a -t 10.88.0.100:81 -r 10.77.0.2", 1, "10.88.0.100:81"),
            ("lvs -a -t 10.88.0.100:80 -r 10.77.0.2", 1, "10.77.0.2"),
            ("lvs -a -t 10.88.0.100:80 -r 192.0.2.9", 1, "no route"),
            ("lvs -e -t 10.88.0.100:80 -r 10.77.0.3", 1, "10.77.0.3"),
            ("lvs -d -t 10.88.0.100:80 -r 10.77.0.3", 1, "10.77.0.3"),
            ("lvs -Z -t 10.88.0.100:81", 1, "10.88.0.100:81"),
            ("lvs -L -n -t 10.88.0.100:81", 1, "10.88.0.100:81"),
        ] {
            let said = machine.ssi_fails(args, "", code);
            assert!(said.contains(part), "{args}: {said}");
            assert_eq!(machine.ssi_ok("lvs -S -n", ""), rules, "{args}");
        }
        // A list is done whole or not at all.
        let said = machine.ssi_fails(
            "lvs -R",
            "-C\n-A -t 10.88.0.100:90\n\n-A -t 10.88.0.100:90\n",
            1,
        );
        assert!(said.contains("line 4:"), "{said}");
        assert_eq!(machine.ssi_ok("lvs -S -n", ""), rules);
    });
}

#[test]
fn lists_for_people_and_programs() {
    isolated(|machine| {
        let _daemon = machine.start();
        machine.ssi_ok(
            "lvs -R",
            "-A -t 10.88.0.100:80 -s slot\n\
             -a -t 10.88.0.100:80 -r 10.77.0.2:80 -g -w 1\n\
             -a -t 10.88.0.100:80 -r 10.77.0.1:80 -g -w 1\n",
        );
        let list = machine.ssi_ok("lvs -L -n", "");
        let lines: Vec<&str> = list.lines().collect();
        assert!(lines[0].starts_with("SSI Virtual Server version"), "{list}");
        assert_eq!(lines[3], "TCP  10.88.0.100:80 slot");
        assert!(lines[4].starts_with("  -> 10.77.0.1:80 "), "{list}");
        assert!(lines[4].contains("Local"), "{list}");
        assert!(lines[5].contains("Route   1      0          0"), "{list}");
        let json: serde_json::Value =
            serde_json::from_str(&machine.ssi_ok("lvs -L -n -o json", "")).expect("JSON");
        assert_eq!(json["version"], 1);
        let servers = &json["services"][0]["servers"];
        let slots = |i: usize| servers[i]["slots"].as_u64().expect("slots");
        assert_eq!(slots(0) + slots(1), 65_536);
        for args in [
            "lvs -L -n --stats",
            "lvs -L -n --rate",
            "lvs -L -n --thresholds",
            "lvs -L -n --persistent-conn",
            "lvs -L -n -c",
            "lvs -L -n -o wide",
            "lvs -L",
            "lvs -Z",
            "status -o json",
            "doctor -o json",
        ] {
            machine.ssi_ok(args, "");
        }
    });
}
