//! What a surrogate says of the command. Who runs it is never among that: the kernel says so,
//! by way of the daemons.

use serde::{Deserialize, Serialize};

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// Its name and its arguments; never empty.
    pub args: Vec<Vec<u8>>,
    /// Its environment, `NAME=value` each.
    pub environment: Vec<Vec<u8>>,
    /// Whether that comes on top of what the node gives its users.
    pub own_context: bool,
    /// Where it runs; none: at `/`.
    pub directory: Option<Vec<u8>>,
    /// Whether it matters how much of its input it has read when it ends: the rest is for
    /// somebody else.
    pub input_counts: bool,
    /// Signals that it ignores from the start, a bit each: bit 0 is signal 1.
    pub ignored: u64,
    /// The terminal it gets; none: it gets three pipes.
    pub terminal: Option<Terminal>,
    /// Whether what is typed there is for it.
    pub foreground: bool,
    /// Whether it goes on by itself: nobody reads it, nobody waits for it.
    pub detached: bool,
    /// Whether its standard error is a pipe even with a terminal.
    pub errors_apart: bool,
}

/// A terminal as it is to be at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminal {
    /// How large it is.
    pub size: Size,
    /// Its modes (termios(3)): input, output, control, local.
    pub modes: [u32; 4],
    /// Its special characters.
    pub characters: Vec<u8>,
}

/// A terminal's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
    /// Pixels across, if it says so.
    pub width: u16,
    /// Pixels from top to bottom, if it says so.
    pub height: u16,
}

impl Size {
    pub(super) fn to_bytes(self) -> [u8; 8] {
        let words = [self.rows, self.columns, self.width, self.height];
        let mut bytes = [0; 8];
        for (to, word) in bytes.chunks_exact_mut(2).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub(super) fn of_bytes(bytes: [u8; 8]) -> Self {
        let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        Self {
            rows: word(0),
            columns: word(2),
            width: word(4),
            height: word(6),
        }
    }
}
