//! Processes in the words of the control socket.

use std::fs::File;
use std::io::{self, Read as _};

use ssi_api::process::{BusyView, LoadView, PressureView, ProcessView, ProcessesView};
use ssi_mosix::load::Tell;
use ssi_vproc::core::{Process, State};
use ssi_vproc::{Source, clock};

use super::sampling::{Sampled, key};

/// Bytes of arguments that are shown of one process: as many as the kernel takes in one argument.
const MOST_ARGS: u64 = 128 << 10;

/// Bytes that most have not.
const USUAL_ARGS: usize = 4096;

/// Everybody, by number.
pub(super) fn view(sampled: &Sampled) -> ProcessesView {
    let (at, now) = (clock::now(), clock::since_1970());
    let loads = sampled.load.sampler();
    let mut processes: Vec<_> = sampled
        .tracker
        .table()
        .processes()
        .map(|process| {
            let load = loads.process(key(process.id)).unwrap_or(0.0);
            self::process(process, load)
        })
        .collect();
    processes.sort_by_key(|process| process.pid);
    ProcessesView {
        source: match sampled.tracker.source() {
            Source::Kernel(_) => "tracing",
            Source::Procfs(_) => "/proc",
        }
        .to_owned(),
        at,
        booted: now.saturating_sub(at),
        memory: sampled.tell.map_or(0, |tell| tell.memory.total),
        load: sampled.tell.map(load),
        processes,
    }
}

/// How busy the node is, as it was sampled last: nobody is looked at.
pub(super) fn busy(sampled: &Sampled) -> BusyView {
    let (mut processes, mut running) = (0, 0);
    for process in sampled.tracker.table().processes() {
        processes += 1;
        running += u32::from(process.state == State::Running);
    }
    let tell = sampled.tell;
    let memory = tell.map(|tell| tell.memory).unwrap_or_default();
    BusyView {
        load: tell.map(load),
        cpus: tell.map_or(0, |tell| tell.cpus),
        processes,
        running,
        up: clock::now(),
        memory: memory.total,
        free: memory.available,
        swap: memory.swap_total,
        swap_free: memory.swap_free,
        pressure: tell
            .and_then(|tell| tell.pressure)
            .map(|shares| PressureView {
                cpu: shares.cpu,
                memory: shares.memory,
                io: shares.io,
            }),
    }
}

fn load(tell: Tell) -> LoadView {
    LoadView {
        load: tell.load,
        mean: tell.mean,
        upper: tell.upper,
        process: tell.process,
    }
}

fn process(process: &Process, load: f64) -> ProcessView {
    let nanos = |time: std::time::Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    ProcessView {
        pid: process.id.pid,
        start: process.id.start,
        ppid: process.ppid,
        pgid: process.pgid,
        sid: process.sid,
        uid: process.uid,
        euid: process.euid,
        tty: process.tty,
        cgroup: process.cgroup,
        run: nanos(process.run),
        wait: nanos(process.wait),
        utime: nanos(process.utime),
        stime: nanos(process.stime),
        voluntary: process.voluntary,
        involuntary: process.involuntary,
        rss: process.rss,
        swap: process.swap,
        size: process.size,
        state: process.state.letter(),
        threads: process.threads,
        nice: process.nice,
        kernel: process.kernel,
        load,
        comm: process.comm.to_string(),
        args: Vec::new(),
    }
}

/// Reads a process's arguments, by way of `text`. Who has ended meanwhile has none, nor has the
/// kernel.
pub(super) fn add_args(process: &mut ProcessView, text: &mut Vec<u8>) {
    if process.kernel {
        return;
    }
    if command_line(process.pid, text).is_ok() {
        process.args = args(text);
    }
}

fn command_line(pid: u32, text: &mut Vec<u8>) -> io::Result<()> {
    text.clear();
    // In one go: without room, a few bytes are tried first.
    text.reserve(USUAL_ARGS);
    let file = File::open(format!("/proc/{pid}/cmdline"))?;
    file.take(MOST_ARGS).read_to_end(text).map(drop)
}

/// Each ends with a zero; a program that writes over them may have left none.
fn args(text: &[u8]) -> Vec<String> {
    let text = text.strip_suffix(b"\0").unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(|byte| *byte == 0)
        .map(|arg| String::from_utf8_lossy(arg).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arguments_are_what_they_were(wanted in prop::collection::vec("[^\0]{1,8}", 1..6)) {
            let mut text = wanted.join("\0").into_bytes();
            text.push(0);
            prop_assert_eq!(args(&text), wanted);
        }

        #[test]
        fn anything_is_taken(text: Vec<u8>) {
            let _ = args(&text);
        }
    }

    #[test]
    fn long_arguments_are_shown_whole_up_to_a_bound() {
        let long = "x".repeat(100_000);
        let child = |count| {
            let mut command = std::process::Command::new("sh");
            command.args(["-c", "read _", "name"]);
            command.args(std::iter::repeat_n(&long, count));
            command.stdin(std::process::Stdio::piped());
            command.spawn().expect("there is a shell")
        };
        for (count, bytes) in [(1, 100_000), (3, 1 << 17)] {
            let mut child = child(count);
            let mut process = ProcessView {
                pid: child.id(),
                ..ProcessView::default()
            };
            // A program that begins has none for a moment.
            while process.args.is_empty() {
                add_args(&mut process, &mut Vec::new());
            }
            drop(child.stdin.take());
            child.wait().expect("it is ours");
            assert_eq!(process.args[0], "sh");
            let shown = process.args.iter().map(|arg| arg.len() + 1).sum::<usize>();
            assert!(shown >= bytes && shown <= 1 + (1 << 17), "{shown}");
        }
    }

    #[test]
    fn nothing_is_no_argument() {
        assert_eq!(args(b""), Vec::<String>::new());
        assert_eq!(args(b"\0"), Vec::<String>::new());
        assert_eq!(args(b"a\0\0"), ["a", ""]);
    }
}
