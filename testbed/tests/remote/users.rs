//! Who runs what as whom.

use crate::common::Cluster;
use crate::common::host::Host;

/// Where others than root find our programs.
const PROGRAMS: &str = "/var/tmp/ssi-for-all";

fn prepare(host: Host) {
    host.sh(&format!(
        "install -D -m 755 \"$(command -v ssi)\" {PROGRAMS}/ssi; chmod 755 {PROGRAMS}; chmod o+x /run/ssi"
    ));
}

/// Runs a command as somebody; what it printed, or said.
fn of(host: Host, setpriv: &str, command: &str) -> (Option<i32>, String) {
    let line = format!("cd /; setpriv {setpriv} {PROGRAMS}/ssi {command}");
    let output = host.output(&["sh", "-c", &line]);
    let all = [output.stdout, output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&all).trim().to_owned(),
    )
}

pub(crate) fn users(_: &Cluster) {
    const NOBODY: &str = "--reuid=65534 --regid=65534 --clear-groups";
    let one = Host::Node(1);
    prepare(one);
    let (status, said) = of(one, NOBODY, "onnode 2 id");
    assert_eq!(status, Some(125), "{said}");
    assert!(
        said.contains("user 65534 may not run commands on other nodes"),
        "{said}"
    );
    one.sh("groupadd -f ssi 2>/dev/null; sed -i '$a [remote]\\ngroup = \"\"' /etc/ssi/ssi.toml");
    one.sh("kill -HUP $(pgrep -x ssid); sleep 0.3");
    let groups = "--reuid=65534 --regid=65534 --groups=65534,7";
    let (status, said) = of(
        one,
        groups,
        "onnode 2 sh -c 'id -u; id -g; id -G; grep CapEff /proc/self/status'",
    );
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(status, Some(0), "{said}");
    assert_eq!(lines[..2], ["65534", "65534"], "{said}");
    assert!(lines[2] == "65534 7" || lines[2] == "7 65534", "{said}");
    assert!(lines[3].ends_with("0000000000000000"), "{said}");
    let (status, said) = of(one, NOBODY, "onnode 2 cat /etc/shadow");
    assert!(
        status == Some(1) && said.contains("Permission denied"),
        "{said}"
    );
    // Who may gain nothing here gains nothing there.
    let nnp = format!("{NOBODY} --no-new-privs");
    let (_, said) = of(one, &nnp, "onnode 2 grep NoNewPrivs /proc/self/status");
    assert!(said.ends_with('1'), "{said}");
    // Root that is less than root stays so.
    let less = "--bounding-set=-all,+chown --inh-caps=-all";
    let (status, said) = of(
        one,
        less,
        "onnode 2 grep -E 'Cap(Eff|Prm|Bnd)' /proc/self/status",
    );
    assert_eq!(status, Some(0), "{said}");
    for line in said.lines() {
        assert!(line.ends_with("0000000000000001"), "{said}");
    }
}

pub(crate) fn strangers(cluster: &Cluster) {
    let address = cluster.server(2, crate::common::cluster::Family::V4, 7119);
    let (host, port) = (address.ip(), address.port());
    let knock = |what: &str| {
        // The end of the connection is the answer.
        let script = format!("exec 3<>/dev/tcp/{host}/{port}; {what}; timeout 8 cat <&3 | wc -c");
        Host::Node(1).run(&["bash", "-c", &script])
    };
    assert_eq!(knock("head -c 32 /dev/urandom >&3").trim(), "0");
    assert_eq!(knock("printf short >&3").trim(), "0");
    assert_eq!(knock("head -c 5000 /dev/zero >&3").trim(), "0");
    let shown = Host::Node(2).run(&["ssi", "-o", "json", "ics"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let text = shown.to_string();
    assert!(
        text.contains("remote execution: unknown, used or late id\":2"),
        "{text}"
    );
    assert!(
        text.contains("remote execution: no id in time\":1"),
        "{text}"
    );
    assert_eq!(
        Host::Node(1).run(&["ssi", "onnode", "2", "hostname"]),
        "node2\n"
    );
}
