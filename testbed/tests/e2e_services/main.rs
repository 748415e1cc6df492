//! Real services behind the cluster's one address, kept alive while real clients work: killed,
//! drained, and on nodes that lose their power.

#[path = "../common/mod.rs"]
mod common;
mod leave;
mod postgres;
mod redis;
mod stage;
mod web;

use std::process::ExitCode;

use common::main as run;

fn main() -> ExitCode {
    stage::forget();
    let ended = run(
        3,
        &[
            (
                "nginx on each node: in the balancing while it is ready, also when it is drained",
                web::each,
            ),
            (
                "two nginx in one virtual service: one is stopped, one is removed",
                web::stop,
            ),
            (
                "nginx that may overlap: ready on another node before it ends",
                web::overlap,
            ),
            (
                "nginx by NAT, in a service of the operator's: what supervision put in goes",
                web::by_hand,
            ),
            (
                "redis: killed, drained, without power; nothing that was answered is lost",
                redis::moves,
            ),
            (
                "PostgreSQL: killed, drained, without power; what was committed is there",
                postgres::moves,
            ),
            (
                "a node that leaves gives away what it has first, and gets it back",
                leave::leaves,
            ),
        ],
    );
    stage::forget();
    ended
}
