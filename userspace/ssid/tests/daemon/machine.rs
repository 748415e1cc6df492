//! A daemon of its own for each test: network and mount namespace, directories, bpffs.
//! Needs root and BPF.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a daemon may take to be as it should: a machine that also builds is slow.
const PATIENCE: Duration = Duration::from_secs(60);

static TURN: Mutex<()> = Mutex::new(());

/// Runs `test` in fresh namespaces with the interfaces `eth0` (10.88.0.1/24) and `ic0`
/// (10.77.0.1/24), whose other ends are `p0` and `p1`.
pub(crate) fn isolated(test: impl FnOnce(&Machine) + Send) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let result = std::thread::scope(|scope| scope.spawn(|| in_namespaces(test)).join());
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
}

fn in_namespaces(test: impl FnOnce(&Machine)) {
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS)
        .expect("these tests need root: they make namespaces and load BPF programs");
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private mounts");
    // The one that is there shows the interfaces of another namespace.
    mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), none).expect("a sysfs");
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Machine {
        dir: dir.path().to_owned(),
    };
    let bpf = machine.dir.join("bpf");
    std::fs::create_dir(&bpf).expect("a directory");
    mount(Some("bpf"), &bpf, Some("bpf"), MsFlags::empty(), none).expect("a bpffs");
    for (name, peer, address, address6) in [
        ("eth0", "p0", "10.88.0.1/24", "fd88::1/64"),
        ("ic0", "p1", "10.77.0.1/24", "fd77::1/64"),
    ] {
        ip(&format!("link add {name} type veth peer name {peer}"));
        ip(&format!("link set {name} up"));
        ip(&format!("link set {peer} up"));
        ip(&format!("addr add {address} dev {name}"));
        ip(&format!("addr add {address6} dev {name} nodad"));
    }
    ip("link set lo up");
    machine.configure("");
    test(&machine);
    drop(machine);
    for mounted in [bpf.as_path(), Path::new("/sys")] {
        umount2(mounted, MntFlags::MNT_DETACH).expect("unmounts");
    }
}

/// Runs `ip`.
pub(crate) fn ip(args: &str) -> String {
    let output = Command::new("ip")
        .args(args.split(' '))
        .output()
        .expect("iproute2 is installed");
    assert!(output.status.success(), "ip {args}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Every interface with its addresses, but for those that the kernel gives it some time after
/// its link is up.
pub(crate) fn addresses() -> Vec<String> {
    let of = |line: &str| {
        let words = line.split_whitespace().enumerate();
        let kept =
            words.filter(|(at, word)| *at == 0 || word.contains('/') && !word.starts_with("fe80:"));
        kept.fold(String::new(), |all, (_, word)| all + word + " ")
    };
    ip("-br addr").lines().map(of).collect()
}

/// A machine to run daemons on.
pub(crate) struct Machine {
    pub(crate) dir: PathBuf,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Also after a test that failed: the keeper of the listening sockets outlives `ssid`.
        // Where it never started, or is told nonsense, there is nothing to unload.
        let _ = self.ssid_command().arg("--unload").output();
    }
}

impl Machine {
    /// Writes the configuration, with `more` at its end.
    pub(crate) fn configure(&self, more: &str) {
        let dir = self.dir.display();
        let text = format!(
            r#"
[node]
name = "node1"
addresses = ["10.77.0.1", "fd77::1"]
[network]
interfaces = ["eth0", "ic0"]
[lvs]
conns4 = 4096
conns6 = 4096
[control]
socket = "{dir}/run/ssid.sock"
[state]
directory = "{dir}/state"
[bpf]
root = "{dir}/bpf"
[tree]
proc = ""
{more}"#
        );
        std::fs::write(self.dir.join("ssi.toml"), text).expect("writes");
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("run/ssid.sock")
    }

    fn ssid_command(&self) -> Command {
        let mut command = Command::new(program("ssid"));
        command.arg("--config").arg(self.dir.join("ssi.toml"));
        command
    }

    /// Runs `ssid` with one more argument to its end.
    pub(crate) fn ssid(&self, arg: &str) -> Output {
        self.ssid_command().arg(arg).output().expect("ssid runs")
    }

    /// Runs `ssid`, expecting that it doesn't start.
    pub(crate) fn ssid_refused(&self) -> String {
        let output = self.ssid_command().output().expect("ssid runs");
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }

    /// Starts `ssid` and waits until it answers.
    pub(crate) fn start(&self) -> Daemon {
        let child = self.ssid_command().spawn().expect("ssid starts");
        let mut daemon = Daemon { child };
        let deadline = Instant::now() + PATIENCE;
        while self.ssi("status", "").status.code() != Some(0) {
            assert!(Instant::now() < deadline, "ssid does not answer");
            if let Some(status) = daemon.child.try_wait().expect("waits") {
                panic!("ssid ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        daemon
    }

    /// Waits until `done`.
    pub(crate) fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            let shown = self.ssi("cluster", "");
            assert!(Instant::now() < deadline, "{what} not: {shown:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs `ssi` with `args`, cut at spaces, and `input`.
    pub(crate) fn ssi(&self, args: &str, input: &str) -> Output {
        let mut child = Command::new(program("ssi"))
            .args(args.split_whitespace())
            .env("SSI_SOCKET", self.socket())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ssi runs");
        let mut stdin = child.stdin.take().expect("piped");
        // It need not read what it has no use for.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().expect("ssi ends")
    }

    /// The same, expecting success; its output.
    pub(crate) fn ssi_ok(&self, args: &str, input: &str) -> String {
        let output = self.ssi(args, input);
        let mut said = String::new();
        let _ = write!(
            said,
            "ssi {args}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// The same, expecting failure with `code`; its one line of error.
    pub(crate) fn ssi_fails(&self, args: &str, input: &str, code: i32) -> String {
        let output = self.ssi(args, input);
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "ssi {args}: {said}");
        assert_eq!(said.lines().count(), 1, "ssi {args}: {said}");
        said
    }
}

/// A running `ssid`, killed when dropped.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a pid"));
        kill(pid, signal).expect("signals");
    }

    /// Sends a signal and waits for the end: exit status, or else the signal's number.
    pub(crate) fn end(mut self, signal: Signal) -> Result<i32, i32> {
        self.signal(signal);
        let status = self.child.wait().expect("waits");
        status.code().ok_or(status.signal().unwrap_or(0))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Gone already, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of this build.
pub(crate) fn program(name: &str) -> PathBuf {
    let dir = std::env::var_os("SSI_BIN_DIR").map_or_else(
        || {
            let ssid = Path::new(env!("CARGO_BIN_EXE_ssid"));
            ssid.parent().expect("in a directory").to_owned()
        },
        PathBuf::from,
    );
    let program = dir.join(name);
    assert!(
        program.is_file(),
        "{} is not built; run: cargo build -p {name}",
        program.display()
    );
    program
}
