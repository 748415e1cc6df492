//! Signals, and what became of them.

use ssi_api::control::{Client, Reply, Request};
use ssi_api::process::{ProcessRequest, Signalled, Target};

use crate::fail::Fail;

/// Sends `signal`, to all processes of sessions if the targets are some; what became of it, in the
/// order of its targets.
pub(crate) fn send(
    client: &mut Client,
    signal: i32,
    targets: Vec<Target>,
    sessions: bool,
) -> Result<Vec<Signalled>, Fail> {
    let count = targets.len();
    let request = Request::Process(ProcessRequest::Signal {
        signal,
        targets,
        sessions,
        behalf: None,
    });
    match client.request(request)? {
        Reply::Signalled(sent) if sent.len() == count => Ok(sent),
        other => Err(client.unexpected(&other).into()),
    }
}

/// Why a signal to a process (or group or session, as `what` says) of a node was not sent, and what to do.
pub(crate) fn why(what: &str, node: Option<u16>, sent: &Signalled) -> Option<String> {
    Some(match sent {
        Signalled::Sent => return None,
        Signalled::NoProcess => nobody(what, node),
        Signalled::NotPermitted => {
            "not permitted: it is another user's; its owner may, and root".to_owned()
        }
        Signalled::NoNode(why) => format!("{why}; see: ssi cluster"),
        Signalled::Unknown(why) => {
            format!("{why}: whether the signal was sent is not known; see: ssi cluster")
        }
        Signalled::Failed(why) => why.clone(),
    })
}

/// There is none.
pub(crate) fn nobody(what: &str, node: Option<u16>) -> String {
    let node = node.map_or_else(String::new, |node| format!(" --node {node}"));
    format!("no such {what}; see: ssi ps -e{node}")
}
