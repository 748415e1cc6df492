//! `ssi service`: what is kept alive, on all nodes.

mod apply;
mod events;
mod instance;
mod list;
mod logs;
mod restart;
mod show;
mod verbs;

use clap::{Args, Subcommand};
use ssi_api::control::{Client, ClientError, Reply, Request};
use ssi_api::process::Missing;
use ssi_api::service::{ServiceOutcome, ServiceRequest, ServicesView};

pub(crate) use self::apply::{Putting, put};
pub(crate) use self::instance::{called, name};
pub(crate) use self::verbs::told;
use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output;

/// Keep processes alive, on one node or another
///
/// What is to be kept alive is said in files (docs/keepalive.md), and agreed by all nodes:
/// any node may be asked. A process runs where it is favoured, is restarted when it fails, and
/// is started on another node when its node dies.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("failed; nothing was changed, or the nodes that are named did not do their part", "\
  ssi service apply web.toml             keep alive what a file says
  ssi service list                       what runs where, and why not
  ssi service show web                   everything about one
  ssi service restart web
  ssi service logs -f web
  ssi -o json service list | jq '.services[] | {name, node, state}'"))]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Cmd,
}

#[derive(Debug, Subcommand)]
enum Cmd {
    Apply(apply::Options),
    List(list::Options),
    Show(show::Options),
    Start(verbs::Start),
    Stop(verbs::Stop),
    Restart(restart::Options),
    Clear(verbs::Clear),
    Adopt(verbs::Adopt),
    Remove(verbs::Remove),
    Logs(logs::Options),
    Events(events::Options),
    Quiesce(verbs::Quiesce),
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    match &options.command {
        Cmd::Apply(options) => apply::run(options, common),
        Cmd::List(options) => list::run(options, common),
        Cmd::Show(options) => show::run(options, common),
        Cmd::Start(options) => options.run(common),
        Cmd::Stop(options) => options.run(common),
        Cmd::Restart(options) => restart::run(options, common),
        Cmd::Clear(options) => options.run(common),
        Cmd::Adopt(options) => options.run(common),
        Cmd::Remove(options) => options.run(common),
        Cmd::Logs(options) => logs::run(options, common),
        Cmd::Events(options) => events::run(options, common),
        Cmd::Quiesce(options) => options.run(common),
    }
}

/// How everything is, or these processes and groups.
pub(crate) fn fetch(client: &mut Client, names: &[String]) -> Result<ServicesView, Fail> {
    let names = names.to_vec();
    match ask(client, ServiceRequest::List { names })? {
        Reply::Supervised(view) => Ok(*view),
        other => Err(client.unexpected(&other).into()),
    }
}

pub(crate) fn ask(client: &mut Client, request: ServiceRequest) -> Result<Reply, Fail> {
    match client.request(Request::Service(request)) {
        Ok(reply) => Ok(reply),
        // Several mistakes, a line each.
        Err(ClientError::Failed(failure)) if failure.message.contains('\n') => {
            for line in failure.message.lines() {
                eprintln!("{}", output::plain(line));
            }
            Err(Fail::No)
        }
        Err(error) => Err(error.into()),
    }
}

/// Has something done; what became of it.
pub(crate) fn change(client: &mut Client, request: ServiceRequest) -> Result<ServiceOutcome, Fail> {
    match ask(client, request)? {
        Reply::ServiceOutcome(outcome) => Ok(outcome),
        other => Err(client.unexpected(&other).into()),
    }
}

/// Names the nodes that said nothing.
fn silent(missing: &[Missing]) {
    for node in missing {
        let line = format!("node {} {} {}", node.number, node.name, node.why);
        eprintln!("{}", output::plain(&line));
    }
}
