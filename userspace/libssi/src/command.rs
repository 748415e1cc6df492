//! Commands on other nodes, as children of this program.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, ExitStatus, Stdio};

use rustix::pipe::{PipeFlags, pipe_with};
use ssi_api::process::Cpid;
use ssi_rexec::core::{NOT_EXECUTABLE, NOT_FOUND, NotRun};
use ssi_rexec::runner::Told;

use crate::{Cluster, Error, program};

/// Where a command runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Place {
    /// On the least loaded node.
    #[default]
    Least,
    /// On the node of this number.
    Node(u16),
    /// On the node of this name.
    Named(String),
    /// Where this process is.
    Near(Cpid),
    /// On the least loaded node of this class (`node.classes` in `ssi.toml`).
    Class(String),
}

/// A command that is to run on a node of the cluster, with this program's user, groups,
/// environment, limits and directory. What runs here is its surrogate, a child of this
/// program: signals to it, its standard streams and its exit status are the command's.
#[derive(Debug)]
pub struct Command {
    cluster: Cluster,
    place: Place,
    options: Vec<&'static str>,
    args: Vec<OsString>,
    surrogate: process::Command,
}

/// A command that runs.
///
/// Dropped, it goes on; but its surrogate is a zombie from its end to this program's, unless it
/// is waited for.
#[derive(Debug)]
pub struct Child {
    /// The other end of its standard input, if that is a pipe.
    pub stdin: Option<ChildStdin>,
    /// The other end of its standard output, if that is a pipe.
    pub stdout: Option<ChildStdout>,
    /// The other end of its standard error, if that is a pipe.
    pub stderr: Option<ChildStderr>,
    cluster: Cluster,
    pid: Cpid,
    surrogate: process::Child,
}

