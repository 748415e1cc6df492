//! What a benchmark hands to the report.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Unit of packet rates: millions a second.
pub(crate) const MPPS: &str = "Mpps";

/// Rows that were measured interleaved, in one run, and are comparable.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Section {
    /// Short and unique; it names the plot's file too.
    pub name: &'static str,
    /// What is measured and how, in a sentence.
    pub about: String,
    /// Unit of the samples, as printed.
    pub unit: &'static str,
    /// Which way is good.
    pub better: Better,
    /// The first row is what ratios are taken to, unless it is no peer (`Base::None`).
    pub base: Base,
    pub rows: Vec<Row>,
}

/// Which samples are good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    Less,
    More,
}

/// What ratios are taken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Base {
    /// The first row.
    First,
    /// No ratios.
    None,
}

/// What was measured of a row, one for each round; rounds of all rows of a section were
/// taken in turn.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Samples {
    pub values: Vec<f64>,
    /// What was taken off what was measured, for what measuring costs.
    #[serde(skip)]
    pub floor: Option<f64>,
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self {
            values: values.into_iter().collect(),
            floor: None,
        }
    }
}

/// One thing measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub name: String,
    pub samples: Samples,
    /// What was asked of it.
    pub bar: Option<Bar>,
    /// Latencies of all rounds together, in nanoseconds.
    #[serde(skip)]
    pub latency: Option<Histogram<u64>>,
    /// Requests that failed.
    pub errors: u64,
}

/// A bar, and how it was set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Bar {
    /// The best sample is at most `value`; `scaled` is that for this machine's speed.
    AtMost { value: f64, scaled: f64 },
    /// The median ratio to the base is at least this.
    RatioAtLeast { value: f64 },
    /// The median ratio to the base is at most this.
    RatioAtMost { value: f64 },
    /// The median of the differences of rounds, each to the same round of another row, is at
    /// most this.
    OverAtMost { than: &'static str, value: f64 },
    /// The median ratio to another row says that this one is worse: the other has to beat it.
    WorseThan { than: &'static str },
    /// The median of the samples is at most this.
    MedianAtMost { value: f64 },
    /// 99 of 100 samples are at most this.
    P99AtMost { value: f64 },
    /// Every sample is at most this.
    WorstAtMost { value: f64 },
}

impl Section {
    /// The row with this name.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// Nanoseconds each, of a sample of a rate.
    pub(crate) fn nanoseconds(&self, sample: f64) -> Option<f64> {
        (self.unit == MPPS).then(|| 1e3 / sample)
    }

    /// Whether a row did what was asked of it: as the bar is written, and scaled to this
    /// machine's speed.
    pub(crate) fn met(&self, row: &Row) -> Option<(bool, bool)> {
        match row.bar? {
            Bar::AtMost { value, scaled } => {
                let best = row.best(self.better);
                Some((best <= value, best <= scaled))
            }
            Bar::RatioAtLeast { value } => {
                let met = row.ratio(&self.rows[0]) >= value;
                Some((met, met))
            }
            Bar::RatioAtMost { value } => {
                let met = row.ratio(&self.rows[0]) <= value;
                Some((met, met))
            }
            Bar::OverAtMost { than, value } => {
                let met = row.over(self.row(than)?) <= value;
                Some((met, met))
            }
            Bar::WorseThan { than } => {
                let ratio = row.ratio(self.row(than)?);
                let met = match self.better {
                    Better::Less => ratio > 1.0,
                    Better::More => ratio < 1.0,
                };
                Some((met, met))
            }
            Bar::MedianAtMost { value } => {
                let met = row.median() <= value;
                Some((met, met))
            }
            Bar::P99AtMost { value } => {
                let met = row.p99() <= value;
                Some((met, met))
            }
            Bar::WorstAtMost { value } => {
                let met = row.worst(self.better) <= value;
                Some((met, met))
            }
        }
    }
}

impl Row {
    pub(crate) fn best(&self, better: Better) -> f64 {
        self.extreme(match better {
            Better::Less => f64::min,
            Better::More => f64::max,
        })
    }

    pub(crate) fn worst(&self, better: Better) -> f64 {
        self.extreme(match better {
            Better::Less => f64::max,
            Better::More => f64::min,
        })
    }

    fn extreme(&self, which: fn(f64, f64) -> f64) -> f64 {
        let values = self.samples.values.iter().copied();
        values.reduce(which).unwrap_or(f64::NAN)
    }

    /// The sample that 99 of 100 do not exceed, by the nearest rank; with fewer than 100
    /// samples that is the largest.
    pub(crate) fn p99(&self) -> f64 {
        let mut sorted = self.samples.values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (sorted.len() * 99).div_ceil(100);
        let last = rank.checked_sub(1).and_then(|rank| sorted.get(rank));
        last.copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn median(&self) -> f64 {
        median(self.samples.values.clone())
    }

    /// The best sample with its floor still in it, if there is one.
    pub(crate) fn raw(&self, better: Better) -> Option<f64> {
        self.samples.floor.map(|floor| self.best(better) + floor)
    }

    /// The median of the ratios of rounds, each to the base's same round.
    pub(crate) fn ratio(&self, base: &Self) -> f64 {
        paired(self, base, |own, base| own / base)
    }

    /// The median of what rounds are over another row's same rounds.
    pub(crate) fn over(&self, other: &Self) -> f64 {
        paired(self, other, |own, other| own - other)
    }
}

fn paired(row: &Row, other: &Row, both: impl Fn(f64, f64) -> f64) -> f64 {
    let pairs = row.samples.values.iter().zip(&other.samples.values);
    median(pairs.map(|(own, other)| both(*own, *other)).collect())
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    match samples.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => samples[n / 2],
        n => f64::midpoint(samples[n / 2 - 1], samples[n / 2]),
    }
}
