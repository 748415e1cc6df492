//! Commands of one node on another: as if they ran here.

mod common;
#[path = "remote/deaths.rs"]
mod deaths;
#[path = "remote/many.rs"]
mod many;
#[path = "remote/places.rs"]
mod places;
#[path = "remote/streams.rs"]
mod streams;
#[path = "remote/terminals.rs"]
mod terminals;
#[path = "remote/users.rs"]
mod users;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use common::host::Host;
use common::main as run;

fn main() -> ExitCode {
    run(
        3,
        &[
            (
                "exit statuses and signals are the command's",
                streams::statuses,
            ),
            ("streams are apart, binary, and end", streams::streams),
            ("100 MB there and back, with a checksum", streams::bulk),
            (
                "what cannot be run is named, by the statuses of env",
                streams::refused,
            ),
            (
                "a shell in a terminal: resize, ^C, ^Z, bg, fg, jobs",
                terminals::shell,
            ),
            ("stops are the local job's", terminals::jobs),
            (
                "in the background, who reads the terminal without having one is stopped",
                terminals::background,
            ),
            (
                "onnode 2 vi, killed from node 3: the shell has its terminal back",
                terminals::vi,
            ),
            ("the terminal is closed: nothing goes on", terminals::hangup),
            ("onall, onclass, fast", places::places),
            ("what a command has of its caller", places::context),
            ("detached, it lives on", deaths::detached),
            ("500 commands at once", many::many),
            ("users are themselves, and no more", users::users),
            ("what comes from elsewhere is turned away", users::strangers),
            ("the caller killed: the command gets SIGHUP", deaths::caller),
            (
                "a session killed: the command gets SIGHUP, the caller 255",
                deaths::session,
            ),
            (
                "both ssids killed in the middle: the transfer goes on",
                deaths::daemons,
            ),
            ("the command's node crashes: 255 at once", deaths::node),
            ("nothing is left", deaths::nothing_left),
        ],
    )
}

/// Waits until a line of shell succeeds on a host.
#[track_caller]
fn until(host: Host, script: &str) {
    let end = Instant::now() + Duration::from_secs(10);
    while !host.output(&["sh", "-c", script]).status.success() {
        assert!(Instant::now() < end, "on {host}, never: {script}");
        thread::sleep(Duration::from_millis(20));
    }
}
