//! What is kept alive in a cluster: real processes, real deaths of processes, daemons, nodes
//! and networks, and a witness outside who sees all that runs.

#[path = "../common/mod.rs"]
mod common;
mod deaths;
mod hold;
mod hostile;
mod nodes;
mod use_of;
mod witness;

use std::process::ExitCode;

use common::main as run;

fn main() -> ExitCode {
    witness::forget();
    let ended = run(
        4,
        &[
            (
                "a file with mistakes: each is named, nothing is applied",
                use_of::mistakes,
            ),
            ("users may look, and change nothing", use_of::users),
            ("applied at one node, it runs at another", use_of::applied),
            ("stop, start, restart, clear, from any node", use_of::verbs),
            (
                "one waits for another that runs on another node",
                use_of::waits,
            ),
            (
                "a group: who is critical takes all along, and all go together",
                use_of::grouped,
            ),
            ("a process that runs already is adopted", use_of::adopted),
            ("spawndaemon registers, lists, removes", use_of::spawndaemon),
            (
                "each order of spawndaemon changes what it says",
                use_of::orders,
            ),
            (
                "at once, only looked at, kept: what else verbs do",
                use_of::more,
            ),
            ("a configuration of a megabyte", use_of::large),
            (
                "killed, it is restarted, and the error is counted",
                deaths::killed,
            ),
            (
                "ssid killed: the same process goes on; how one died meanwhile is known",
                deaths::daemon,
            ),
            (
                "ssid upgraded, and back: the same process goes on, and the errors are counted",
                deaths::upgraded,
            ),
            (
                "a node crashes: its processes run elsewhere, once; it comes back: nothing runs twice",
                deaths::node,
            ),
            ("the master crashes with what it ran", deaths::master),
            (
                "cut off, it stands still before another starts it",
                deaths::partition,
            ),
            (
                "cut off without an ssid, it stands still all the same",
                deaths::no_daemon,
            ),
            (
                "cut off while its ssid is stopped, it stands still all the same",
                deaths::stopped_daemon,
            ),
            (
                "back in the cluster before its ssid got to them, they stand still until they end",
                deaths::late_daemon,
            ),
            ("who ignores SIGTERM goes all the same", hostile::stubborn),
            ("who forks without end stays alone with it", hostile::forks),
            ("who ends at once, or lies about readiness", hostile::liars),
            ("whose log would fill the disk", hostile::writes),
            ("whose pid is another's by now", hostile::pids),
            ("who says that it can't run on a node", hostile::rejects),
            (
                "a node without cgroup2 leaves it to others",
                hostile::no_cgroups,
            ),
            ("one on each node, as nodes come and go", nodes::each),
            (
                "a restart that fails on one node leaves the next ones as they are",
                nodes::halts,
            ),
            (
                "a drained node gives everything away, one by one",
                nodes::drained,
            ),
            ("a log is followed from node to node", nodes::logs),
            (
                "hooks are run once for each node that comes or goes",
                nodes::hooks,
            ),
            ("all nodes off and on again", nodes::power),
            ("unloaded, nothing of it runs", nodes::unloaded),
            ("removed, nothing is left", nodes::nothing_left),
        ],
    );
    witness::forget();
    ended
}
