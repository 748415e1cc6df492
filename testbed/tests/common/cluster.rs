//! The cluster under test, as `ssi-testbed status -o json` shows it.

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use ssi_testbed::plan::Machine;
use ssi_testbed::state;

use Family::V4;

use super::binaries;
use super::disturb;
use super::host::Host;
use super::netns::NetNs;
use super::view;

/// An IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Routing table for replies that have to pass the director.
const REPLIES: &str = "88";

/// A running cluster.
pub struct Cluster {
    nodes: u8,
    client: NetNs,
    status: Value,
}

impl Cluster {
    /// Boots nodes 1 to `nodes`.
    pub fn boot(nodes: u8) -> Result<Self, String> {
        testbed(&["start", &nodes.to_string()])?;
        let status = testbed(&["status", "-o", "json"])?;
        let status: Value = serde_json::from_str(&status).map_err(|error| error.to_string())?;
        let pid = status["client"]["pid"].as_u64().ok_or("no client.pid")?;
        let cluster = Self {
            nodes,
            client: NetNs::of(u32::try_from(pid).map_err(|error| error.to_string())?),
            status,
        };
        cluster
            .nodes()
            .for_each(|node| cluster.wait_for_daemon(node));
        Ok(cluster)
    }

    /// Stops it and leaves nothing.
    pub fn stop(&self) {
        if let Err(reason) = testbed(&["stop"]) {
            eprintln!("stopping the cluster: {reason}");
        }
    }

    /// Ends what a test that failed has left: faults, and nodes that are not up.
    pub fn restore(&self) {
        let state = state::running().expect("a cluster");
        let whole = |node| state.init_of(Machine::Node(node)).is_some();
        let missing: Vec<_> = self.nodes().filter(|node| !whole(*node)).collect();
        if !state.faults.is_empty() || !state.paused.is_empty() {
            disturb::fault("heal");
        }
        if !missing.is_empty() {
            disturb::boot(&missing);
        }
    }

    /// Removes all virtual services, once all nodes are UP: the test before may have killed
    /// a daemon, which is started again after a pause.
    pub fn clear(&self) {
        let all: Vec<u8> = self.nodes().collect();
        view::settled(&all);
        self.host(1).run(&["ssi", "lvs", "-C"]);
    }

