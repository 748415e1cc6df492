//! `ssi service events`.

use clap::Args;
use ssi_api::control::Reply;
use ssi_api::service::{ServiceEvent, ServiceRequest};

use super::{ask, instance, silent};
use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::units::Clock;

/// The last changes of state on all nodes, oldest first
///
/// Each node remembers its last 500, also when its ssid is started again; the journal has them
/// all. Times are those of the nodes' own clocks.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("failed, or a node did not answer", "\
  ssi service events
  ssi service events web"))]
pub(super) struct Options {
    /// Processes; none: all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

pub(super) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let names = options.names.clone();
    let (events, missing) = match ask(&mut client, ServiceRequest::Events { names })? {
        Reply::ServiceEvents { events, missing } => (events, missing),
        other => return Err(client.unexpected(&other).into()),
    };
    let text = match common.output {
        Format::Json => output::json(&[("events", &events), ("missing", &missing)]),
        _ => table(&events, &Clock::system()),
    };
    output::print(&text)?;
    silent(&missing);
    if missing.is_empty() {
        Ok(())
    } else {
        Err(Fail::No)
    }
}

fn table(events: &[ServiceEvent], clock: &Clock) -> String {
    let row = |event: &ServiceEvent| {
        let milliseconds = event.at % 1000;
        [
            format!("{}.{milliseconds:03}", clock.date(event.at / 1000)),
            event.node.to_string(),
            instance::called(&event.name, event.instance),
            event.from.clone(),
            event.to.clone(),
            event.why.clone(),
        ]
    };
    output::table(
        ["TIME", "NODE", "NAME", "FROM", "TO", "WHY"],
        events.iter().map(row).collect(),
    )
}
