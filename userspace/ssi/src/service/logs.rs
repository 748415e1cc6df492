//! `ssi service logs`.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use clap::Args;
use ssi_api::control::{Client, Reply};
use ssi_api::service::{LogsView, ServiceRequest};

use super::instance::Instance;
use super::{ask, silent};
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};

/// How often it is looked whether there is more.
const LOOK: Duration = Duration::from_millis(250);

/// What a process has written, wherever it runs
///
/// With -f it goes on, also when the process goes on on another node: a line says so. Lines of
/// before are in the files web.log.1, … on its node.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi service logs web
  ssi service logs -n 100 web:1
  ssi service logs -f web"))]
pub(super) struct Options {
    /// One of its instances: web:1; web alone is web:0
    #[arg(value_name = "NAME")]
    instance: Instance,
    /// So many of the last lines
    #[arg(
        short = 'n',
        long,
        value_name = "COUNT",
        default_value_t = 20,
        allow_hyphen_values = false
    )]
    lines: u32,
    /// Follow: go on with what is written from now on; Ctrl-C ends it
    #[arg(short, long)]
    follow: bool,
    /// Only what was written on this node
    #[arg(long, value_name = "NODE")]
    node: Option<Node>,
}

pub(super) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let node = match &options.node {
        None => None,
        Some(node) => Some(node.find(&cluster::show(&mut client)?)?.number),
    };
    let mut logs = fetch(&mut client, options, node, &BTreeMap::new())?;
    let mut from = None;
    if !print(&logs, &mut from, common)? {
        return Ok(());
    }
    silent(&logs.missing);
    if !options.follow {
        return Ok(());
    }
    let mut named: BTreeSet<u16> = logs.missing.iter().map(|node| node.number).collect();
    let mut connected = Some(client);
    loop {
        thread::sleep(LOOK);
        let mut client = match connected.take() {
            Some(client) => client,
            // It may be restarted.
            None => match common.connect() {
                Ok(client) => client,
                Err(_) => continue,
            },
        };
        match fetch(&mut client, options, node, &logs.next) {
            Ok(more) => logs = more,
            Err(_) => continue,
        }
        connected = Some(client);
        let news = logs.missing.iter().filter(|node| named.insert(node.number));
        silent(&news.cloned().collect::<Vec<_>>());
        named.retain(|number| logs.missing.iter().any(|node| node.number == *number));
        if !print(&logs, &mut from, common)? {
            return Ok(());
        }
    }
}

fn fetch(
    client: &mut Client,
    options: &Options,
    node: Option<u16>,
    after: &BTreeMap<u16, u64>,
) -> Result<LogsView, Fail> {
    let request = ServiceRequest::Logs {
        name: options.instance.name.clone(),
        instance: options.instance.number,
        node,
        lines: options.lines,
        after: after.clone(),
    };
    match ask(client, request)? {
        Reply::Logs(logs) => Ok(logs),
        other => Err(client.unexpected(&other).into()),
    }
}

/// Prints; whether there still is a reader.
fn print(logs: &LogsView, from: &mut Option<u16>, common: &Common) -> Result<bool, Fail> {
    if common.output == Format::Json {
        let each = logs.chunks.iter();
        let text: String = each
            .map(|chunk| output::json_line(&[("node", &chunk.node), ("text", &chunk.text)]))
            .collect();
        return Ok(output::send(&text)?);
    }
    for chunk in &logs.chunks {
        // Whose lines the first ones are is clear.
        if from
            .replace(chunk.node)
            .is_some_and(|before| before != chunk.node)
        {
            eprintln!("==> node {} <==", chunk.node);
        }
        if !output::send(&chunk.text)? {
            return Ok(false);
        }
    }
    Ok(true)
}
