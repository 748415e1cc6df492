//! The other end: serves everybody who is measured, until its input ends.

use std::io::{Read as _, Write as _};
use std::thread;

use anyhow::{Context, Result};

use super::pair::{self, Cpu, FAR, Settings};
use super::peers::{ours, quinn, raw, tarpc, tonic};

/// Runs in a process of its own.
pub(crate) fn serve() -> Result<()> {
    pair::leave()?;
    pair::take_cpu(Cpu::First)?;
    say("here")?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let settings: Settings = serde_json::from_str(&line).context("the settings")?;
    pair::plug("far", FAR)?;
    raw::serve()?;
    let ends: [fn(&Settings) -> Result<()>; 4] = [
        |_| tonic::serve(),
        |_| tarpc::serve(),
        quinn::serve,
        ours::serve,
    ];
    let settings = &settings;
    thread::scope(|scope| {
        for end in ends {
            scope.spawn(move || {
                // Whoever serves goes on until the process ends.
                if let Err(error) = end(settings) {
                    eprintln!("ssi-bench: the other end: {error:#}");
                    std::process::exit(1);
                }
            });
        }
        say("ready")?;
        std::io::stdin().read_to_end(&mut Vec::new())?;
        std::process::exit(0)
    })
}

fn say(what: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{what}")?;
    Ok(out.flush()?)
}
