//! No end of a process is missed: those that never leave their node have counted all of them,
//! and know the last.

use std::collections::BTreeMap;

use super::faults::Journal;
use super::invariants::{Right, in_words};
use super::plan::Step;
use super::services::Services;
use super::witness::Run;

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;
/// What ended so shortly before its node crashed may not have been noticed by anybody.
const CRASH: u64 = 3_000 * MS;
/// Who dies with its node may do so before its `ssid`, which notices.
const WITH: u64 = 1_000 * MS;

/// How an end is told that was made by SIGKILL.
const KILLED: &str = "last signal 9 ";

/// What was known of each instance when all was right last.
#[derive(Default)]
pub(crate) struct Books(BTreeMap<String, Entry>);

#[derive(Clone, Copy, Default)]
struct Entry {
    /// Ends that the witness saw, and those of them that nobody may have noticed.
    ends: u64,
    unsure: u64,
    /// Ends that came with a crash of the node, which may have been noticed all the same.
    crashed: u64,
    /// Errors that supervision counted.
    errors: u64,
    /// The last end may be that of somebody whom the witness never saw.
    unseen: bool,
}

impl Books {
    /// Compares what has happened since the last time; what is wrong. `lossy`: nodes whose
    /// notes may be lost, as they crashed while their disk was full.
    pub(crate) fn check(
        &mut self,
        services: &Services,
        right: &Right,
        journal: &Journal,
        lossy: &[u8],
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        for name in &services.bound {
            let (Some(view), Some(runs)) = (right.views.get(name), right.runs.get(name)) else {
                continue;
            };
            let ended: Vec<&Run> = runs
                .iter()
                .filter(|run| in_words(run.end).is_some() || journal.has_killed(run))
                .collect();
            let count = |of: &[&Run], is: fn(&Run, &Journal) -> bool| {
                of.iter().filter(|run| is(run, journal)).count() as u64
            };
            let all: Vec<&Run> = runs.iter().collect();
            let now = Entry {
                ends: ended.len() as u64,
                unsure: count(&ended, is_unsure),
                crashed: count(&all, is_crashed),
                errors: view.errors,
                unseen: false,
            };
            let before = self.0.insert(name.clone(), now).unwrap_or_default();
            let node = view.node.and_then(|node| u8::try_from(node).ok());
            if node.is_some_and(|node| lossy.contains(&node)) {
                continue;
            }
            let ends = now.ends - before.ends;
            let least = ends.saturating_sub(now.unsure - before.unsure);
            let most = ends + now.crashed - before.crashed;
            let mut errors = now.errors.wrapping_sub(before.errors);
            // Whom the guard ends before its program runs has said nothing to the witness.
            let last = view.last.as_deref();
            let killed = last.is_some_and(|last| last.starts_with(KILLED));
            // What is known of the last end stays until the next one.
            let unseen = if errors == 0 {
                before.unseen
            } else {
                killed && errors > least
            };
            self.0.insert(name.clone(), Entry { unseen, ..now });
            errors -= u64::from(killed && errors > most);
            if !(least..=most).contains(&errors) {
                let new = usize::try_from(before.ends).unwrap_or(0).min(ended.len());
                wrong.push(format!(
                    "{name}: {least} to {most} ends, {errors} counted; {:?}",
                    &ended[new..]
                ));
            }
            if !unseen {
                wrong.extend(wrong_code(name, last, &ended, &all, journal));
            }
        }
        wrong
    }
}

/// What is wrong with what is known of the last end.
fn wrong_code(
    name: &str,
    known: Option<&str>,
    ended: &[&Run],
    all: &[&Run],
    journal: &Journal,
) -> Option<String> {
    let run = ended.last()?;
    let said = in_words(run.end)?;
    let known = known.unwrap_or_default();
    let later = all
        .iter()
        .any(|other| other.first > run.first && is_crashed(other, journal));
    let sure = !later && !journal.has_killed(run) && !is_unsure(run, journal);
    (sure && !known.starts_with(&said))
        .then(|| format!("{name}: {known:?} is known, {said:?} it was: {run:?}"))
}

fn is_on(run: &Run, node: u8) -> bool {
    run.node == format!("node{node}")
}

fn around(at: u64, span: u64) -> std::ops::Range<u64> {
    at.saturating_sub(span)..at + span
}

/// Whether an end may have gone unnoticed.
fn is_unsure(run: &Run, journal: &Journal) -> bool {
    journal.steps.iter().any(|(at, step)| match step {
        Step::Crash(node) => is_on(run, *node) && around(run.last, CRASH).contains(at),
        _ => false,
    })
}

/// Whether it died with its node.
fn is_crashed(run: &Run, journal: &Journal) -> bool {
    let crashes = journal.steps.iter().filter_map(|(at, step)| match step {
        Step::Crash(node) if is_on(run, *node) => Some(at),
        _ => None,
    });
    let mut crashes = crashes;
    in_words(run.end).is_none() && crashes.any(|at| around(run.last, WITH).contains(at))
}
