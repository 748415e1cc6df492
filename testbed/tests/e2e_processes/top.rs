//! `ssi top` in a terminal.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use nix::pty::{OpenptyResult, Winsize, openpty};

use crate::common::Cluster;
use crate::common::host::Host;
use crate::gone;

const CURSOR: &str = "\x1b[?25h";
/// Back to the screen that was there before.
const RESTORED: &str = "\x1b[?1049l";
const WAIT: Duration = Duration::from_secs(10);

/// A program in a terminal of its own.
struct Terminal {
    child: Child,
    keys: File,
    shown: Arc<Mutex<String>>,
    columns: u16,
}

const fn size(columns: u16) -> Winsize {
    Winsize {
        ws_row: 30,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Terminal {
    fn start(host: Host, command: &[&str]) -> Self {
        let columns = 120;
        let OpenptyResult { master, slave } = openpty(&size(columns), None).expect("a pty");
        let mut command = host.command(command);
        command.stdin(Stdio::from(slave.try_clone().expect("a descriptor")));
        command.stdout(Stdio::from(slave.try_clone().expect("a descriptor")));
        command.stderr(Stdio::from(slave)).env("TERM", "xterm");
        // SAFETY: both calls are async-signal-safe, and take numbers only.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().expect("it starts");
        // It holds the other end, too.
        drop(command);
        let keys = File::from(master);
        let mut out = keys.try_clone().expect("a descriptor");
        let shown = Arc::new(Mutex::new(String::new()));
        let all = shown.clone();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = out.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]);
                all.lock().expect("no panic").push_str(&text);
            }
        });
        Self {
            child,
            keys,
            shown,
            columns,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("somebody reads");
    }

    /// Forgets what was shown and has all of it drawn again, in a terminal of another size.
    fn redraw(&mut self) {
        self.shown.lock().expect("no panic").clear();
        self.columns = 241 - self.columns;
        let size = size(self.columns);
        // SAFETY: the descriptor is open, and the size outlives the call.
        let done = unsafe { libc::ioctl(self.keys.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
        assert_eq!(done, 0);
    }

    #[track_caller]
    fn shows(&self, part: &str) {
        self.until(part, words);
    }

    /// Waits until what was shown has a part, in the form that is looked at.
    #[track_caller]
    fn until(&self, part: &str, form: impl Fn(&str) -> String) {
        let start = Instant::now();
        loop {
            let shown = form(&self.shown.lock().expect("no panic"));
            if shown.contains(part) {
                return;
            }
            assert!(start.elapsed() < WAIT, "no {part}: {shown:?}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys until all of it, drawn again, has a part.
    #[track_caller]
    fn press_until(&mut self, keys: &str, part: &str) {
        self.press(keys);
        thread::sleep(Duration::from_millis(200));
        self.redraw();
        self.shows(part);
    }

    /// The terminal is as it was.
    #[track_caller]
    fn restored(&self) {
        self.until(RESTORED, str::to_owned);
        self.until(CURSOR, str::to_owned);
    }

    #[track_caller]
    fn ends(mut self) {
        self.restored();
        let status = self.child.wait().expect("wait");
        assert!(status.success(), "{status}");
    }
}

/// What is shown without what moves the cursor: a space stands for a move, and one for many.
fn words(shown: &str) -> String {
    let mut text = String::new();
    let mut parts = shown.split("\x1b[");
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        if part[end..].starts_with('H') {
            text.push(' ');
        }
        text.push_str(part.get(end + 1..).unwrap_or_default());
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn terminal(cluster: &Cluster) {
    let (here, there) = (cluster.host(1), cluster.host(2));
    there.sh("cp \"$(command -v sleep)\" /run/nap4711");
    there.sh("setsid /run/nap4711 4711 >/dev/null 2>&1 </dev/null &");
    let nap = loop {
        let found = here.output(&["ssi", "pgrep", "-x", "nap4711"]);
        let found = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        if !found.is_empty() {
            break found;
        }
    };
    let mut top = Terminal::start(here, &["ssi", "top", "-d", "0.5"]);
    top.shows("TIME+");
    for node in cluster.nodes() {
        top.shows(&cluster.name(node));
    }
    top.press_until("/nap4711\r", "nap4711");
    top.press_until("r7\r", "niceness was 0, is 7");
    let columns = ["ssi", "ps", "-p", &nap, "-o", "ni="];
    assert_eq!(here.run(&columns).trim(), "7");
    top.press_until("k", "[TERM]:");
    top.press("\r");
    gone(cluster, &nap);
    top.press_until("\x1bh", "Shift-Tab");
    // It stops, gives the terminal back, and goes on.
    top.press("x\x1a");
    top.restored();
    let stopped = ["ssi", "pgrep", "-f", "-r", "T", "^ssi top"];
    let start = Instant::now();
    while !there.output(&stopped).status.success() {
        assert!(start.elapsed() < WAIT, "it does not stop");
    }
    there.run(&["ssi", "pkill", "-CONT", "-f", "^ssi top"]);
    top.redraw();
    top.shows("TIME+");
    top.press("q");
    top.ends();
    let top = Terminal::start(here, &["ssi", "top"]);
    top.shows("TIME+");
    there.run(&["ssi", "pkill", "-f", "^ssi top"]);
    top.ends();
    let mut top = Terminal::start(here, &["ssi", "top"]);
    top.shows("TIME+");
    top.press("\x03");
    top.ends();
    there.sh("rm /run/nap4711");
}
