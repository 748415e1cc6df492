use ssi_api::lvs::{
    ConnectionState, ConnectionView, Counters, Method, Protocol, Rates, Scheduler, ServerName,
    ServerSpec, ServerView, ServiceName, ServiceSpec, ServiceView,
};

use super::super::grammar::{List, View};
use super::super::names::Printed;
use super::super::save;
use super::*;

fn server(addr: &str, port: u16, method: Method, local: bool) -> ServerView {
    ServerView {
        server: ServerName {
            addr: addr.parse().unwrap(),
            port,
        },
        spec: ServerSpec {
            method,
            weight: 3,
            upper: 100,
            lower: 0,
            supervised: false,
        },
        local,
        reachable: true,
        active: 7,
        inactive: 12,
        slots: None,
        counters: Counters {
            connections: 19,
            in_packets: 1_234_567,
            out_packets: 0,
            in_bytes: 123_456_789,
            out_bytes: 5_000_000_000,
        },
        rates: Rates {
            connections: 1.6,
            ..Rates::default()
        },
    }
}

fn services() -> Vec<ServiceView> {
    let view = |service, spec, servers| ServiceView {
        service,
        spec,
        director: true,
        counters: Counters {
            connections: 20,
            ..Counters::default()
        },
        rates: Rates::default(),
        servers,
    };
    let address = |protocol, addr: &str, port| ServiceName::Address {
        protocol,
        addr: addr.parse().unwrap(),
        port,
    };
    let mut services = vec![
        view(
            ServiceName::Mark { mark: 1, v6: false },
            ServiceSpec {
                scheduler: Scheduler::Rr,
                members: vec![ssi_api::lvs::PortRange {
                    protocol: Protocol::Tcp,
                    addr: "10.0.0.9".parse().unwrap(),
                    first: 6000,
                    last: 6100,
                }],
                ..ServiceSpec::default()
            },
            vec![server("10.0.0.4", 0, Method::Route, true)],
        ),
        view(
            address(Protocol::Tcp, "2001:db8::80", 80),
            ServiceSpec::default(),
            vec![server("2001:db8::a0a0", 80, Method::Tunnel, false)],
        ),
        view(
            address(Protocol::Tcp, "10.0.0.1", 80),
            ServiceSpec {
                scheduler: Scheduler::Sh,
                persistent: Some(300),
                prefix: Some(24),
                flags: ssi_api::lvs::ServiceFlags {
                    port: true,
                    fallback: true,
                    track: false,
                },
                ..ServiceSpec::default()
            },
            vec![
                server("10.0.0.3", 8080, Method::Masq, false),
                server("10.0.0.2", 80, Method::Route, false),
            ],
        ),
        view(
            address(Protocol::Udp, "10.0.0.1", 53),
            ServiceSpec {
                one_packet: true,
                ..ServiceSpec::default()
            },
            vec![],
        ),
    ];
    sort(&mut services);
    services
}

fn listed(view: View, exact: bool) -> String {
    let how = List {
        view,
        exact,
        numeric: true,
        ..List::default()
    };
    let text = list(
        &services(),
        4096,
        &Templates::default(),
        &how,
        &Printed::new(true),
    );
    let (header, rest) = text.split_once('\n').unwrap();
    assert!(
        header.starts_with("SSI Virtual Server version "),
        "{header}"
    );
    assert!(header.ends_with("(size=4096)"), "{header}");
    rest.to_owned()
}

#[test]
fn plain() {
    assert_eq!(
        listed(View::Servers, false),
        "\
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.0.0.1:80 sh (sh-fallback,sh-port) persistent 300 mask 255.255.255.0
  -> 10.0.0.2:80                  Route   3      7          12        
  -> 10.0.0.3:8080                Masq    3      7          12        
TCP  [2001:db8::80]:80 wlc
  -> [2001:db8::a0a0]:80          Tunnel  3      7          12        
UDP  10.0.0.1:53 wlc ops
FWM  1 rr member tcp:10.0.0.9:6000-6100
  -> 10.0.0.4:0                   Local   3      7          12        
"
    );
}

#[test]
fn stats_and_rates() {
    let stats = listed(View::Stats, false);
    let rows: Vec<&str> = stats.lines().take(4).collect();
    assert_eq!(
        rows,
        [
            "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes",
            "  -> RemoteAddress:Port",
            "TCP  10.0.0.1:80                        20        0        0        0        0",
            "  -> 10.0.0.2:80                        19  1234567        0  123456K    5000M",
        ]
    );
    let exact = listed(View::Stats, true);
    assert!(exact.contains(" 123456789 5000000000\n"), "{exact}");
    let rate = listed(View::Rate, false);
    assert!(
        rate.starts_with(
            "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n"
        ),
        "{rate}"
    );
    assert!(
        rate.contains("  -> 10.0.0.2:80                         2        0"),
        "{rate}"
    );
}

#[test]
fn other_columns() {
    let thresholds = listed(View::Thresholds, false);
    assert_eq!(
        thresholds.lines().next().unwrap(),
        "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn "
    );
    assert!(
        thresholds
            .contains("  -> 10.0.0.2:80                  100        0          7          12"),
        "{thresholds}"
    );
    let tunnels = listed(View::Tunnels, false);
    assert!(
        tunnels.contains("  -> [2001:db8::a0a0]:80          Tunnel  ip6ip6        3      7"),
        "{tunnels}"
    );
    let persistent = listed(View::Persistent, false);
    assert!(
        persistent.contains("  -> 10.0.0.2:80                  3         0           7"),
        "{persistent}"
    );
    assert_eq!(
        timeouts(Timeouts {
            tcp: 900,
            tcp_fin: 120,
            udp: 300
        }),
        "Timeout (tcp tcpfin udp): 900 120 300\n"
    );
}

#[test]
fn connection_entries() {
    let entry = ConnectionView {
        protocol: Protocol::Tcp,
        expires: 899,
        state: ConnectionState::Established,
        source: "192.0.2.5:40000".parse().unwrap(),
        virtual_addr: "10.0.0.1:80".parse().unwrap(),
        destination: "10.0.0.2:80".parse().unwrap(),
    };
    assert_eq!(
        connections(&[entry], &Printed::new(true)),
        "\
SSI connection entries
pro expire state       source             virtual            destination
TCP 14:59  ESTABLISHED 192.0.2.5:40000    10.0.0.1:80        10.0.0.2:80
"
    );
}

#[test]
fn saved_rules() {
    assert_eq!(
        save::rules(&services(), &Printed::new(true)),
        "\
-A -t 10.0.0.1:80 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port
-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 3 -x 100
-a -t 10.0.0.1:80 -r 10.0.0.3:8080 -m -w 3 -x 100
-A -t [2001:db8::80]:80 -s wlc
-a -t [2001:db8::80]:80 -r [2001:db8::a0a0]:80 -i -w 3 -x 100
-A -u 10.0.0.1:53 -s wlc -o
-A -f 1 -s rr --member tcp:10.0.0.9:6000-6100
-a -f 1 -r 10.0.0.4:0 -g -w 3 -x 100
"
    );
}
