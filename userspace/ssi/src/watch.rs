//! Looking again and again, until Ctrl-C.

use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::fail::Fail;
use crate::output;

/// Rows and columns to be had if the terminal doesn't say.
const SIZE: (usize, usize) = (24, 80);

const HIDE_CURSOR: &str = "\x1b[?25l";
/// And wrap long lines again.
const SHOW_CURSOR: &str = "\x1b[?7h\x1b[?25h";

/// What one look found; to print as it is.
pub(crate) struct Frame(pub(crate) String);

/// Looks every `every`: redraws the terminal, or prints one frame after the other. Ends,
/// with status 0, on Ctrl-C or when nobody reads any more.
///
/// # Errors
/// If the first look fails. Later ones are tried again: what is watched may be an `ssid`
/// that restarts.
pub(crate) fn watch(
    every: Duration,
    redraw: bool,
    mut look: impl FnMut() -> Result<Frame, Fail>,
) -> Result<(), Fail> {
    let mut last = look()?;
    let mut said = String::new();
    end_on_signals(redraw)?;
    if redraw {
        output::print(&format!("{HIDE_CURSOR}\x1b[2J"))?;
    }
    loop {
        let text = if redraw {
            drawn(&last.0, &said, size())
        } else {
            last.0.clone()
        };
        if !output::send(&text)? {
            return Ok(());
        }
        thread::sleep(every);
        match look() {
            Ok(frame) => {
                said.clear();
                last = frame;
            }
            Err(
                Fail::Failed(why) | Fail::Unreachable(why) | Fail::Usage(why) | Fail::Fatal(why),
            ) => {
                if said != why && !redraw {
                    eprintln!("{}; trying again", output::plain(&why));
                }
                said = why;
                if !redraw {
                    last = Frame(String::new());
                }
            }
            Err(Fail::No | Fail::Partial | Fail::Status(_)) => {}
        }
    }
}

/// From now on the signals that end programs end this one with status 0 and leave the
/// terminal as it was, even while `ssid` keeps us waiting.
fn end_on_signals(redraw: bool) -> Result<(), Fail> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals
        .thread_block()
        .map_err(|e| Fail::Failed(format!("cannot wait for Ctrl-C: {e}")))?;
    thread::spawn(move || {
        if signals.wait().is_ok() {
            if redraw {
                // Not through the standard library's lock, which the other thread may hold.
                let text = format!("{SHOW_CURSOR}\n");
                let _ = nix::unistd::write(io::stdout().as_fd(), text.as_bytes());
            }
            std::process::exit(0);
        }
    });
    Ok(())
}

/// Rows and columns of the terminal.
fn size() -> (usize, usize) {
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| (usize::from(size.ws_row), usize::from(size.ws_col)))
        .filter(|(rows, columns)| *rows > 1 && *columns > 0)
        .unwrap_or(SIZE)
}

/// What draws `text` over whatever was there, in as many rows as there are. `trouble` is
/// why it is old, if it is.
fn drawn(text: &str, trouble: &str, (rows, columns): (usize, usize)) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !trouble.is_empty() {
        let trouble = format!("! {}; trying again", output::plain(trouble));
        lines.extend(wrapped(&trouble, columns));
        lines.push(String::new());
    }
    lines.extend(text.lines().map(str::to_owned));
    // The last row stays empty: a newline there would scroll.
    let room = rows - 1;
    if lines.len() > room {
        let more = lines.len() - (room - 1);
        lines.truncate(room - 1);
        lines.push(format!("… {more} more lines"));
    }
    // Long lines are cut, not wrapped, so that a line is a row.
    let mut drawn = "\x1b[H\x1b[?7l".to_owned();
    for line in lines {
        drawn.push_str(&line);
        drawn.push_str("\x1b[K\n");
    }
    drawn.push_str("\x1b[J\x1b[?7h");
    drawn
}

fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(columns)
        .map(|chunk| chunk.iter().collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_fits_its_rows() {
        let rows = |drawn: &str| drawn.matches('\n').count();
        assert_eq!(
            drawn("a\nb\n", "", (24, 80)),
            "\x1b[H\x1b[?7la\x1b[K\nb\x1b[K\n\x1b[J\x1b[?7h"
        );
        let long = "x\n".repeat(100);
        let cut = drawn(&long, "", (10, 80));
        assert_eq!(rows(&cut), 9);
        assert!(cut.contains("… 92 more lines"), "{cut}");
        let trouble = drawn(&long, "ssid is away\n", (10, 10));
        assert_eq!(rows(&trouble), 9);
        assert!(trouble.contains("! ssid is "), "{trouble}");
        assert_eq!(rows(&drawn(&long, "", (2, 80))), 1);
    }
}
