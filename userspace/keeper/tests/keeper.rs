//! Daemons that are killed while others connect. This executable is the test, the daemon
//! and the keeper.
#![expect(
    unreachable_pub,
    reason = "a test has no API; `pub` marks what a module offers the others"
)]

#[path = "keeper/daemon.rs"]
mod daemon;
#[path = "keeper/manager.rs"]
mod manager;
#[path = "keeper/process.rs"]
mod process;
#[path = "keeper/restart.rs"]
mod restart;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if let Some(code) = ssi_keeper::serve_if_asked() {
        return code;
    }
    if let Some(code) = daemon::run_if_asked() {
        return code;
    }
    let trial = |name, test: fn()| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let trials = vec![
        trial(
            "no_connection_is_refused",
            restart::no_connection_is_refused,
        ),
        trial("who_waits_is_served", restart::who_waits_is_served),
        trial(
            "another_count_is_bound_anew",
            restart::another_count_is_bound_anew,
        ),
        trial(
            "a_killed_keeper_is_replaced",
            process::a_killed_keeper_is_replaced,
        ),
        trial("it_is_small_and_alone", process::it_is_small_and_alone),
        trial("it_ends_when_it_is_told", process::it_ends_when_it_is_told),
        trial(
            "the_managers_store_is_used",
            manager::the_managers_store_is_used,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
