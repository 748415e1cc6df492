//! Output that goes to systemd's journal.

use std::fs;
use std::process::{Child, Command};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use ssi_keepalive::core::State;

use super::stage::{Stage, play, process, until};

/// A journal of this thread's own, and of whatever it starts.
struct Journal(Child);

impl Journal {
    fn start() -> Self {
        let none: Option<&str> = None;
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
        mount(none, "/run", Some("tmpfs"), MsFlags::empty(), none).unwrap();
        fs::create_dir_all("/run/systemd/journal").unwrap();
        fs::create_dir_all("/run/log/journal").unwrap();
        let journald = Command::new("/lib/systemd/systemd-journald").spawn();
        let journal = Self(journald.expect("systemd's journal"));
        until("it listens", || {
            fs::exists("/run/systemd/journal/stdout").unwrap()
        });
        journal
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn written(about: &str) -> String {
    let said = Command::new("journalctl")
        .args(["--no-pager", "-o", "cat", "-t", about])
        .output()
        .unwrap();
    String::from_utf8(said.stdout).unwrap()
}

/// What `shout` and `whisper` write, and what stands in their log files.
fn logs() -> [String; 2] {
    let more = "log = { journal = true }";
    let config = process("shout", "echo loud; echo wrong >&2; exec sleep 1000", more)
        + &process("whisper", "echo soft; exec sleep 1000", "");
    let stage = Stage::new(&config);
    let mut logs = [String::new(), String::new()];
    play(async {
        let mut play = stage.open();
        play.state("shout", State::Ok).await;
        play.until("a line", |play| play.log("whisper") == "soft\n")
            .await;
        play.until("lines", |play| !play.log("shout").is_empty())
            .await;
        logs = ["shout", "whisper"].map(|name| play.log(name));
    });
    logs
}

pub(crate) fn what_it_writes_goes_to_the_journal() {
    // A thread that has mounts of its own is of no use to others.
    let scene = std::thread::spawn(|| {
        let _journal = Journal::start();
        let [shout, _] = logs();
        assert!(shout.contains("journalctl -t shout\n"), "{shout}");
        until("it has both lines", || written("shout") == "loud\nwrong\n");
        assert!(!written("whisper").contains("soft"));
    });
    scene.join().unwrap();
}
