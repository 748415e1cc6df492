/// A command's standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard input; with a terminal: what is typed.
    In,
    /// Standard output; with a terminal: everything that is shown.
    Out,
    /// Standard error.
    Err,
}

impl Stream {
    /// Those that the command writes.
    pub const WRITTEN: [Self; 2] = [Self::Out, Self::Err];

    /// Its number, as file descriptors have them.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::In => 0,
            Self::Out => 1,
            Self::Err => 2,
        }
    }

    /// The stream of this number.
    #[must_use]
    pub const fn of_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::In),
            1 => Some(Self::Out),
            2 => Some(Self::Err),
            _ => None,
        }
    }
}
