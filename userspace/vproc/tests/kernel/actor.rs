//! Processes that do one thing.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::thread;

/// What this process is to play, if it is no test.
pub(crate) fn part() -> Option<String> {
    std::env::args()
        .nth(1)
        .and_then(|arg| arg.strip_prefix("actor:").map(str::to_owned))
}

pub(crate) fn play(part: &str) -> ExitCode {
    match part.split_once('=').unwrap_or((part, "")) {
        ("thread-ends", _) => {
            thread::spawn(|| {}).join().expect("it ends");
            wait();
            ExitCode::SUCCESS
        }
        ("first-thread-ends", _) => {
            thread::spawn(|| {
                wait();
                std::process::exit(5);
            });
            // SAFETY: ends this thread alone; nothing of it is used by others.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
            unreachable!("it has ended")
        }
        ("thread-executes", _) => {
            thread::spawn(|| {
                wait();
                let error = Command::new("sh").args(["-c", "exit 4"]).exec();
                panic!("sh: {error}");
            });
            loop {
                thread::park();
            }
        }
        ("herd", count) => super::herd::lead(count.parse().expect("a number")),
        ("inside", _) => {
            super::namespace::inside();
            ExitCode::SUCCESS
        }
        ("hatch", next) => super::namespace::hatch(next),
        ("wait", _) => {
            wait();
            ExitCode::SUCCESS
        }
        (other, _) => panic!("no part {other}"),
    }
}

/// Says that it is ready, and waits until it is told to go on.
pub(crate) fn wait() {
    let mut out = std::io::stdout();
    out.write_all(b".")
        .and_then(|()| out.flush())
        .expect("somebody listens");
    let _ = std::io::stdin().read(&mut [0]);
}

/// An actor that was started.
pub(crate) struct Actor {
    pub(crate) child: Child,
    go: Option<ChildStdin>,
    says: ChildStdout,
}

impl Actor {
    pub(crate) fn start(part: &str) -> Self {
        let own = std::env::current_exe().expect("it has a file");
        let mut child = Command::new(own)
            .arg(format!("actor:{part}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        Self {
            go: child.stdin.take(),
            says: child.stdout.take().expect("piped"),
            child,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Until it is ready.
    pub(crate) fn is_ready(&mut self) {
        self.says.read_exact(&mut [0]).expect("it says so");
    }

    /// Lets it go on to its end; its status.
    pub(crate) fn end(mut self) -> std::process::ExitStatus {
        drop(self.go.take());
        self.child.wait().expect("it ends")
    }
}
