//! What each verb does.

use std::io::{IsTerminal as _, Write as _};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use ssi_testbed::fault::{self, ALL, Fault};
use ssi_testbed::plan::Machine;
use ssi_testbed::state::{self, State, Wish};
use ssi_testbed::{cluster, exec, show, status};

use crate::args::{FaultVerb, Mode, Output, Verb};
use crate::console;

pub(crate) fn run(verb: Verb) -> Result<ExitCode> {
    if !nix::unistd::geteuid().is_root() && !matches!(verb, Verb::Status { .. } | Verb::Logs { .. })
    {
        bail!("the testbed makes namespaces and loads BPF programs, so it needs root: use sudo");
    }
    match verb {
        Verb::Start {
            nodes,
            mode,
            mtu_ic,
            director,
            no_ssid,
        } => {
            let mode = match mode {
                Mode::Auto => "auto",
                Mode::Native => "native",
                Mode::Generic => "generic",
                Mode::Tc => "tc",
            };
            let seed = cluster::seed()?;
            let (mode, mtu) = (mode.to_owned(), mtu_ic);
            start(
                nodes,
                Wish {
                    mode,
                    mtu,
                    director,
                    daemon: !no_ssid,
                    seed,
                },
            )?;
        }
        Verb::Add { nodes } => {
            cluster::heed_interrupts()?;
            let mut progress = Progress::new();
            cluster::add(&nodes, |machine| progress.up(machine))?;
            progress.end();
        }
        Verb::Rm { nodes } => cluster::remove(&nodes)?,
        Verb::Stop => {
            if !cluster::stop()? {
                eprintln!("no cluster was running");
            }
        }
        Verb::Exec { machine, command } => return Ok(exit(exec::run(machine, &command)?)),
        Verb::Console { machine } => return console::open(machine).map(exit),
        Verb::Status { output } => print_status(&state::running()?, output)?,
        Verb::Logs { machine, follow } => return logs(machine, follow),
        Verb::Fault { fault } => run_fault(fault)?,
        Verb::Show => show::run()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn exit(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn start(nodes: u8, wish: Wish) -> Result<()> {
    cluster::heed_interrupts()?;
    let start = Instant::now();
    let mut progress = Progress::new();
    let state = cluster::start(nodes, wish, |machine| progress.up(machine))?;
    progress.end();
    eprintln!(
        "{} nodes and a client are up after {:.1} s; `ssi-testbed status` shows them",
        state.nodes().count(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Says who is up as it happens, on a terminal.
struct Progress {
    terminal: bool,
    first: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            first: true,
        }
    }

    fn up(&mut self, machine: Machine) {
        if !self.terminal {
            return;
        }
        eprint!("{}{machine}", if self.first { "up: " } else { ", " });
        self.first = false;
        let _ = std::io::stderr().flush();
    }

    fn end(&self) {
        if self.terminal && !self.first {
            eprintln!();
        }
    }
}

fn print_status(state: &State, output: Output) -> Result<()> {
    let status = status::of(state);
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    println!("{}", show::nodes_table(state));
    let cvips: Vec<_> = status
        .cvip
        .iter()
        .map(|cvip| cvip.address.to_string())
        .collect();
    println!(
        "cluster address {}, directed by node {}",
        cvips.join(" and "),
        state.wish.director
    );
    let [v4, v6] = status.client.addresses;
    println!("client {v4} {v6}");
    for fault in status.faults {
        println!("fault: {fault}");
    }
    Ok(())
}

fn logs(machine: Option<Machine>, follow: bool) -> Result<ExitCode> {
    let state = state::running()?;
    let machines = machine.map_or_else(|| state.nodes().collect(), |machine| vec![machine]);
    let mut tail = Command::new("tail");
    tail.args(["-n", "200"]);
    if follow {
        tail.arg("-F");
    }
    tail.args(machines.into_iter().map(state::log));
    let status = tail.status().context("cannot run tail")?;
    Ok(exit(status.code().unwrap_or(0)))
}

fn run_fault(verb: FaultVerb) -> Result<()> {
    let _lock = state::lock()?;
    let mut state = state::running()?;
    let faults = match verb {
        FaultVerb::Loss {
            between,
            percent,
            on,
        } => {
            if !(0.0..=100.0).contains(&percent) {
                bail!("{percent} is no percentage: say 0 to 100");
            }
            let lost = (percent * f64::from(ALL) / 100.0).round() as u32;
            loss(&between)?
                .into_iter()
                .map(|(from, to)| Fault {
                    from,
                    to,
                    lost,
                    on: on.on,
                })
                .collect()
        }
        FaultVerb::Partition {
            one,
            other,
            one_way,
            on,
        } => cut(hosts(&one)?, hosts(&other)?, one_way, on.on),
        FaultVerb::Cut {
            one,
            other,
            one_way,
            on,
        } => cut(vec![one.host()], vec![other.host()], one_way, on.on),
        FaultVerb::Delay {
            machine,
            milliseconds,
            on,
        } => {
            return fault::delay(machine, milliseconds, on.on);
        }
        FaultVerb::Pause { machine } => return fault::pause(&state, machine, true),
        FaultVerb::Resume { machine } => return fault::pause(&state, machine, false),
        FaultVerb::Kill { machine, process } => {
            let killed = fault::kill_named(&state, machine, &process)?;
            eprintln!("killed {killed}");
            return Ok(());
        }
        FaultVerb::Heal => return fault::heal(&mut state),
        FaultVerb::List => {
            for fault in &state.faults {
                println!("{fault}");
            }
            return Ok(());
        }
    };
    fault::add(&mut state, faults)
}

/// `2` is both ways of node 2; `1:2` from node 1 to node 2.
fn loss(between: &str) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    if let Some((from, to)) = between.split_once(':') {
        return Ok(vec![(hosts(from)?, hosts(to)?)]);
    }
    let node = hosts(between)?;
    Ok(vec![(node.clone(), Vec::new()), (Vec::new(), node)])
}

fn cut(one: Vec<u8>, other: Vec<u8>, one_way: bool, on: fault::On) -> Vec<Fault> {
    let mut faults = vec![Fault {
        from: one.clone(),
        to: other.clone(),
        lost: ALL,
        on,
    }];
    if !one_way {
        faults.push(Fault {
            from: other,
            to: one,
            lost: ALL,
            on,
        });
    }
    faults
}

fn hosts(list: &str) -> Result<Vec<u8>> {
    list.split(',')
        .map(|word| Ok(word.trim().parse::<Machine>()?.host()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_faults() {
        assert_eq!(loss("1:2,3").unwrap(), [(vec![1], vec![2, 3])]);
        assert_eq!(loss("2").unwrap().len(), 2);
        for wrong in ["", "1:", ":2", "1,x", "99", "1:2:3"] {
            assert!(loss(wrong).is_err(), "{wrong}");
        }
        assert_eq!(cut(vec![1], vec![2], true, fault::On::Ic).len(), 1);
        assert_eq!(cut(vec![1], vec![2], false, fault::On::Ic).len(), 2);
    }
}
