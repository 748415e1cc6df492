use clap::Args;
use ssi_api::cluster::ClusterRequest;

use super::{number, secret};
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::patience::patiently;

/// Join a cluster by way of one of its nodes
///
/// Returns when this node is UP. The node gets the number that is said, or the lowest that
/// is free, and keeps it. A node that was a member before needs no token: ssi rejoin.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi join 10.77.0.1 ssi1-…             what ssi token said on 10.77.0.1
  ssi join blue1 - <token               not seen in the list of processes
  ssi join '[fd77::1]:7118' - --number 4 <token"))]
pub(crate) struct Options {
    /// Name or address of a node, with :PORT if it isn't the usual one
    host: String,
    /// What ssi token printed there; - reads it from standard input
    token: String,
    /// The number this node wants [default: the lowest that is free]
    #[arg(long, value_name = "N", value_parser = number)]
    number: Option<u16>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let host = options.host.trim().to_owned();
    let token = secret::token(&options.token)?;
    let mut client = common.connect()?;
    let what = format!("ssi join: still waiting for {host}");
    let number = patiently(&what, common, || {
        let request = ClusterRequest::Join {
            host,
            token,
            number: options.number,
        };
        cluster::member(&mut client, request)
    })?;
    let name = cluster::show(&mut client)?.name;
    let text = match common.output {
        Format::Json => output::json(&[("cluster", &name), ("number", &number)]),
        _ => format!(
            "this is node {number} of cluster {}, and UP\n",
            output::plain(&name)
        ),
    };
    Ok(output::print(&text)?)
}
