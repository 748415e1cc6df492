//! A path that is narrower than the client's: the director says so, the transfer works.

mod common;

use std::net::SocketAddr;
use std::process::ExitCode;

use common::cluster::Family::{self, V4, V6};
use common::host::Host;
use common::lvs::Service;
use common::{Cluster, main as run, web};

/// Bytes of the upload.
const SIZE: usize = 8 << 20;

/// What a tunnel adds.
const IPV4: u32 = 20;
const IPV6: u32 = 40;

fn main() -> ExitCode {
    run(
        3,
        &[
            ("IPv4 in IPv4 over an interconnect of MTU 1280", |c| {
                upload(c, V4, V4, 1280, IPV4);
            }),
            ("IPv4 in IPv6 over an interconnect of MTU 1280", |c| {
                upload(c, V4, V6, 1280, IPV6);
            }),
            // IPv6 hosts never send less than 1280, so the outer packet needs 40 more.
            ("IPv6 in IPv6 over an interconnect of MTU 1400", |c| {
                upload(c, V6, V6, 1400, IPV6);
            }),
        ],
    )
}

fn upload(cluster: &Cluster, inner: Family, outer: Family, mtu: u32, tunnel: u32) {
    web::start(cluster);
    cluster.set_interconnect_mtu(mtu);
    let service = Service::tcp(cluster.cvip(inner), 80);
    service.add(cluster.director(), "rr");
    let server = cluster.server(2, outer, 80);
    service.add_server(cluster.director(), server, "-i", 1);
    forget_paths();

    let sum = Host::Client.sh(&format!(
        "head -c {SIZE} /dev/urandom >/tmp/upload; sha256sum </tmp/upload | cut -d' ' -f1"
    ));
    // Once in a while the client's routes say nothing of it a moment after an upload that went
    // well; why is not known.
    let told = format!("mtu {}", mtu - tunnel);
    let known = (0..3).any(|_| {
        send(cluster, service.address, &sum);
        let path = Host::Client.run(&["ip", "route", "get", &service.address.ip().to_string()]);
        path.contains(&told)
    });
    assert!(known, "the client was not told the path's MTU, {told}");
    forget_paths();
    cluster.set_interconnect_mtu(1500);
}

/// Uploads the file whose checksum is `sum`.
fn send(cluster: &Cluster, to: SocketAddr, sum: &str) {
    let url = format!("http://{to}/files/upload");
    Host::Client.run(&[
        "curl",
        "-sS",
        "--fail",
        "--max-time",
        "20",
        "-T",
        "/tmp/upload",
        &url,
    ]);
    let received = cluster
        .host(2)
        .sh("sha256sum </run/web/files/upload | cut -d' ' -f1");
    assert_eq!(received, sum, "the upload differs");
}

fn forget_paths() {
    Host::Client.sh("ip route flush cache; ip -6 route flush cache");
}
