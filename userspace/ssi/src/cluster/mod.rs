//! `ssi cluster`: the view, and what keeps it from going on.

mod changes;
mod detail;
mod heading;
mod request;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod wide;
mod worries;

use std::time::Duration;

use clap::Args;
pub(crate) use detail::detail;
pub(crate) use request::{done, history, member, show};
use ssi_api::cluster::{ClusterView, Event};
use ssi_api::control::Client;

use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};
use crate::units::Clock;
use crate::watch::{self, Frame};

/// The nodes and their states, the master, the voters, and what is waited for
///
/// What keeps the cluster from going on is said first: a node without a lease, a node
/// whose ssid is stalled, what the next change of the view waits for. A line that begins
/// with ! wants your attention.
///
/// States: NEVERUP, COMINGUP, UP, SHUTDOWN, GOINGDOWN, KCLEANUP (kernels shut it out),
/// UCLEANUP (subsystems clean up after it), DOWN.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi cluster                what is there, and what is wrong
  ssi cluster -v             also kernels, memory, lives, owners, the last transitions
  ssi cluster -V blue2       everything about one node, one `key: value` a line
  ssi cluster -w             again and again; in a pipe, a line for each change
  ssi cluster -o json | jq -r '.cluster.nodes[] | select(.state == \"UP\").name'"))]
pub(crate) struct Options {
    /// More columns, the owners of resources, the last transitions (also: -o wide)
    #[arg(short, long)]
    verbose: bool,
    /// Only this node, one `key: value` a line
    #[arg(short = 'V', value_name = "NODE", conflicts_with_all = ["verbose", "watch"])]
    node: Option<Node>,
    /// Watch: redraw on a terminal, else print what changes; Ctrl-C ends it
    #[arg(short, long)]
    watch: bool,
    /// How often to look while watching
    #[arg(long, value_name = "SECONDS", default_value_t = 1, requires = "watch",
          value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
}

/// What was seen at one time.
struct Seen {
    view: ClusterView,
    events: Vec<Event>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    if options.watch {
        return watch(options, common);
    }
    let mut client = common.connect()?;
    let view = show(&mut client)?;
    if let Some(node) = &options.node {
        let detail = detail(&view, node.find(&view)?);
        return Ok(output::print(&detail.print(common.output))?);
    }
    let wide = options.verbose || common.output == Format::Wide;
    let events = if wide {
        history(&mut client)?
    } else {
        Vec::new()
    };
    let seen = Seen { view, events };
    let text = match common.output {
        Format::Json if wide => output::json(&[("cluster", &seen.view), ("history", &seen.events)]),
        Format::Json => output::json(&[("cluster", &seen.view)]),
        _ => text(&seen, wide, &Clock::system(), output::colour()),
    };
    Ok(output::print(&text)?)
}

/// The whole page.
fn text(seen: &Seen, wide: bool, clock: &Clock, colour: bool) -> String {
    let Seen { view, events } = seen;
    let mut text = worries::text(view, clock, colour);
    text.push_str(&heading::heading(view));
    text.push('\n');
    if wide {
        text.push_str(&wide::nodes(view, clock));
        text.push_str(&wide::resources(view));
        text.push_str(&wide::transitions(view, events, clock));
    } else {
        text.push_str(&table::nodes(view, clock));
    }
    text
}

fn watch(options: &Options, common: &Common) -> Result<(), Fail> {
    let wide = options.verbose || common.output == Format::Wide;
    let redraw = output::to_terminal() && common.output != Format::Json;
    let mut client: Option<Client> = None;
    let mut before: Option<Seen> = None;
    watch::watch(Duration::from_secs(options.every), redraw, || {
        let now = look(&mut client, common)?;
        let clock = Clock::system();
        let text = match (&before, common.output) {
            (Some(before), Format::Json) if before.view == now.view => String::new(),
            (_, Format::Json) => output::json_line(&[("cluster", &now.view)]),
            _ if redraw => text(&now, wide, &clock, output::colour()),
            (None, _) => text(&now, wide, &clock, false),
            (Some(before), _) => changes::lines(before, &now, &clock),
        };
        before = Some(now);
        Ok(Frame(text))
    })
}

/// Looks, over the connection that there is or a new one.
fn look(client: &mut Option<Client>, common: &Common) -> Result<Seen, Fail> {
    let mut connected = match client.take() {
        Some(client) => client,
        None => common.connect()?,
    };
    let view = show(&mut connected)?;
    let events = history(&mut connected)?;
    *client = Some(connected);
    Ok(Seen { view, events })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_page() {
        let seen = Seen {
            view: testing::view(),
            events: testing::history(),
        };
        let clock = Clock::utc(testing::NOW);
        assert_eq!(
            text(&seen, false, &clock, false),
            "\
! node 3 blue3: its ssid has said nothing for 12 s, though its kernel answers; look there: systemctl status ssid

cluster    blue, epoch 12, 3 of 4 nodes UP
master     1 blue1
voters     1 blue1, 2 blue2, the witness at 10.9.9.9:7118
this node  2 blue2, UP

 NODE  NAME     STATE  SINCE      ADDRESS            ROLES
 1     blue1    UP     2 h 0 min  10.77.0.1 fd77::1  master, voter
 2     blue2    UP     1 h 0 min  10.77.0.2 fd77::2  voter, this node
 3     blue3    UP     -          10.77.0.3 fd77::3  -
 4     blue4    DOWN   40 s       10.77.0.4 fd77::4  -
 -     witness  -      -          10.9.9.9:7118      witness
"
        );
    }
}
