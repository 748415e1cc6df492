//! `spawndaemon`: the original's way to say what is kept alive.

use std::ffi::OsString;
use std::path::PathBuf;

use ssi_api::control::Client;
use ssi_api::service::{InstanceView, ServiceRequest};
use ssi_keepalive::config::spawndaemon::{Form, Order, Part, Which, parse};

use crate::args::{self, Common};
use crate::fail::Fail;
use crate::output;
use crate::service::{self, Putting};

/// What `spawndaemon --help` prints.
pub(crate) const HELP: &str = "\
spawndaemon: what is kept alive, as the original had it said

  spawndaemon [OPTIONS] -r FILE            keep alive what FILE says, and start it
  spawndaemon [OPTIONS] -R FILE PID        keep a process alive that runs already, here
  spawndaemon [-k] -x {-D PATH|-P PID|-S SLOT}
                                           forget its errors and start it again
  spawndaemon [-k] {[-a] -d PATH [ARG…]|-p PID|-g GROUP|-s SLOT}
                                           keep it alive no longer; -k ends it, too
  spawndaemon -L [-v human|machine [processes|keepalive]]
                                           list
  spawndaemon -X                           forget all errors, start what is down
  spawndaemon -q                           start nothing until further notice
                                           (ssi service quiesce --undo goes on)
  spawndaemon [-k] -Q                      keep nothing alive any more; -k ends all
  spawndaemon -z COUNT                     there is no limit: says so

Options of -r and -R, which go before what FILE says:
  -F NODE -B NODE…   the favoured node, and backups in their order
  -U                 any node
  -Z CHOICE          when it has to be another: last_node, round_robin, F_node, least_loaded
  -i 1,2             on each of these nodes; with -Z or -c reject= it may move between them
  -i cluster_wide    anywhere, also if FILE says each node
  -n TIMES           so many instances: in the cluster, or on each node of -i
  -c down=CODE       this exit code means: don't restart me; -c reject=CODE: not on this node
  -a -o              are read, and do nothing: what FILE says has a name that tells it from others

FILE is written as `ssi service apply` has it. A pid is one of this node. Who is named by a pid or
a slot is meant with all its instances.

Examples:
  spawndaemon -F 1 -B 2 -B 3 -r web.toml
  ssi spawndaemon -L

Exit status: 0 done, 1 failed, 2 the command line makes no sense, 3 ssid cannot be reached.
";

/// Carries a command line out.
pub(crate) fn run(args: &[OsString], common: &Common) -> Result<(), Fail> {
    let words = args::words(args)?;
    if words.is_empty() || words.contains(&"--help") || words == ["-h"] {
        return Ok(output::print(HELP)?);
    }
    let order = parse(&words).map_err(|error| Fail::Usage(error.to_string()))?;
    let mut client = common.connect()?;
    let options = order.to_args();
    match order {
        Order::Register { file, .. } => {
            let names = register(&mut client, file, options, false)?;
            Ok(output::print(&format!(
                "registered: {}\n",
                names.join(", ")
            ))?)
        }
        Order::Adopt { file, pid, .. } => {
            let names = register(&mut client, file, options, true)?;
            let [name] = &names[..] else {
                let why = "the file says more than one process, and one is to be adopted";
                return Err(Fail::Failed(why.to_owned()));
            };
            let request = ServiceRequest::Adopt {
                name: name.clone(),
                instance: 0,
                node: None,
                pid,
            };
            service::told(&mut client, request, "adopted", common)
        }
        Order::Clear { which, kill } => {
            let names = found(&mut client, &which)?;
            let request = if kill {
                ServiceRequest::Restart {
                    names: names.clone(),
                    node: None,
                }
            } else {
                ServiceRequest::Clear {
                    names: names.clone(),
                }
            };
            if kill {
                service::change(&mut client, ServiceRequest::Clear { names })?;
            }
            service::told(&mut client, request, "cleared", common)
        }
        Order::Remove { which, kill } => {
            let names = found(&mut client, &which)?;
            let keep = !kill;
            let request = ServiceRequest::Remove { names, keep };
            service::told(&mut client, request, "removed", common)
        }
        Order::ClearAll => {
            let names = everything(&mut client)?;
            service::told(
                &mut client,
                ServiceRequest::Clear { names },
                "cleared",
                common,
            )
        }
        Order::Quiesce => {
            let undo = false;
            let request = ServiceRequest::Quiesce { undo };
            service::told(&mut client, request, "quiesced", common)
        }
        Order::Quit { kill } => {
            let names = everything(&mut client)?;
            if names.is_empty() {
                return Ok(());
            }
            let keep = !kill;
            let request = ServiceRequest::Remove { names, keep };
            service::told(&mut client, request, "removed", common)
        }
        Order::List { form, part } => list(&mut client, form, part),
        Order::Size(_) => Ok(output::print(
            "there is no table that could become full: as many processes as there is memory for\n",
        )?),
    }
}

