//! `ssi top`: the whole cluster on a screen, again and again.

mod batch;
mod draw;
mod help;
mod look;
mod order;
mod screen;
mod seen;
mod state;
mod text;

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use clap::Args;

use crate::args::Common;
use crate::fail::Fail;
use crate::node::Node;
use crate::output::Format;
use crate::process::user;
use crate::{help as lesson, output};
use look::Looker;

/// The whole cluster, again and again: its nodes, their loads, and all processes
///
/// Keys, as in top: P M T N sort by processor, memory, time, number, R turns that round; /
/// shows only those with a text in their names, n only those of a node, Tab the next node; k
/// signals and r renices whoever is selected; h shows all keys; q quits.
#[derive(Debug, Args)]
#[command(after_long_help = lesson::lesson_with("failed, or (-b) a node did not answer", "\
  ssi top
  ssi top -d 0.5 --node 2,blue3
  ssi top -b -n 2 -d 1 | tail -20         for a script: two looks, a second apart
  ssi top -b -n 1 -o json | jq '.nodes[] | {name, cpu}'"))]
pub(crate) struct Options {
    /// Seconds between two looks
    #[arg(short, long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    delay: Duration,
    /// How many looks; without it, until q (-b: until ^C)
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    iterations: Option<u64>,
    /// Print, one look after the other, for scripts; -o json: an object a line
    #[arg(short, long)]
    batch: bool,
    /// Fetch and show arguments
    #[arg(short = 'c', long)]
    args: bool,
    /// Only processes of this user (effective; name or number)
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    /// Only these nodes: numbers or names, with commas
    #[arg(long = "node", value_name = "NODES", value_delimiter = ',')]
    nodes: Vec<Node>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let user = options.user.as_deref().map(user::uid).transpose()?;
    let looker = Looker::new(common.clone(), options.nodes.clone(), user);
    if options.batch {
        return batch::run(looker, options, common.output);
    }
    if common.output == Format::Json {
        return Err(Fail::Usage("-o json is for -b".to_owned()));
    }
    if !(output::to_terminal() && io::stdin().is_terminal()) {
        let why = "this is no terminal; -b prints one look after the other";
        return Err(Fail::Usage(why.to_owned()));
    }
    screen::run(looker, options)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .filter(|seconds| (0.1..=3_600.0).contains(seconds));
    let seconds = seconds.ok_or("it is not between 0.1 and 3600")?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for nonsense in ["", "0", "-1", "NaN", "inf", "4000", "x"] {
            assert!(seconds(nonsense).is_err(), "{nonsense}");
        }
    }
}
