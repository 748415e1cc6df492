//! Who balances: nobody, we, and those that one would use in our place.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context, Result};

use super::site::{DIRECTOR, SERVERS, Site};

/// Port that the servers serve to everybody but us and nftables, who keep the port.
const DIRECT: u16 = 7000;
const RR: u16 = 7001;
const SLOT: u16 = 7002;
const NFT: u16 = 7003;
const HAPROXY: u16 = 7004;
const NGINX: u16 = 7005;

/// Ports that the servers serve.
pub(crate) const SERVED: [u16; 4] = [DIRECT, RR, SLOT, NFT];

/// The director's own address on the clients' network.
const DIRECTOR_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);

/// One row.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Where clients connect to, in turn.
    pub(crate) addresses: Vec<SocketAddrV4>,
    /// Whether it is ours, with bars to meet.
    pub(crate) ours: bool,
    /// What is done on the director before and after each of its turns: what one peer
    /// needs of the kernel must not slow the next.
    pub(crate) around: Option<(&'static str, &'static str)>,
}

/// Address of a server on the interconnect, where directors forward to.
fn inside(node: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, node)
}

/// All targets, set up; the first is the base.
pub(crate) fn set_up(site: &Site) -> Result<Vec<Target>> {
    let cvip = site.cvip()?;
    ours(site, cvip).context("setting up ssi")?;
    nftables(site).context("setting up nftables")?;
    haproxy(site).context("setting up HAProxy")?;
    nginx(site).context("setting up nginx")?;
    let through = |address, port| vec![SocketAddrV4::new(address, port)];
    let target = |name, addresses, ours, around| Target {
        name,
        addresses,
        ours,
        around,
    };
    Ok(vec![
        target(
            "direct, no balancer",
            SERVERS
                .map(|node| SocketAddrV4::new(Ipv4Addr::new(10, 88, 0, node), DIRECT))
                .to_vec(),
            false,
            None,
        ),
        target("ssi, rr, direct routing", through(cvip, RR), true, None),
        target("ssi, slot, direct routing", through(cvip, SLOT), true, None),
        target(
            "nftables, numgen DNAT",
            through(DIRECTOR_ADDRESS, NFT),
            false,
            Some(("nft -f /run/bench.nft", "nft delete table ip bench")),
        ),
        target(
            "HAProxy, tcp",
            through(DIRECTOR_ADDRESS, HAPROXY),
            false,
            None,
        ),
        target(
            "nginx, stream",
            through(DIRECTOR_ADDRESS, NGINX),
            false,
            None,
        ),
    ])
}

fn ours(site: &Site, cvip: Ipv4Addr) -> Result<()> {
    let mut rules = String::new();
    for (port, scheduler) in [(RR, "rr"), (SLOT, "slot")] {
        rules += &format!("-A -t {cvip}:{port} -s {scheduler}\n");
        for node in SERVERS {
            rules += &format!("-a -t {cvip}:{port} -r {}:{port} -g\n", inside(node));
        }
    }
    // A daemon that has just been started is not there yet.
    let load = "for i in $(seq 100); do ssi status >/dev/null 2>&1 && break; sleep 0.1; done; \
                ssi lvs -R";
    // What one node is told, the others carry out too.
    site.sh(DIRECTOR, load, &rules).map(drop)
}

/// Replies have to come back through the director to be translated; a route by source
/// port does that without making it hide the clients' addresses, too.
fn nftables(site: &Site) -> Result<()> {
    let [a, b] = SERVERS.map(inside);
    let rules = format!(
        "table ip bench {{
            chain pre {{
                type nat hook prerouting priority dstnat;
                ip daddr {DIRECTOR_ADDRESS} tcp dport {NFT} dnat to numgen inc mod 2 map {{ 0 : {a}, 1 : {b} }}
            }}
        }}\n"
    );
    site.sh(
        DIRECTOR,
        "cat >/run/bench.nft; nft -c -f /run/bench.nft",
        &rules,
    )?;
    for node in SERVERS {
        let director = inside(1);
        site.sh(
            &node.to_string(),
            &format!(
                "ip rule add ipproto tcp sport {NFT} lookup 100
                 ip route add default via {director} dev ic0 table 100"
            ),
            "",
        )?;
    }
    Ok(())
}

fn haproxy(site: &Site) -> Result<()> {
    let [a, b] = SERVERS.map(inside);
    let configuration = format!(
        "global
            maxconn 4000
        defaults
            mode tcp
            timeout connect 5s
            timeout client 60s
            timeout server 60s
        listen bench
            bind {DIRECTOR_ADDRESS}:{HAPROXY}
            balance roundrobin
            server a {a}:{DIRECT}
            server b {b}:{DIRECT}\n"
    );
    let start = "cat >/run/bench.cfg; haproxy -D -f /run/bench.cfg";
    site.sh(DIRECTOR, start, &configuration).map(drop)
}

fn nginx(site: &Site) -> Result<()> {
    let [a, b] = SERVERS.map(inside);
    let configuration = format!(
        "load_module /usr/lib/nginx/modules/ngx_stream_module.so;
        worker_processes auto;
        pid /run/bench.pid;
        error_log /run/bench.log;
        events {{ worker_connections 10000; }}
        stream {{
            upstream bench {{ server {a}:{DIRECT}; server {b}:{DIRECT}; }}
            server {{ listen {DIRECTOR_ADDRESS}:{NGINX}; proxy_pass bench; }}
        }}\n"
    );
    let start = "cat >/run/bench-nginx.conf; nginx -c /run/bench-nginx.conf";
    site.sh(DIRECTOR, start, &configuration).map(drop)
}
