//! The same on several nodes: a surrogate for each.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread;

use serde::Serialize;
use ssi_api::text::{self, JSON_VERSION};
use ssi_rexec::core::{FAILED, Nodes, Place, Whom};
use ssi_rexec::runner;

use crate::Settings;
use crate::fail::Fail;
use crate::grammar::All;

/// Runs it everywhere; the highest exit status. A node that does not say whether it is of the class
/// counts as one where it could not be run.
pub(crate) fn run(all: &All, shown: &str, settings: &Settings, socket: &Path) -> Result<u8, Fail> {
    let class = all.class.clone().map(Whom::Class);
    let Nodes {
        wanted: places,
        silent,
    } = runner::nodes(socket, class)?;
    for place in &silent {
        eprintln!("{}", text::plain(&unknown(all, shown, place)));
    }
    let at_a_time = all
        .parallel
        .unwrap_or(places.len())
        .clamp(1, places.len().max(1));
    let waiting = Mutex::new(VecDeque::from(places));
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                let next = || lock(&waiting).pop_front();
                while let Some(place) = next() {
                    let said = one(all, shown, settings, &place);
                    lock(&done).push(said);
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|node| node.number);
    let missing: Vec<_> = silent.iter().map(Missing::of).collect();
    if settings.json {
        text::print_json(&Said {
            missing: &missing,
            nodes: &done,
            version: JSON_VERSION,
        })?;
    }
    Ok(worst(done.iter().map(|node| node.status), silent.len()))
}

/// The highest exit status, if so many nodes were silent.
fn worst(statuses: impl Iterator<Item = u8>, silent: usize) -> u8 {
    let most = statuses.max().unwrap_or(FAILED);
    if silent > 0 { most.max(FAILED) } else { most }
}

/// What is said of a node that was silent.
fn unknown(all: &All, shown: &str, place: &Place) -> String {
    let (number, name) = (place.life.node, &place.name);
    let class = all.class.as_deref().unwrap_or_default();
    format!(
        "{shown}: node {number} {name} did not say whether it is of class {class}: nothing was run there; see: ssi cluster"
    )
}

/// What `-o json` says.
#[derive(Serialize)]
struct Said<'a> {
    missing: &'a [Missing<'a>],
    nodes: &'a [Node],
    version: u32,
}

/// A node that did not say whether it is of the class.
#[derive(Serialize)]
struct Missing<'a> {
    name: &'a str,
    number: u16,
}

impl<'a> Missing<'a> {
    fn of(place: &'a Place) -> Self {
        Self {
            name: &place.name,
            number: place.life.node,
        }
    }
}

/// What came of one node.
#[derive(Debug, Default, Serialize)]
struct Node {
    name: String,
    number: u16,
    status: u8,
    stderr: String,
    stdout: String,
}

fn one(all: &All, shown: &str, settings: &Settings, place: &Place) -> Node {
    let mut node = Node {
        number: place.life.node,
        name: place.name.clone(),
        ..Node::default()
    };
    let status = start(all, settings, place).and_then(|child| {
        if settings.json || all.grouped {
            let output = child.wait_with_output()?;
            if settings.json {
                node.stdout = String::from_utf8_lossy(&output.stdout).into_owned();
                node.stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            } else {
                together(place, &output.stdout, &output.stderr)?;
            }
            return Ok(output.status);
        }
        line_by_line(child, node.number)
    });
    node.status = match status {
        Ok(status) => code(status),
        Err(error) => {
            let why = format!("{shown}: node {} {}: {error}", node.number, node.name);
            eprintln!("{}", text::plain(&why));
            FAILED
        }
    };
    node
}

fn start(all: &All, settings: &Settings, place: &Place) -> io::Result<Child> {
    let mut command = Command::new("/proc/self/exe");
    command.arg0("onnode").arg("--socket").arg(&settings.socket);
    command.args(["--no-tty", "--no-input"]).args(&all.options);
    command.arg(place.life.node.to_string());
    command.arg("--").args(&all.args);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: one system call on plain values.
    unsafe {
        command.pre_exec(|| {
            // Whoever ends us wants an end of all.
            nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
            Ok(())
        });
    }
    command.spawn()
}

/// Each line as it comes, its node's number before it.
fn line_by_line(mut child: Child, number: u16) -> io::Result<ExitStatus> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let result = thread::scope(|scope| {
        let errors = scope.spawn(|| copy(err, number, || io::stderr().lock()));
        let copied = copy(out, number, || io::stdout().lock());
        copied.and(errors.join().unwrap_or(Ok(())))
    });
    let gone = result.is_err();
    if gone {
        // Nobody reads it any more: then it is not wanted.
        let _ = child.kill();
    }
    child.wait()
}

fn copy<W: Write>(from: Option<impl Read>, number: u16, to: impl Fn() -> W) -> io::Result<()> {
    let Some(from) = from else { return Ok(()) };
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        line.extend_from_slice(format!("{number}: ").as_bytes());
        let before = line.len();
        from.read_until(b'\n', &mut line)?;
        if line.len() == before {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        let mut to = to();
        to.write_all(&line)?;
        to.flush()?;
    }
}

fn together(place: &Place, out: &[u8], err: &[u8]) -> io::Result<()> {
    let mut to = io::stdout().lock();
    let name = text::plain(&place.name);
    writeln!(to, "--- {} {name}", place.life.node)?;
    to.write_all(out)?;
    to.flush()?;
    io::stderr().lock().write_all(err)
}

/// As a shell has it.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(FAILED)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use ssi_rexec::core::Life;

    use super::*;

    #[test]
    fn who_is_silent_is_named_and_counts() {
        assert_eq!(worst([0, 3].into_iter(), 0), 3);
        assert_eq!(worst([0, 3].into_iter(), 1), FAILED);
        assert_eq!(worst([127, 0].into_iter(), 2), 127);
        assert_eq!(worst(std::iter::empty(), 0), FAILED);
        let all = All {
            class: Some("db".to_owned()),
            ..All::default()
        };
        let place = Place {
            life: Life {
                node: 3,
                incarnation: 1,
            },
            name: "blue3".to_owned(),
        };
        let said = unknown(&all, "onall", &place);
        assert!(
            said.starts_with("onall: node 3 blue3 did not say"),
            "{said}"
        );
        assert!(said.contains("class db"), "{said}");
    }
}