fn register(
    client: &mut Client,
    file: PathBuf,
    options: Vec<String>,
    stopped: bool,
) -> Result<Vec<String>, Fail> {
    let putting = Putting {
        options,
        stopped,
        ..Putting::default()
    };
    service::put(client, &[file], putting)
}

/// Everything that is kept alive: groups, and processes that are in none.
fn everything(client: &mut Client) -> Result<Vec<String>, Fail> {
    let view = service::fetch(client, &[])?;
    Ok(names(view.instances.iter()))
}

fn names<'a>(instances: impl Iterator<Item = &'a InstanceView>) -> Vec<String> {
    let name = |i: &InstanceView| i.group.clone().unwrap_or_else(|| i.name.clone());
    let mut names: Vec<String> = instances.map(name).collect();
    names.sort();
    names.dedup();
    names
}

/// The names of what is meant.
fn found(client: &mut Client, which: &Which) -> Result<Vec<String>, Fail> {
    let view = service::fetch(client, &[])?;
    let all = view.instances.iter().enumerate();
    let meant = |(slot, i): &(usize, &InstanceView)| match which {
        Which::Path { path, args } => {
            let same = args.as_ref().is_none_or(|args| *args == i.args);
            path.as_os_str() == &*i.path && same
        }
        Which::Pid(pid) => i.pid == Some(*pid) && i.node == Some(view.here),
        Which::Group(group) => i.group.as_ref() == Some(group),
        Which::Slot(number) => u32::try_from(*slot) == Ok(*number),
    };
    let names = match which {
        Which::Group(group) => {
            let any = all.clone().any(|one| meant(&one));
            if any { vec![group.clone()] } else { Vec::new() }
        }
        _ => {
            let mut names: Vec<String> = all.filter(meant).map(|(_, i)| i.name.clone()).collect();
            names.dedup();
            names
        }
    };
    if names.is_empty() {
        let why = "nothing like that is kept alive; `spawndaemon -L` shows what is";
        return Err(Fail::Failed(why.to_owned()));
    }
    Ok(names)
}

fn list(client: &mut Client, form: Form, part: Option<Part>) -> Result<(), Fail> {
    let view = service::fetch(client, &[])?;
    let mut text = String::new();
    if part != Some(Part::Processes) {
        let state = if view.quiesced { "quiesced" } else { "running" };
        text.push_str(&match form {
            Form::Human => format!(
                "keepalive: {state}, {} in the table\n",
                view.instances.len()
            ),
            Form::Machine => format!("keepalive:{state}:{}\n", view.instances.len()),
        });
    }
    if part != Some(Part::Keepalive) {
        let dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let rows = view.instances.iter().enumerate().map(|(slot, i)| {
            [
                slot.to_string(),
                i.name.clone(),
                i.state.clone(),
                dash(i.node.map(|node| node.to_string())),
                dash(i.pid.map(|pid| pid.to_string())),
                i.errors.to_string(),
                dash(i.group.clone()),
                [std::slice::from_ref(&i.path), &i.args].concat().join(" "),
            ]
        });
        text.push_str(&match form {
            Form::Human => output::table(
                [
                    "SLOT", "NAME", "STATE", "NODE", "PID", "ERRORS", "GROUP", "PROCESS",
                ],
                rows.collect(),
            ),
            Form::Machine => rows
                .map(|row| output::plain(&row.join(":")) + "\n")
                .collect(),
        });
    }
    Ok(output::print(&text)?)
}
