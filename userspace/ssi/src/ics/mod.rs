//! `ssi ics` and `ssi ping`: how nodes talk with each other.

mod heading;
mod lanes;
mod peers;
pub(crate) mod ping;
#[cfg(test)]
mod testing;
mod traffic;

use std::time::{Duration, Instant};

use clap::Args;
use ssi_api::control::{Client, Reply, Request};
use ssi_api::ics::{IcsRequest, IcsView};
use traffic::Rates;

use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::watch::{self, Frame};

/// Talk between nodes: peers and lanes, traffic, queues, credits, round trips, refusals
///
/// A node talks with each other node over seven lanes: four priorities, two for replies,
/// one for bulk data. The round trips in a peer's line are those of its lane with the most
/// calls. All counts are since ssid started there, but for the kernel's.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi ics                        a line a peer
  ssi ics -v                     a line a lane (also: -o wide)
  ssi ics -w --every 5           traffic a second, every 5 seconds
  ssi ics -o json | jq '.ics.peers[] | {node, refused}'"))]
pub(crate) struct Options {
    /// Lanes, and what the kernel let in (also: -o wide)
    #[arg(short, long)]
    verbose: bool,
    /// Watch: again and again, with traffic a second; Ctrl-C ends it
    #[arg(short, long)]
    watch: bool,
    /// How often to look while watching
    #[arg(long, value_name = "SECONDS", default_value_t = 1, requires = "watch",
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    if options.watch {
        return watch(options, common);
    }
    let view = show(&mut common.connect()?)?;
    let text = match common.output {
        Format::Json => output::json(&[("ics", &view)]),
        _ => text(&view, None, wide(options, common)),
    };
    Ok(output::print(&text)?)
}

fn wide(options: &Options, common: &Common) -> bool {
    options.verbose || common.output == Format::Wide
}

fn show(client: &mut Client) -> Result<IcsView, Fail> {
    match client.request(Request::Ics(IcsRequest::Show))? {
        Reply::Ics(view) => Ok(*view),
        other => Err(client.unexpected(&other).into()),
    }
}

/// The whole page; with `rates`, traffic is that of a second.
fn text(view: &IcsView, rates: Option<&Rates>, wide: bool) -> String {
    let mut text = heading::heading(view, wide);
    text.push('\n');
    text.push_str(&if wide {
        lanes::lanes(view, rates)
    } else {
        peers::peers(view, rates)
    });
    text
}

fn watch(options: &Options, common: &Common) -> Result<(), Fail> {
    let wide = wide(options, common);
    let redraw = output::to_terminal() && common.output != Format::Json;
    let mut client: Option<Client> = None;
    let mut before: Option<(Instant, IcsView)> = None;
    watch::watch(Duration::from_secs(options.every), redraw, || {
        let mut connected = match client.take() {
            Some(client) => client,
            None => common.connect()?,
        };
        let now = show(&mut connected)?;
        client = Some(connected);
        let at = Instant::now();
        let rates = before
            .as_ref()
            .map(|(then, before)| Rates::between(before, &now, at - *then));
        let text = match common.output {
            Format::Json => output::json_line(&[("ics", &now)]),
            _ if redraw => text(&now, rates.as_ref(), wide),
            _ => format!("{}\n", text(&now, rates.as_ref(), wide)),
        };
        before = Some((at, now));
        Ok(Frame(text))
    })
}

/// What was counted, by reason; `-` if nothing was.
fn reasons<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let counted: Vec<_> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    if counted.is_empty() {
        return "-".to_owned();
    }
    counted.join(", ")
}
