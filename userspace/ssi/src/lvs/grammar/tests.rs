use std::net::IpAddr;

use ssi_api::lvs::{
    Command, Method, Protocol, Scheduler, ServerName, ServerSpec, ServiceFlags, ServiceName,
    ServiceSpec, Timeouts,
};

use super::testing::line;
use super::{Action, Invocation, List, View};

fn change(text: &str) -> Command {
    match line(text) {
        Ok(Invocation {
            action: Action::Change(command),
            ..
        }) => command,
        other => panic!("{text}: {other:?}"),
    }
}

fn error(text: &str) -> String {
    match line(text) {
        Err(e) => e.to_string(),
        Ok(ok) => panic!("{text}: {ok:?}"),
    }
}

fn tcp(port: u16) -> ServiceName {
    ServiceName::Address {
        protocol: Protocol::Tcp,
        addr: IpAddr::from([10, 0, 0, 1]),
        port,
    }
}

#[test]
fn services() {
    assert_eq!(
        change("-A -t 10.0.0.1:http"),
        Command::AddService {
            service: tcp(80),
            spec: ServiceSpec::default(),
        }
    );
    assert_eq!(
        change("-p 600 -M 255.255.255.0 -s sh -b sh-port,sh-fallback -t 10.0.0.1:80 -E"),
        Command::EditService {
            service: tcp(80),
            spec: ServiceSpec {
                scheduler: Scheduler::Sh,
                persistent: Some(600),
                prefix: Some(24),
                flags: ServiceFlags {
                    port: true,
                    fallback: true,
                    track: false,
                },
                ..ServiceSpec::default()
            },
        }
    );
    assert_eq!(
        change("-Dt 10.0.0.1"),
        Command::DeleteService { service: tcp(0) }
    );
    assert_eq!(change("-C"), Command::Clear);
    assert_eq!(change("-Z"), Command::Zero { service: None });
    assert_eq!(
        change("-D -f 0x10 -6"),
        Command::DeleteService {
            service: ServiceName::Mark { mark: 16, v6: true },
        }
    );
    assert_eq!(
        change("-A -u 10.0.0.1:53 -o -p"),
        Command::AddService {
            service: ServiceName::Address {
                protocol: Protocol::Udp,
                addr: IpAddr::from([10, 0, 0, 1]),
                port: 53,
            },
            spec: ServiceSpec {
                one_packet: true,
                persistent: Some(300),
                ..ServiceSpec::default()
            },
        }
    );
    assert_eq!(
        change("--set 900 120 300"),
        Command::SetTimeouts {
            timeouts: Timeouts {
                tcp: 900,
                tcp_fin: 120,
                udp: 300,
            },
        }
    );
}

#[test]
fn servers() {
    let server = |addr: [u8; 4], port| ServerName {
        addr: addr.into(),
        port,
    };
    assert_eq!(
        change("-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 5 -x 100 -y 50"),
        Command::AddServer {
            service: tcp(80),
            server: server([10, 0, 0, 2], 8080),
            spec: ServerSpec {
                method: Method::Masq,
                weight: 5,
                upper: 100,
                lower: 50,
                ..ServerSpec::default()
            },
        }
    );
    assert_eq!(
        change("-e -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type ipip"),
        Command::EditServer {
            service: tcp(80),
            server: server([10, 0, 0, 2], 80),
            spec: ServerSpec {
                method: Method::Tunnel,
                ..ServerSpec::default()
            },
        }
    );
    assert_eq!(
        change("-a -f 1 -r 10.0.0.2"),
        Command::AddServer {
            service: ServiceName::Mark { mark: 1, v6: false },
            server: server([10, 0, 0, 2], 0),
            spec: ServerSpec::default(),
        }
    );
    assert_eq!(
        change("-d -t 10.0.0.1:80 -r 10.0.0.2:8080"),
        Command::DeleteServer {
            service: tcp(80),
            server: server([10, 0, 0, 2], 8080),
        }
    );
}

#[test]
fn a_port_that_cannot_change_is_the_services_and_said_so() {
    let invocation = line("-a -t 10.0.0.1:80 -r 10.0.0.2:8080").unwrap();
    let Action::Change(Command::AddServer { server, .. }) = invocation.action else {
        panic!()
    };
    assert_eq!(server.port, 80);
    assert!(invocation.notes[0].contains("only -m can change the port"));
}

#[test]
fn lists() {
    let list = |text| match line(text).unwrap().action {
        Action::List(list) => list,
        other => panic!("{other:?}"),
    };
    assert_eq!(list(""), List::default());
    assert!(list("-Ln").numeric);
    assert_eq!(list("-L -n --stats --exact").view, View::Stats);
    assert_eq!(list("-lnc").view, View::Connections);
    assert_eq!(list("-L -c --persistent-conn").view, View::Connections);
    assert_eq!(list("-L -t 10.0.0.1:80").service, Some(tcp(80)));
    let json = line("-L -n -o json").unwrap();
    assert_eq!(json.output, Some(crate::output::Format::Json));
}

#[test]
fn every_mistake_has_its_own_line() {
    for (text, part) in [
        (
            "-A -t 10.0.0.1:80 -s frob",
            "unknown scheduler \"frob\"; known: rr",
        ),
        ("-A", "-A needs a virtual service"),
        ("-a -t 10.0.0.1:80", "-a needs a real server"),
        ("-A -D -t 10.0.0.1:80", "-A and -D cannot be used together"),
        ("-A -t 10.0.0.1:80 -u 10.0.0.1:53", "-t and -u cannot"),
        ("-A -t 10.0.0.1:80 -r 10.0.0.2", "-r is not for -A"),
        ("-L -s rr", "-s is not for -L"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -g -m", "-g and -m cannot"),
        (
            "-a -t 10.0.0.1:80 -r 10.0.0.2 -w 1 -w 2",
            "-w was said twice",
        ),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -w 70000", "from 0 to 65535"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -w -1", "bad weight \"-1\""),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2 -x 5 -y 6", "above the upper"),
        (
            "-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue",
            "--tun-type gue is not supported",
        ),
        (
            "-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-csum",
            "--tun-csum is not for",
        ),
        ("-A -t 10.0.0.1:80 -M 255.255.255.0", "-M needs -p"),
        ("-A -t 10.0.0.1:80 -p 0", "bad persistence timeout"),
        ("-A -t 10.0.0.1:80 -o", "is not for TCP"),
        ("-A -t 10.0.0.1:80 --pe sip", "--pe is not supported"),
        (
            "-A --sctp-service 10.0.0.1:80",
            "--sctp-service is not supported",
        ),
        ("-A -t 10.0.0.1:80 -s rr -b sh-port", "the scheduler is rr"),
        ("-A -t 10.0.0.1:80 -s sh -b sh-frob", "known: sh-port"),
        ("-A -f 0", "bad mark"),
        (
            "-A -t 10.0.0.1:80 --member tcp:10.0.0.1:81",
            "--member is not for -t",
        ),
        ("--set 1 2", "--set needs three"),
        ("--set 1 2 3 4", "unexpected argument \"4\""),
        ("-L stray", "unexpected argument \"stray\""),
        ("--start-daemon master", "--start-daemon is not supported"),
        ("-L -o xml", "-o needs a format here: json, table or wide"),
        ("-L --output xml", "unknown output format \"xml\""),
        ("-t 10.0.0.1:80", "which command?"),
    ] {
        let error = error(text);
        assert!(error.contains(part), "{text}: {error}");
        assert!(!error.contains('\n'), "{text}: {error}");
    }
}
