//! Saying what goes on while something takes its time.

use std::io::{self, IsTerminal};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ssi_api::cluster::{ClusterView, NodeState};
use ssi_api::control::Client;

use crate::args::Common;
use crate::cluster;
use crate::node;
use crate::output;

/// How long nothing is said.
const SILENT: Duration = Duration::from_secs(2);
/// How often the state of things is looked at then.
const LOOK: Duration = Duration::from_secs(1);
/// How often the same is said again where it can't be overwritten.
const REPEAT: Duration = Duration::from_secs(10);
/// How long `ssid` may take to say how things are.
const ANSWER: Duration = Duration::from_millis(500);

/// Does `work`. If that takes longer than two seconds, says on standard error what is
/// waited for: what membership says, or else `what`.
pub(crate) fn patiently<T>(what: &str, common: &Common, work: impl FnOnce() -> T) -> T {
    let (working, done) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || tell(what, common, &done));
        let result = work();
        drop::<mpsc::Sender<()>>(working);
        result
    })
}

fn tell(what: &str, common: &Common, done: &Receiver<()>) {
    let terminal = io::stderr().is_terminal();
    let start = Instant::now();
    let (mut said, mut when) = (String::new(), start);
    let mut wait = SILENT;
    while done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        wait = LOOK;
        let line = waits_for(look(common).as_ref()).unwrap_or_else(|| what.to_owned());
        let seconds = start.elapsed().as_secs();
        if terminal {
            eprint!("\r\x1b[K{} ({seconds} s)", output::plain(&line));
        } else if said != line || when.elapsed() >= REPEAT {
            eprintln!("{} ({seconds} s)", output::plain(&line));
            (said, when) = (line, Instant::now());
        }
    }
    if terminal && wait == LOOK {
        eprint!("\r\x1b[K");
    }
}

fn look(common: &Common) -> Option<ClusterView> {
    let mut client = Client::connect(&common.socket, ANSWER).ok()?;
    cluster::show(&mut client).ok()
}

/// What membership says that this node waits for.
fn waits_for(view: Option<&ClusterView>) -> Option<String> {
    let view = view?;
    let state = node::this(view).map_or(NodeState::NeverUp, |node| node.state);
    if let Some(what) = &view.waits_for {
        return Some(format!("this node is {state} and waits for: {what}"));
    }
    (state != NodeState::Up).then(|| format!("this node is {state}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::view;

    #[test]
    fn what_is_waited_for() {
        let mut view = view();
        assert_eq!(waits_for(None), None);
        assert_eq!(waits_for(Some(&view)), None);
        view.nodes[1].state = NodeState::ComingUp;
        assert_eq!(waits_for(Some(&view)).unwrap(), "this node is COMINGUP");
        view.waits_for = Some("node 3".to_owned());
        assert_eq!(
            waits_for(Some(&view)).unwrap(),
            "this node is COMINGUP and waits for: node 3"
        );
    }

    #[test]
    fn quick_work_is_not_talked_about() {
        let common = Common {
            socket: "/nonexistent/ssid.sock".into(),
            ..Common::from_env()
        };
        let start = Instant::now();
        assert_eq!(patiently("never said", &common, || 7), 7);
        assert!(start.elapsed() < SILENT);
    }
}
