//! Commands on the hosts of the testbed, through `ssi-testbed exec` as a user would.

use std::fmt;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use super::binaries;

/// A machine of the testbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A node of the cluster.
    Node(u8),
    /// The host outside, on the external network.
    Client,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(number) => write!(f, "{number}"),
            Self::Client => f.write_str("client"),
        }
    }
}

impl Host {
    /// `command` on this host, not started yet, with nothing on its standard input.
    pub fn command(self, command: &[&str]) -> Command {
        let mut exec = Command::new(binaries::path("ssi-testbed"));
        exec.arg("exec").arg(self.to_string()).args(command);
        exec.stdin(Stdio::null());
        exec
    }

    /// Runs `command` to its end.
    pub fn output(self, command: &[&str]) -> Output {
        self.command(command)
            .output()
            .unwrap_or_else(|error| panic!("ssi-testbed exec {self}: {error}"))
    }

    /// Runs `command`, which has to succeed, and returns what it printed.
    #[track_caller]
    pub fn run(self, command: &[&str]) -> String {
        checked(self, command, &self.output(command))
    }

    /// As [`run`](Self::run), for a line of shell.
    #[track_caller]
    pub fn sh(self, script: &str) -> String {
        self.run(&["sh", "-ec", script])
    }

    /// As [`run`](Self::run), with `input` on its standard input.
    #[track_caller]
    pub fn feed(self, command: &[&str], input: &[u8]) -> String {
        let mut child = self.spawn_fed(command);
        let mut stdin = child.stdin.take().expect("piped");
        // A command that ends without reading it all shows why in its status.
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().expect("wait");
        checked(self, command, &output)
    }

    fn spawn_fed(self, command: &[&str]) -> Child {
        self.command(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("ssi-testbed exec {self}: {error}"))
    }

    /// Starts `command` and goes on.
    pub fn spawn(self, command: &[&str]) -> Child {
        self.command(command)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("ssi-testbed exec {self}: {error}"))
    }
}

/// Standard output of a command that succeeded; panics with everything it said otherwise.
#[track_caller]
pub fn checked(host: Host, command: &[&str], output: &Output) -> String {
    assert!(
        output.status.success(),
        "on {host}: {}: {}\n{}{}",
        command.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
