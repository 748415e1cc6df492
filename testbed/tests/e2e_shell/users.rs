//! Who may what: in root's shell, in a user's own, and in /cluster/proc.

use std::process::Output;

use crate::common::Cluster;
use crate::common::host::Host;
use crate::{gone, output, pid, shell, sleeper};

const NOBODY: &str = "setpriv --reuid=65534 --regid=65534 --clear-groups";
/// Where nobody finds `ssi`.
const SSI: &str = "/run/ssi-of-all";

#[track_caller]
fn refused(output: &Output, part: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(part), "{said}");
}

pub(crate) fn in_roots(cluster: &Cluster) {
    let host = cluster.host(1);
    let roots = sleeper(cluster, 2, "4714", "");
    let theirs = sleeper(cluster, 2, "4714", NOBODY);
    let as_nobody = |line: &str| output(host, &format!("{NOBODY} bash -c '{line}'"));
    refused(
        &as_nobody(&format!("kill {roots}")),
        "Operation not permitted",
    );
    refused(
        &as_nobody(&format!("kill -- -{roots}")),
        "Operation not permitted",
    );
    refused(
        &as_nobody(&format!("renice -n 5 -p {roots}")),
        "Operation not permitted",
    );
    refused(
        &as_nobody(&format!("renice -n -5 -p {theirs}")),
        "Permission denied",
    );
    refused(
        &as_nobody(&format!("cat /proc/{roots}/environ")),
        "Permission denied",
    );
    let done = as_nobody(&format!(
        "cat /proc/{theirs}/environ >/dev/null && renice -n 5 -p {theirs} && kill {theirs}"
    ));
    assert!(done.status.success(), "{done:?}");
    gone(cluster, theirs);
    // Root without the right to signal others is less than root.
    let less = format!("setpriv --bounding-set=-kill,-sys_nice --inh-caps=-all kill {roots}");
    refused(&output(host, &less), "Operation not permitted");
    // Nor has root of a user namespace any on other nodes.
    let own = format!("unshare -U -r kill {roots}");
    refused(&output(host, &own), "Operation not permitted");
    shell(host, &format!("kill {roots}"));
    gone(cluster, roots);
}

pub(crate) fn own(cluster: &Cluster) {
    let host = cluster.host(1);
    host.sh(&format!(
        "install -m 755 \"$(command -v ssi)\" {SSI}; chmod o+x /run/ssi; chmod o+rw /run/ssi/ssid.sock"
    ));
    let roots = sleeper(cluster, 2, "4715", "");
    let theirs = sleeper(cluster, 2, "4715", NOBODY);
    let as_nobody = |line: &str| {
        let line = format!("cd /; {NOBODY} {SSI} shell bash -c '{line}'");
        host.output(&["sh", "-c", &line])
    };
    let seen = as_nobody("ps -e -o pid=,euser=,args=");
    let text = String::from_utf8_lossy(&seen.stdout);
    assert!(seen.status.success(), "{seen:?}");
    let has = |cpid: u32, user: &str| {
        let mut lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.any(|line| line[0] == cpid.to_string() && line[1] == user)
    };
    assert!(has(roots, "root") && has(theirs, "nobody"), "{text}");
    refused(
        &as_nobody(&format!("kill {roots}")),
        "Operation not permitted",
    );
    refused(
        &as_nobody(&format!("cat /proc/{roots}/environ")),
        "Permission denied",
    );
    let done = as_nobody(&format!(
        "cat <(echo in) && grep -z . /proc/{theirs}/environ >/dev/null && renice -n 5 -p {theirs} && kill {theirs}"
    ));
    assert!(done.status.success(), "{done:?}");
    gone(cluster, theirs);
    shell(host, &format!("kill {roots}"));
    gone(cluster, roots);
    host.sh(&format!("rm {SSI}; chmod o-rw /run/ssi/ssid.sock"));
}

/// Where links lead changes, and is not for everybody: the kernel must not keep it.
pub(crate) fn links(cluster: &Cluster) {
    let host = cluster.host(1);
    let walker = "cd /usr; trap 'cd /tmp' USR1; trap 'exit' TERM; while :; do sleep 0.05; done";
    let script = format!("setsid bash -c \"{walker}\" >/dev/null 2>&1 </dev/null & echo $!");
    let walker: u32 = cluster.host(2).sh(&script).trim().parse().expect("a pid");
    let cpid = 2 << 22 | walker;
    let cwd = format!("/cluster/proc/{cpid}/cwd");
    host.sh(&format!(
        "until [ \"$(readlink {cwd})\" = /usr ]; do sleep 0.05; done"
    ));
    shell(host, &format!("kill -USR1 {cpid}"));
    host.sh(&format!(
        "for n in 1 2 3 4 5 6 7 8 9; do [ \"$(readlink {cwd})\" = /tmp ] && exit; sleep 0.1; done; exit 1"
    ));
    refused(&as_user(host, &["ls", "-l", &cwd]), "Permission denied");
    assert!(!as_user(host, &["readlink", &cwd]).status.success());
    let selves = host.sh("for n in 1 2 3; do readlink /cluster/proc/self & wait $!; echo $!; done");
    let selves = crate::numbers(&selves);
    assert!(
        selves.chunks(2).all(|pair| pid(pair[0]) == pair[1]),
        "{selves:?}"
    );
    shell(host, &format!("kill {cpid}"));
    gone(cluster, cpid);
}

fn as_user(host: Host, command: &[&str]) -> Output {
    let all: Vec<_> = NOBODY.split(' ').chain(command.iter().copied()).collect();
    host.output(&all)
}
