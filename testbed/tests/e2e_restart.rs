//! The data path outlives the daemon.

mod common;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use common::cluster::Family::V4;
use common::load::{Load, burst};
use common::lvs::Service;
use common::{Cluster, main as run, web};

/// Bytes of the download.
const SIZE: usize = 200 << 20;

fn main() -> ExitCode {
    run(
        3,
        &[
            (
                "a 200 MB download survives kill -9 and restart of the director's ssid",
                |c| {
                    download(c, "-g");
                },
            ),
            ("the same through a tunnel", |c| download(c, "-i")),
            ("connections survive a restart", connections),
            ("services survive a restart", services),
            ("unloading leaves nothing", unload),
        ],
    )
}

/// One service over the other two nodes, so that every packet needs the director.
fn service(cluster: &Cluster, scheduler: &str, method: &str) -> Service {
    web::start(cluster);
    let director = cluster.director();
    let service = Service::tcp(cluster.cvip(V4), 80);
    service.add(director, scheduler);
    for node in cluster
        .nodes()
        .filter(|node| *node != cluster.director_number())
    {
        service.add_server(director, cluster.server(node, V4, 80), method, 1);
    }
    service
}

fn download(cluster: &Cluster, method: &str) {
    let service = service(cluster, "rr", method);
    let sum = web::publish(cluster, "big", SIZE);
    // The server takes four seconds for it.
    let download = web::Download::start(service.address, "big", &sum);
    thread::sleep(Duration::from_secs(1));
    cluster.kill_daemon(cluster.director_number());
    thread::sleep(Duration::from_secs(1));
    cluster.wait_for_daemon(cluster.director_number());
    download.finish();
}

fn connections(cluster: &Cluster) {
    let service = service(cluster, "wlc", "-g");
    let held = Load::held(
        cluster.client(),
        service.address,
        50,
        Duration::from_millis(20),
    );
    let short = Load::short(cluster.client(), service.address, 2);
    for _ in 0..3 {
        thread::sleep(Duration::from_millis(500));
        cluster.kill_daemon(cluster.director_number());
        thread::sleep(Duration::from_millis(500));
        cluster.wait_for_daemon(cluster.director_number());
    }
    held.stop().assert_flawless();
    short.stop().assert_flawless();
}

fn services(cluster: &Cluster) {
    let service = service(cluster, "wrr", "-g");
    let before = cluster.director().run(&["ssi", "lvs", "-S", "-n"]);
    cluster.kill_daemon(cluster.director_number());
    cluster.wait_for_daemon(cluster.director_number());
    assert_eq!(cluster.director().run(&["ssi", "lvs", "-S", "-n"]), before);
    burst(cluster.client(), service.address, 20).assert_flawless();
}

fn unload(cluster: &Cluster) {
    let service = service(cluster, "rr", "-g");
    burst(cluster.client(), service.address, 4).assert_flawless();
    let director = cluster.director_number();
    // It ends with status 0, so the node's init leaves it at that.
    let left = cluster.host(director).sh(&format!(
        "pkill -TERM -x ssid
         while pgrep -x ssid >/dev/null; do sleep 0.01; done
         ssid --unload >&2
         find /sys/fs/bpf -mindepth 1 | grep ssi || true
         bpftool net show | grep ssi_ || true
         ip -o address show to {}",
        service.address.ip()
    ));
    assert_eq!(left, "", "left in the kernel");
    cluster.start_daemon(director);
}
