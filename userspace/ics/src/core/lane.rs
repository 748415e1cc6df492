//! Lanes: connections between two nodes that don't wait for each other.

use std::fmt;

/// How urgent a call is, 0–3; 3 is the most urgent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// What a call has unless it is told otherwise.
    pub const LOWEST: Self = Self(0);
    /// What nothing overtakes.
    pub const HIGHEST: Self = Self(3);

    /// The priority, if it is one.
    #[must_use]
    pub const fn new(priority: u8) -> Option<Self> {
        if priority <= Self::HIGHEST.0 {
            Some(Self(priority))
        } else {
            None
        }
    }

    /// As an integer.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The priority of calls made while handling a call of this one. Each level of nesting
    /// has credits of its own, so that what waits at one level can't hold up what it waits
    /// for. Beyond [`HIGHEST`](Self::HIGHEST) there is no level left: a chain of calls that
    /// starts at priority 0 is safe for four levels.
    #[must_use]
    pub const fn raised(self) -> Self {
        if self.0 < Self::HIGHEST.0 {
            Self(self.0 + 1)
        } else {
            self
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One of the connections between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Calls of one priority: lanes 0–3.
    Calls(Priority),
    /// Replies and credits for the priorities 0 and 1: lane 4.
    Reply,
    /// Replies and credits for the priorities 2 and 3: lane 5.
    PriorityReply,
    /// Calls that bring a stream of data: lane 6.
    Bulk,
}

impl Lane {
    /// How many there are.
    pub const COUNT: usize = 7;

    /// All lanes, by number.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Calls(Priority(0)),
        Self::Calls(Priority(1)),
        Self::Calls(Priority(2)),
        Self::Calls(Priority(3)),
        Self::Reply,
        Self::PriorityReply,
        Self::Bulk,
    ];

    /// Its number, 0–6. The kernel finds it in the low three bits of the port of the end
    /// that dialled.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Calls(priority) => priority.0,
            Self::Reply => 4,
            Self::PriorityReply => 5,
            Self::Bulk => 6,
        }
    }

    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.number() as usize
    }

    /// The lane with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Where replies and credits for calls of this priority go.
    #[must_use]
    pub fn reply_to(priority: Priority) -> Self {
        if priority.0 >= 2 {
            Self::PriorityReply
        } else {
            Self::Reply
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls(priority) => write!(f, "priority-{priority}"),
            Self::Reply => f.write_str("reply"),
            Self::PriorityReply => f.write_str("priority-reply"),
            Self::Bulk => f.write_str("bulk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_positions() {
        for (index, lane) in Lane::ALL.into_iter().enumerate() {
            assert_eq!(lane.index(), index);
            assert_eq!(Lane::from_number(lane.number()), Some(lane));
        }
        assert_eq!(Lane::from_number(7), None);
    }

    #[test]
    fn nesting_raises_up_to_the_highest() {
        let levels: Vec<u8> = std::iter::successors(Some(Priority::LOWEST), |p| Some(p.raised()))
            .map(Priority::get)
            .take(6)
            .collect();
        assert_eq!(levels, [0, 1, 2, 3, 3, 3]);
        assert_eq!(Priority::new(4), None);
    }
}
