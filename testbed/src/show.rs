//! The cluster doing its main job: a web server on every node, one address, real requests.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use comfy_table::{Table, presets};

use crate::plan::{Machine, cvips};
use crate::state;
use crate::tool;

/// The web server that says which node it is; the tests use it too.
const WEB: &str = include_str!("../web/nginx.conf");
/// Requests of the burst.
const REQUESTS: usize = 300;

/// This program again, running something on a machine.
fn on(machine: Machine, script: &str, input: &str) -> Result<String> {
    let own = std::env::current_exe()?;
    let own = own.to_str().context("a path of plain text")?;
    tool::feed(own, &["exec", &machine.word(), "sh", "-ec", script], input)
}

/// Shows the running cluster at work.
///
/// # Errors
/// No cluster is running, or something does not work: the error says what.
pub fn run() -> Result<()> {
    let state = state::running()?;
    let director = director(&state)?;
    let nodes: Vec<_> = state.nodes().collect();
    for node in &nodes {
        let start = "mkdir -p /run/web; cat >/run/web/nginx.conf; pkill -0 -x nginx || exec nginx -c /run/web/nginx.conf";
        on(*node, start, WEB).with_context(|| format!("starting nginx on {node}"))?;
    }
    wait_for_daemons(&nodes)?;
    let [cvip, _] = cvips();
    let mut rules = format!("-A -t {cvip}:80 -s rr\n");
    for node in &nodes {
        let [addr, _] = node.addresses(crate::plan::Net::Interconnect);
        rules += &format!("-a -t {cvip}:80 -r {addr}:80 -g -w 1\n");
    }
    // Typed at one node, carried out by all.
    on(director, "ssi lvs -C; ssi lvs -R", &rules).context("the rules")?;
    wait_for_servers(director, nodes.len())?;
    println!("{}\n", nodes_table(&state));
    println!("What all of them agree on:\n");
    println!("{}", on(director, "ssi cluster", "")?);
    println!("The cluster's address is {cvip}; {director} directs it:\n");
    println!("{}", on(director, "ssi lvs -L -n", "")?);
    let (answers, took) = burst(&cvip.to_string())?;
    println!(
        "{REQUESTS} requests from the client, one connection each, in {} ms:",
        took.as_millis()
    );
    for (name, count) in &answers {
        println!(
            "  {name:<8} {count:>4}  {}",
            "▪".repeat(count * 60 / REQUESTS)
        );
    }
    println!("\nTry next:");
    let own = called();
    for (what, why) in [
        (
            format!("exec client curl -s http://{cvip}/"),
            "again: another node answers",
        ),
        (
            format!("exec {} ssi lvs -L -n --stats", director.word()),
            "what the director counted",
        ),
        (
            "console 2".to_owned(),
            "a shell on node 2; `stop` ends it all",
        ),
    ] {
        println!("  {own} {what:<40} # {why}");
    }
    if answers.values().sum::<usize>() != REQUESTS {
        bail!("not every request was answered");
    }
    Ok(())
}

/// The node that directs the cluster's first address.
fn director(state: &state::State) -> Result<Machine> {
    let status = crate::status::of(state);
    let number = status.cvip.first().map_or(0, |cvip| cvip.director);
    if number == 0 {
        bail!("nobody directs the cluster's address; `ssi-testbed exec 1 ssi cluster` says why");
    }
    Ok(Machine::Node(number))
}

/// How a user in this directory calls this program.
fn called() -> String {
    let name = "ssi-testbed".to_owned();
    let Ok(own) = std::env::current_exe() else {
        return name;
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = |dir: std::path::PathBuf| dir.join(&name).canonicalize().ok();
    if std::env::split_paths(&path).any(|dir| installed(dir).as_ref() == Some(&own)) {
        return name;
    }
    let here = std::env::current_dir().unwrap_or_default();
    let own = own.strip_prefix(&here).unwrap_or(&own);
    format!("sudo {}", own.display())
}

fn wait_for_daemons(nodes: &[Machine]) -> Result<()> {
    for node in nodes {
        wait(
            &format!("ssid on {node} does not answer; see `ssi-testbed logs`"),
            || on(*node, "ssi status", "").is_ok(),
        )?;
    }
    Ok(())
}

/// Until the director knows the way to every server: it asks for MAC addresses.
fn wait_for_servers(director: Machine, servers: usize) -> Result<()> {
    wait("the director does not reach every server", || {
        let list = on(director, "ssi lvs -L -n -o json", "").unwrap_or_default();
        list.matches("\"reachable\":true").count() + list.matches("\"reachable\": true").count()
            >= servers
    })
}

fn wait(otherwise: &str, mut done: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(10);
    while !done() {
        if Instant::now() > end {
            bail!("{otherwise}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Real requests, each on a connection of its own; who answered how many.
fn burst(cvip: &str) -> Result<(BTreeMap<String, usize>, Duration)> {
    let urls = format!("url = \"http://{cvip}/\"\n").repeat(REQUESTS);
    let start = Instant::now();
    let own = std::env::current_exe()?;
    let curl = [
        "exec",
        "client",
        "curl",
        "-s",
        "--no-keepalive",
        "-H",
        "Connection: close",
        "-K",
        "-",
    ];
    let mut child = Command::new(own)
        .args(curl)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child
        .stdin
        .take()
        .context("piped")?
        .write_all(urls.as_bytes())?;
    let output = child.wait_with_output()?;
    let took = start.elapsed();
    let mut answers = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        *answers.entry(line.to_owned()).or_insert(0) += 1;
    }
    Ok((answers, took))
}

/// The nodes as `ssi-testbed status` shows them.
#[must_use]
pub fn nodes_table(state: &state::State) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["NODE", "NAME", "STATE", "INTERCONNECT", "EXTERNAL", "PID"]);
    for node in crate::status::of(state).nodes {
        let pair = |addresses: [std::net::IpAddr; 2]| addresses.map(|a| a.to_string()).join(" ");
        table.add_row([
            node.number.to_string(),
            node.name,
            node.state.to_owned(),
            pair(node.interconnect),
            pair(node.external),
            node.pid.to_string(),
        ]);
    }
    table
}
