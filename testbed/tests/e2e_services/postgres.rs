//! PostgreSQL: one in the cluster, its data on the disk that all nodes reach.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Child;
use std::thread;
use std::time::Duration;

use super::common::Cluster;
use super::common::cluster::Family::V4;
use super::common::disturb::{boot, crash};
use super::common::host::Host;
use super::common::view;
use super::stage::{folder, kill_main, only, ready_on, served_by, until};

/// Where Debian puts the programs of the version that it has.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let versions = versions
        .filter_map(Result::ok)
        .map(|entry| entry.path().join("bin"));
    let mut versions: Vec<PathBuf> = versions
        .filter(|bin| bin.join("postgres").exists())
        .collect();
    versions.sort();
    versions.pop().expect("PostgreSQL's server is installed")
}

/// A client that commits one number after the other, each by a connection of its own.
struct Writer {
    client: Child,
    stop: PathBuf,
}

impl Writer {
    fn start(address: &str, first: u32, stop: PathBuf) -> Self {
        let psql = programs().join("psql");
        let psql = psql.display();
        let stop_file = stop.display();
        let script = format!(
            "n={first}; while [ ! -e {stop_file} ]; do \
               if PGCONNECT_TIMEOUT=2 timeout 3 {psql} -h {address} -U postgres -qc \"insert into t values ($n)\" 2>/dev/null; \
               then echo $n; fi; n=$((n+1)); done"
        );
        let client = Host::Client.spawn(&["sh", "-c", &script]);
        Self { client, stop }
    }

    /// What was committed, as far as it was told.
    fn stop(self) -> BTreeSet<u32> {
        fs::write(&self.stop, "").expect("a file in /srv");
        let output = self.client.wait_with_output().expect("it ends");
        let _ = fs::remove_file(&self.stop);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

fn ask(address: &str, what: &str) -> String {
    Host::Client.run(&["psql", "-h", address, "-U", "postgres", "-tAc", what])
}

pub(crate) fn moves(cluster: &Cluster) {
    let address = cluster.cvip(V4).to_string();
    let (bin, data) = (programs(), folder("postgres"));
    let (bin, data) = (bin.display(), data.join("data"));
    let data = data.display();
    cluster.host(1).sh(&format!(
        "install -d -o postgres -m 700 {data}
         cd / && setpriv --reuid postgres --regid postgres --clear-groups \
            {bin}/initdb -D {data} -A trust --locale C -E UTF8 --no-sync >/dev/null
         echo 'host all all 0.0.0.0/0 trust' >>{data}/pg_hba.conf"
    ));
    // Nobody else has the data when it is started: that is what supervision sees to, and
    // the file with another node's pid in it says nothing.
    only(
        cluster,
        &format!(
            r#"
[[process]]
name = "postgres"
path = "/bin/sh"
args = ["-c", "rm -f {data}/postmaster.pid && exec {bin}/postgres -D {data} -c listen_addresses='*' -c unix_socket_directories='' -c max_connections=20 -c shared_buffers=16MB"]
user = "postgres"
favoured = 3
backup = "any"
stop_signal = "INT"
term_wait = 20
ready = {{ command = ["{bin}/pg_isready", "-q", "-h", "127.0.0.1"] }}
balance = "tcp://{address}:5432"
"#
        ),
    );
    let all = [1, 2, 3];
    served_by(cluster, &all, 5432, &[(3, 1)]);
    ask(&address, "create table t (n int primary key)");
    let stop = folder("postgres-client").join("stop");
    let writer = Writer::start(&address, 1, stop);
    thread::sleep(Duration::from_millis(500));

    kill_main(cluster, 3, "postgres");
    until("it runs again", || {
        ready_on(cluster.host(1), "postgres") == 3
    });
    thread::sleep(Duration::from_millis(500));

    let drained = cluster.host(1).output(&["ssi", "drain", "3"]);
    let said = String::from_utf8_lossy(&drained.stderr).into_owned();
    let there = ready_on(cluster.host(1), "postgres");
    let listed = || cluster.host(1).run(&["ssi", "service", "list"]);
    assert!(there != 3 && there != 0, "{said}\n{}", listed());
    served_by(cluster, &all, 5432, &[(there, 1)]);
    cluster.host(1).run(&["ssi", "drain", "--undo", "3"]);
    thread::sleep(Duration::from_millis(500));

    crash(&[there]);
    let left: Vec<u8> = all.into_iter().filter(|node| *node != there).collect();
    let now = || ready_on(cluster.host(left[0]), "postgres");
    until("it runs elsewhere", || now() != there && now() != 0);
    served_by(cluster, &left, 5432, &[(now(), 1)]);
    thread::sleep(Duration::from_millis(1500));

    let told = writer.stop();
    let rows = ask(&address, "select n from t");
    let rows: BTreeSet<u32> = rows.lines().filter_map(|line| line.parse().ok()).collect();
    let lost: Vec<_> = told.difference(&rows).collect();
    println!("PostgreSQL: {} committed, {} there", told.len(), rows.len());
    assert!(lost.is_empty(), "committed and not there: {lost:?}");
    assert!(told.len() > 10, "only {} were committed", told.len());
    boot(&[there]);
    view::settled(&all);
    only(cluster, "");
}
