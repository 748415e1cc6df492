//! `ssid`: the node daemon. Owns the loader, wires the subsystems, nothing more.

mod args;
mod cluster;
mod config;
mod control;
mod cvip;
mod daemon;
mod data_path;
mod generate;
mod keepalive;
mod lock;
mod log;
mod memory;
mod nodes;
mod notify;
mod processes;
mod random;
mod seed;
mod state;
mod status;
mod unload;
mod why;
mod witness;

use std::process::ExitCode;

use anyhow::{Context, Result};
use args::Args;
use clap::Parser;
use why::why;

fn main() -> ExitCode {
    memory::share();
    if let Some(ended) = ssi_keeper::serve_if_asked() {
        return ended;
    }
    if let Some(ended) = ssi_tree::serve_if_asked() {
        return ended;
    }
    if let Some(ended) = keepalive::guard_if_asked() {
        return ended;
    }
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("ssid: {}", why(&e));
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if let Some(what) = args.generate {
        return generate::generate(what);
    }
    if args.print_default_config {
        print!("{}", config::DEFAULT_TEXT);
        return Ok(());
    }
    if args.witness {
        return runtime()?.block_on(witness::run(&args.witnessing));
    }
    let config = config::load(args.config.as_deref())?;
    if args.check {
        println!("the configuration is fine");
        return Ok(());
    }
    let runtime = runtime()?;
    if args.doctor {
        let features = data_path::doctor();
        println!("{}", serde_json::to_string(&features)?);
        return Ok(());
    }
    if args.unload {
        return runtime.block_on(unload::unload(&config));
    }
    let result = runtime.block_on(daemon::run(args.config.as_deref(), config));
    // A request that is still being worked on must not hold up the exit.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

/// One thread is enough for what comes in; the map work of a request goes to another.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()
        .context("cannot start the runtime")
}