impl Command {
    /// A program and, later, its arguments. The program is looked for on its node.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            cluster: Cluster::local(),
            place: Place::default(),
            options: Vec::new(),
            args: vec![program.into()],
            surrogate: process::Command::new(program::ssi()),
        }
    }

    /// One more argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// More arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Where it runs; on the least loaded node, if this isn't said.
    #[must_use]
    pub fn on(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// By way of this daemon instead of the local one.
    #[must_use]
    pub fn by(mut self, cluster: Cluster) -> Self {
        self.cluster = cluster;
        self
    }

    /// A variable of its environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.surrogate.env(name, value);
        self
    }

    /// Without this variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.surrogate.env_remove(name);
        self
    }

    /// Without all variables of this program.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.surrogate.env_clear();
        self
    }

    /// Its directory, which must be there here too.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.surrogate.current_dir(directory);
        self
    }

    /// Its standard input; this program's, if this isn't said.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.surrogate.stdin(stdin);
        self
    }

    /// Its standard output; this program's, if this isn't said.
    #[must_use]
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.surrogate.stdout(stdout);
        self
    }

    /// Its standard error; this program's, if this isn't said.
    #[must_use]
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.surrogate.stderr(stderr);
        self
    }

    /// In the node's own context: at `/`, with the environment of a login there.
    #[must_use]
    pub fn local_context(self) -> Self {
        self.option("--local")
    }

    /// It stays on that node.
    #[must_use]
    pub fn pinned(self) -> Self {
        self.option("--pin")
    }

    /// Without a terminal of its own, even if this program's input and output are one.
    #[must_use]
    pub fn without_terminal(self) -> Self {
        self.option("--no-tty")
    }

    fn option(mut self, option: &'static str) -> Self {
        self.options.push(option);
        self
    }

    /// Starts it. Returns when it runs on its node.
    ///
    /// # Errors
    /// [`Error::NoCommand`], [`Error::NotExecutable`], [`Error::Failed`] with the reason, or
    /// this program can't have another child.
    pub fn spawn(self) -> Result<Child, Error> {
        let (told, tells) = pipe_with(PipeFlags::CLOEXEC)
            .map_err(io::Error::from)
            .map_err(Error::io("a pipe for its surrogate"))?;
        let (cluster, mut surrogate) = self.surrogate(Some(&tells));
        let fd = tells.as_raw_fd();
        // SAFETY: between fork and exec, one system call on a number.
        unsafe {
            surrogate.pre_exec(move || match libc::fcntl(fd, libc::F_SETFD, 0) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            });
        }
        let child = surrogate.spawn();
        drop(tells);
        let mut child = child.map_err(Error::io(format!(
            "its surrogate, {}",
            surrogate.get_program().display()
        )))?;
        match begun(told) {
            Ok(pid) => Ok(Child {
                stdin: child.stdin.take(),
                stdout: child.stdout.take(),
                stderr: child.stderr.take(),
                cluster,
                pid,
                surrogate: child,
            }),
            Err(error) => {
                // It has nothing else to do.
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Becomes it: from now on this process is its surrogate. Returns only if that fails;
    /// what fails later, the surrogate says and ends with (125 to 127, see `ssi run --help`).
    #[must_use]
    pub fn exec(self) -> Error {
        let (_, mut surrogate) = self.surrogate(None);
        let program = surrogate.get_program().display().to_string();
        Error::io(program)(surrogate.exec())
    }

    fn surrogate(self, tells: Option<&OwnedFd>) -> (Cluster, process::Command) {
        let mut surrogate = self.surrogate;
        surrogate.arg("--socket").arg(self.cluster.socket());
        surrogate.arg("run").args(&self.options);
        match &self.place {
            Place::Least => &mut surrogate,
            Place::Node(number) => surrogate.arg("--node").arg(number.to_string()),
            Place::Named(name) => surrogate.arg("--node").arg(name),
            Place::Near(cpid) => surrogate.arg("--near").arg(cpid.to_string()),
            Place::Class(class) => surrogate.arg("--class").arg(class),
        };
        if let Some(tells) = tells {
            surrogate.arg("--report").arg(tells.as_raw_fd().to_string());
        }
        surrogate.arg("--").args(&self.args);
        (self.cluster, surrogate)
    }
}

/// What a surrogate tells when its command runs, or doesn't.
fn begun(from: OwnedFd) -> Result<Cpid, Error> {
    let mut line = String::new();
    let read = File::from(from).read_to_string(&mut line);
    read.map_err(Error::io("its surrogate"))?;
    let strange = || Error::Failed("its surrogate has ended".to_owned());
    match line.parse().map_err(|_| strange())? {
        Told::Began { node, pid } => Cpid::new(node, pid).ok_or_else(strange),
        Told::NotRun(NotRun { status, why }) => Err(match status {
            NOT_FOUND => Error::NoCommand(why),
            NOT_EXECUTABLE => Error::NotExecutable(why),
            _ => Error::Failed(why),
        }),
    }
}

impl Child {
    /// Its number in the whole cluster.
    #[must_use]
    pub const fn pid(&self) -> Cpid {
        self.pid
    }

    /// The pid of its surrogate here: this program's child, for `waitpid` and `poll`.
    #[must_use]
    pub fn surrogate(&self) -> u32 {
        self.surrogate.id()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Somebody else has waited for it.
    pub fn wait(&mut self) -> Result<ExitStatus, Error> {
        drop(self.stdin.take());
        self.surrogate.wait().map_err(Error::io("waiting for it"))
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// Somebody else has waited for it.
    pub fn try_wait(&mut self) -> Result<Option<ExitStatus>, Error> {
        let status = self.surrogate.try_wait();
        status.map_err(Error::io("looking after it"))
    }

    /// Sends it a signal, on its node.
    ///
    /// # Errors
    /// As [`Cluster::kill`].
    pub fn kill(&self, signal: i32) -> Result<(), Error> {
        self.cluster
            .kill(ssi_api::process::Pid::At(self.pid), signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &[u8]) -> Result<Cpid, Error> {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        rustix::io::write(&write, line).expect("it takes a line");
        drop(write);
        begun(read)
    }

    #[test]
    fn what_a_surrogate_tells() {
        assert_eq!(
            told(b"2/1234\n").expect("it runs"),
            Cpid::new(2, 1234).expect("a number")
        );
        for (line, part) in [
            (&b""[..], "has ended"),
            (b"2/12", "has ended"),
            (b"0/0\n", "has ended"),
            (b"125 no node 9\n", "no node 9"),
        ] {
            let said = told(line).expect_err("it doesn't run");
            assert!(said.to_string().contains(part), "{said}");
        }
        assert!(matches!(told(b"127 x\n"), Err(Error::NoCommand(_))));
        assert!(matches!(told(b"126 x\n"), Err(Error::NotExecutable(_))));
    }

    #[test]
    fn the_command_line_of_a_surrogate() {
        let command = Command::new("-odd")
            .arg("--node")
            .on(Place::Node(2))
            .pinned();
        let (_, surrogate) = command.by(Cluster::at("/s")).surrogate(None);
        let args: Vec<_> = surrogate.get_args().collect();
        assert_eq!(
            args,
            [
                "--socket", "/s", "run", "--pin", "--node", "2", "--", "-odd", "--node"
            ]
        );
    }
}
