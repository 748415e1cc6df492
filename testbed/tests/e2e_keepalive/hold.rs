//! A thread of an `ssid` that stands still, while all others go on.

use std::fs;

use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use ssi_testbed::plan::Machine;
use ssi_testbed::{fault, state};

/// The thread, which goes on when this is dropped.
pub(crate) struct Held(Pid);

impl Held {
    /// Holds the thread of this name in a node's `ssid`.
    #[track_caller]
    pub(crate) fn thread(node: u8, name: &str) -> Self {
        let state = state::running().expect("a cluster");
        let init = state.init_of(Machine::Node(node)).expect("it is up");
        let ssid = fault::named(init, "ssid");
        let [ssid] = ssid[..] else {
            panic!("node {node} has no ssid, or several: {ssid:?}");
        };
        let tasks = fs::read_dir(format!("/proc/{ssid}/task")).expect("it runs");
        let named = |task: &fs::DirEntry| {
            let comm = fs::read_to_string(task.path().join("comm"));
            comm.is_ok_and(|comm| comm.trim_end() == name)
        };
        let task = tasks.flatten().find(named).expect("a thread of this name");
        let task = task.file_name().to_string_lossy().parse().expect("a pid");
        let thread = Pid::from_raw(task);
        ptrace::seize(thread, Options::empty()).expect("tests are run by root");
        ptrace::interrupt(thread).expect("it is ours");
        waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it is ours");
        Self(thread)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // It may have been killed.
        let _ = ptrace::detach(self.0, None);
    }
}
