//! What each verb does.

mod args;
mod console;
mod fault;
mod generate;
mod progress;

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use ssi_testbed::plan::Machine;
use ssi_testbed::state::{self, State, Wish};
use ssi_testbed::{cluster, exec, show, status};

use args::{Args, Booting, Output, Verb};
use progress::Progress;

/// Does what the command line says; its exit status.
///
/// # Errors
/// It could not be done.
pub(crate) fn run() -> Result<ExitCode> {
    let args = Args::parse_from(args::by_name(std::env::args_os()));
    match (args.generate, args.verb) {
        (Some(what), _) => generate::generate(what)?,
        (None, Some(verb)) => return carry_out(verb),
        (None, None) => unreachable!("the grammar wants one of them"),
    }
    Ok(ExitCode::SUCCESS)
}

fn carry_out(verb: Verb) -> Result<ExitCode> {
    let looks = matches!(verb, Verb::Status { .. } | Verb::Logs { .. });
    if !nix::unistd::geteuid().is_root() && !looks {
        bail!("the testbed makes namespaces and loads BPF programs, so it needs root: use sudo");
    }
    match verb {
        Verb::Start { nodes, booting } => start(nodes, &booting)?,
        Verb::Add { nodes } => {
            cluster::heed_interrupts()?;
            let mut progress = Progress::new();
            cluster::add(&nodes, |machine| progress.up(machine))?;
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
        Verb::Fault { fault } => fault::run(fault)?,
        Verb::Show => show::run()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn exit(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

fn start(nodes: u8, booting: &Booting) -> Result<()> {
    cluster::heed_interrupts()?;
    let start = Instant::now();
    let wish = Wish {
        mode: booting.mode.name().to_owned(),
        mtu: booting.mtu_ic,
        director: booting.director,
        daemon: !booting.no_ssid,
        bypass: booting.bypass,
    };
    let mut progress = Progress::new();
    let state = cluster::start(nodes, wish, |machine| progress.up(machine))?;
    drop(progress);
    eprintln!(
        "{} nodes and a client are up after {:.1} s; `ssi-testbed status` shows them",
        state.nodes().count(),
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn print_status(state: &State, output: Output) -> Result<()> {
    let status = status::of(state);
    if output == Output::Json {
        println!("{}", serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    println!("{}", show::nodes_table(state));
    for cvip in &status.cvip {
        match cvip.director {
            0 => println!("cluster address {}, which nobody directs now", cvip.address),
            number => println!(
                "cluster address {}, directed by node {number}",
                cvip.address
            ),
        }
    }
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
