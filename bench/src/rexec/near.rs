//! The measuring itself, as a process of the node from which commands are run.

use std::collections::VecDeque;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ssi_api::control::{Client, DEFAULT_SOCKET, Reply, Request};
use ssi_api::ics::IcsRequest;

use super::{FAR, Took, WHO, ssh};

/// Commands of each before counting.
const WARM: usize = 5;
/// Calls of which the median is the round trip of a round.
const CALLS: u32 = 100;
/// How long `ssid` may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What sshd lets run at once on a connection (MaxSessions).
const SESSIONS: usize = 10;

/// Measures, and prints what each command took, or all `at_once`. Everybody has a turn after
/// `in_a_row` of one.
pub(crate) fn measure(
    rounds: usize,
    commands: usize,
    in_a_row: usize,
    at_once: usize,
) -> Result<()> {
    // A shell forks, and so copies its memory's tables, whatever it starts; many at once, or
    // one right after the other, are started as quickly as can be.
    let forked = in_a_row == 1 && at_once == 1;
    let own = std::env::current_exe()?;
    // What the name is a link to.
    let onnode = own.with_file_name("ssi-remote");
    let mut each: [Box<dyn FnMut() -> Command>; WHO.len()] = [
        Box::new(|| Command::new("/bin/true")),
        Box::new(move || {
            let mut command = Command::new(&onnode);
            command.arg0("onnode").arg(FAR.to_string()).arg("/bin/true");
            command
        }),
        Box::new(ssh::command),
    ];
    for command in &mut each {
        for _ in 0..WARM {
            run(command, forked, 1, 1)?;
        }
    }
    let mut took = Took::new();
    for round in 0..rounds {
        let mut seen: [Vec<u64>; WHO.len()] = Default::default();
        for row in 0..commands / in_a_row {
            for turn in 0..each.len() {
                // Nobody always comes after the same one.
                let turn = if row % 2 == 0 {
                    turn
                } else {
                    each.len() - 1 - turn
                };
                let which = (turn + round) % each.len();
                let most = if which == 2 { SESSIONS } else { at_once };
                for _ in 0..in_a_row {
                    seen[which].push(run(&mut each[which], forked, at_once, most)?);
                }
            }
        }
        let round_trip = round_trip()?;
        seen[0].iter_mut().for_each(|nanos| *nanos += round_trip);
        took.push(seen);
    }
    println!("{}", serde_json::to_string(&took)?);
    Ok(())
}

/// Nanoseconds until `count` have ended, of which `most` run at a time. `forked`: by fork(2) and
/// execve(2), instead of posix_spawn(3).
fn run(
    command: &mut dyn FnMut() -> Command,
    forked: bool,
    count: usize,
    most: usize,
) -> Result<u64> {
    let mut commands: Vec<Command> = (0..count).map(|_| command()).collect();
    if forked {
        for command in &mut commands {
            // SAFETY: nothing is done; only that there is something to be done makes it a fork.
            unsafe { command.pre_exec(|| Ok(())) };
        }
    }
    let mut running = VecDeque::new();
    let start = Instant::now();
    for command in &mut commands {
        if running.len() == most {
            end(running.pop_front())?;
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let name = command.get_program().display().to_string();
        running.push_back(command.spawn().context(name)?);
    }
    while !running.is_empty() {
        end(running.pop_front())?;
    }
    Ok(u64::try_from(start.elapsed().as_nanos())?)
}

fn end(child: Option<Child>) -> Result<()> {
    let status = child.map(|mut child| child.wait()).transpose()?;
    match status.filter(|status| !status.success()) {
        None => Ok(()),
        Some(status) => bail!("a command failed: {status}"),
    }
}

/// The median of some, nanoseconds: a call of 64 bytes to the other node.
fn round_trip() -> Result<u64> {
    let mut client = Client::connect(DEFAULT_SOCKET.as_ref(), PATIENCE)?;
    let request = IcsRequest::Ping {
        node: FAR,
        count: CALLS,
        bytes: 64,
    };
    let Reply::Ping(ping) = client.request(Request::Ics(request))? else {
        bail!("ssid answers something else to a ping");
    };
    let lane = ping.lanes.first().context("it has lanes")?;
    // It is said in microseconds.
    Ok((lane.round_trips.p50 * 1e3) as u64)
}
