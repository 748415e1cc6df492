//! Who is shown, in which order.

use std::cmp::Ordering;

use super::seen::ProcessRow;

/// What the largest of comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum By {
    #[default]
    Cpu,
    Memory,
    Time,
    Load,
    /// The smallest of this one.
    Number,
}

/// An order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sort {
    pub(super) by: By,
    pub(super) turned: bool,
}

impl Sort {
    /// That of a key, as top has them.
    pub(super) fn by(letter: char) -> Option<Self> {
        let by = match letter {
            'P' => By::Cpu,
            'M' => By::Memory,
            'T' => By::Time,
            'L' => By::Load,
            'N' => By::Number,
            _ => return None,
        };
        Some(Self { by, turned: false })
    }

    pub(super) fn sort(self, places: &mut [usize], rows: &[ProcessRow]) {
        let number = |at: usize| (rows[at].node, rows[at].process.pid);
        let order = |a: usize, b: usize| -> Ordering {
            let (x, y) = (&rows[b], &rows[a]);
            match self.by {
                By::Cpu => x.cpu.total_cmp(&y.cpu),
                By::Memory => x.process.rss.cmp(&y.process.rss),
                By::Time => x.process.run.cmp(&y.process.run),
                By::Load => x.process.load.total_cmp(&y.process.load),
                By::Number => number(a).cmp(&number(b)),
            }
        };
        places.sort_unstable_by(|a, b| {
            let order = order(*a, *b);
            let order = if self.turned { order.reverse() } else { order };
            order.then_with(|| number(*a).cmp(&number(*b)))
        });
    }
}

/// Who is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Has this in its name or arguments, in capitals or not.
    pub(super) text: String,
    pub(super) node: Option<u16>,
}

impl Filter {
    /// The places of those.
    pub(super) fn of(&self, rows: &[ProcessRow]) -> Vec<usize> {
        let text = self.text.to_lowercase();
        let has = |said: &str| said.to_lowercase().contains(&text);
        let wanted = |row: &ProcessRow| {
            self.node.is_none_or(|node| node == row.node)
                && (text.is_empty()
                    || has(&row.process.comm)
                    || row.process.args.iter().any(|arg| has(arg)))
        };
        (0..rows.len()).filter(|at| wanted(&rows[*at])).collect()
    }
}