    /// What the director knows and what all logged, for whoever reads a failed test.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for command in [
            &["ssi", "status"][..],
            &["ssi", "lvs", "-L", "-n"],
            &["ssi", "lvs", "-L", "-n", "--stats"],
            &["ip", "neighbour"],
        ] {
            let output = self.director().output(command);
            text += &format!("\ndirector: {}\n", command.join(" "));
            // The first services do; some tests have thousands.
            for line in String::from_utf8_lossy(&output.stdout).lines().take(40) {
                text += line;
                text += "\n";
            }
            text += &String::from_utf8_lossy(&output.stderr);
        }
        for node in self.nodes() {
            let log = testbed(&["logs", &node.to_string()]).unwrap_or_default();
            let end = log.lines().rev().take(15).collect::<Vec<_>>();
            text += &format!("\nnode {node}, the end of its log\n");
            for line in end.into_iter().rev() {
                text += line;
                text += "\n";
            }
        }
        text
    }

    /// The numbers of all nodes.
    pub fn nodes(&self) -> impl Iterator<Item = u8> + use<> {
        1..=self.nodes
    }

    /// A node.
    pub fn host(&self, node: u8) -> Host {
        Host::Node(node)
    }

    /// A node's name.
    pub fn name(&self, node: u8) -> String {
        self.node(node)["name"].as_str().expect("a name").to_owned()
    }

    /// Runs `work` for every node.
    pub fn everywhere(&self, work: impl FnMut(Host)) {
        self.nodes().map(Host::Node).for_each(work);
    }

    /// The number of the node that directs the cluster's IPv4 address now.
    pub fn director_number(&self) -> u8 {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let mut views = self.nodes().filter_map(view::of);
            let acting = views.find(|view| !view.fenced);
            if let Some(director) = acting.and_then(|view| view::director(&view)) {
                return director;
            }
            assert!(Instant::now() < end, "nobody directs the cluster's address");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The node that directs the cluster's IPv4 address now.
    pub fn director(&self) -> Host {
        Host::Node(self.director_number())
    }

    /// The cluster's one address.
    pub fn cvip(&self, family: Family) -> IpAddr {
        let all = self.status["cvip"].as_array().expect("a list");
        all.iter()
            .map(|cvip| address(&cvip["address"]))
            .find(|address| address.is_ipv4() == (family == V4))
            .expect("one of each family")
    }

    /// A node's address on the interconnect, with `port`: what directors forward to.
    pub fn server(&self, node: u8, family: Family, port: u16) -> SocketAddr {
        let list = &self.node(node)["interconnect"];
        SocketAddr::new(of_family(list, family), port)
    }

    /// A node's address on the external network.
    pub fn external(&self, node: u8, family: Family) -> IpAddr {
        of_family(&self.node(node)["external"], family)
    }

    /// A node's network, as long as it is up.
    pub fn net(&self, node: u8) -> NetNs {
        let state = state::running().expect("a cluster");
        let init = state.init_of(Machine::Node(node)).expect("it is up");
        NetNs::of(u32::try_from(init).expect("a process id"))
    }

    /// Interconnect address number `number` of those that no node has.
    pub fn spare_address(&self, number: u8) -> IpAddr {
        let IpAddr::V4(first) = self.server(1, V4, 0).ip() else {
            unreachable!("asked for IPv4")
        };
        let [a, b, c, _] = first.octets();
        IpAddr::from([a, b, c, 100 + number])
    }

    /// Name of the interconnect's interface on every node.
    pub fn interconnect(&self) -> &str {
        self.status["interfaces"]["interconnect"]
            .as_str()
            .expect("a name")
    }

    /// The client host's network.
    pub fn client(&self) -> &NetNs {
        &self.client
    }

    /// The client host's address.
    pub fn client_address(&self, family: Family) -> IpAddr {
        of_family(&self.status["client"]["addresses"], family)
    }

    /// What NAT asks of real servers: what they send from the address the director knows
    /// them by goes to the director.
    pub fn route_replies_through_director(&self, family: Family) {
        let director = self.server(self.director_number(), family, 0).ip();
        let (ip, lan) = match director {
            IpAddr::V4(own) => {
                let [a, b, c, _] = own.octets();
                ("-4", format!("{}/24", IpAddr::from([a, b, c, 0])))
            }
            IpAddr::V6(own) => {
                let s = own.segments();
                let net = IpAddr::from([s[0], s[1], s[2], s[3], 0, 0, 0, 0]);
                ("-6", format!("{net}/64"))
            }
        };
        let device = self.interconnect();
        for node in self.nodes().filter(|node| *node != self.director_number()) {
            self.host(node).sh(&format!(
                "ip {ip} route replace {lan} dev {device} table {REPLIES}
                 ip {ip} route replace default via {director} dev {device} table {REPLIES}
                 ip {ip} rule show | grep -q 'lookup {REPLIES}' || ip {ip} rule add from {lan} lookup {REPLIES}"
            ));
        }
    }

    /// Sets the interconnect's MTU on every node.
    pub fn set_interconnect_mtu(&self, mtu: u32) {
        let mtu = mtu.to_string();
        self.everywhere(|node| {
            node.run(&["ip", "link", "set", self.interconnect(), "mtu", &mtu]);
        });
    }

    /// Kills a node's `ssid` with signal 9, and sees it dead. The node's init starts
    /// another one second later.
    pub fn kill_daemon(&self, node: u8) {
        self.host(node).sh(
            "pid=$(pgrep -x ssid); kill -KILL $pid; while [ -e /proc/$pid ]; do sleep 0.01; done",
        );
    }

    /// Starts a node's `ssid` after its end by request, and waits until it answers.
    pub fn start_daemon(&self, node: u8) {
        self.host(node)
            .sh("setsid ssid >>/run/ssid.log 2>&1 </dev/null &");
        self.wait_for_daemon(node);
    }

    /// Waits until a node's `ssid` answers.
    pub fn wait_for_daemon(&self, node: u8) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.host(node).output(&["ssi", "status"]).status.success() {
            assert!(
                Instant::now() < deadline,
                "ssid does not answer on node {node}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn node(&self, number: u8) -> &Value {
        let all = self.status["nodes"].as_array().expect("a list");
        all.iter()
            .find(|node| node["number"] == number)
            .unwrap_or_else(|| panic!("no node {number}"))
    }
}

fn of_family(list: &Value, family: Family) -> IpAddr {
    list.as_array()
        .expect("a list")
        .iter()
        .map(address)
        .find(|address| address.is_ipv4() == (family == V4))
        .expect("one of each family")
}

fn address(value: &Value) -> IpAddr {
    let text = value.as_str().expect("an address");
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Runs `ssi-testbed`; what it printed, or what it said when it failed.
pub fn testbed(arguments: &[&str]) -> Result<String, String> {
    let output: Output = Command::new(binaries::path("ssi-testbed"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("ssi-testbed: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "ssi-testbed {}: {}\n{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    ))
}
