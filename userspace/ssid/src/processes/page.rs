//! Processes as nodes tell them to each other: as many at once as go into an answer.

use serde::{Deserialize, Serialize};
use ssi_api::process::{ProcessView, ProcessesView};

use super::show;

/// Bytes of an answer, about. ICS takes twice as many; 10,000 processes without arguments
/// have less than 2 MB.
const PAGE: usize = 8 << 20;
/// Most bytes of a process, but for its name and arguments.
const LARGEST: usize = 256;

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Only those with numbers above this.
    pub(crate) after: u32,
    /// Their arguments too.
    pub(crate) args: bool,
}

/// What it is told.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) view: ProcessesView,
    /// There are more, after the last of these.
    pub(crate) more: bool,
}

impl Page {
    /// Whom to ask for next; none: that was all.
    pub(crate) fn next(&self) -> Option<u32> {
        let last = self.view.processes.last()?;
        self.more.then_some(last.pid)
    }
}

/// The processes that go into the answer.
pub(super) fn page(mut view: ProcessesView, wanted: Wanted) -> Page {
    let processes = &mut view.processes;
    let before = processes.partition_point(|process| process.pid <= wanted.after);
    processes.drain(..before);
    let (mut told, mut bytes) = (0, 0);
    let mut text = Vec::new();
    for process in processes.iter_mut() {
        // Always one, or it would never end.
        if bytes > PAGE {
            break;
        }
        if wanted.args {
            show::add_args(process, &mut text);
        }
        bytes += size(process);
        told += 1;
    }
    let more = told < processes.len();
    processes.truncate(told);
    Page { view, more }
}

fn size(process: &ProcessView) -> usize {
    let args = process.args.iter().map(|arg| arg.len() + 5);
    LARGEST + process.comm.len() + args.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn view(processes: Vec<ProcessView>) -> ProcessesView {
        ProcessesView {
            source: "/proc".to_owned(),
            at: 1,
            booted: 2,
            memory: 3,
            load: None,
            processes,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn pages_have_all_once_and_fit(lengths in prop::collection::vec(0_usize..100_000, 0..600)) {
            let processes = lengths.iter().zip(1..).map(|(length, pid)| ProcessView {
                pid: 2 * pid,
                comm: "x".repeat(*length),
                state: 'S',
                ..ProcessView::default()
            });
            let all: Vec<ProcessView> = processes.collect();
            let mut seen = Vec::new();
            let mut after = Some(0);
            while let Some(last) = after {
                let wanted = Wanted { after: last, args: false };
                let page = page(view(all.clone()), wanted);
                let bytes = postcard::to_stdvec(&page).expect("plain data");
                prop_assert!(bytes.len() < PAGE + 200_000);
                let page: Page = postcard::from_bytes(&bytes).expect("the same");
                after = page.next();
                seen.extend(page.view.processes);
            }
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn ten_thousand_are_one_page_even_with_the_largest_numbers() {
        let process = |pid| ProcessView {
            pid,
            start: u64::MAX,
            cgroup: u64::MAX,
            run: u64::MAX,
            wait: u64::MAX,
            utime: u64::MAX,
            stime: u64::MAX,
            voluntary: u64::MAX,
            involuntary: u64::MAX,
            rss: u64::MAX,
            swap: u64::MAX,
            size: u64::MAX,
            uid: u32::MAX,
            load: f64::MAX,
            comm: "fifteen letters".to_owned(),
            ..ProcessView::default()
        };
        let all: Vec<ProcessView> = (1..=10_000).map(process).collect();
        let one = postcard::to_stdvec(&all[9_999]).expect("plain data");
        assert!(one.len() < LARGEST, "{}", one.len());
        let wanted = Wanted {
            after: 0,
            args: false,
        };
        let page = page(view(all), wanted);
        assert_eq!((page.view.processes.len(), page.next()), (10_000, None));
    }
}
