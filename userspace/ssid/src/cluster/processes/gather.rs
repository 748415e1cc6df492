//! What nodes said of their processes, as far as it goes into one reply.

use std::sync::LazyLock;

use ssi_api::control::MAX_LINE;
use ssi_api::process::{ClusterProcesses, Missing, NodeProcesses, ProcessView, ProcessesView};

/// Bytes that are left for whatever else a reply has.
const REST: usize = 1 << 20;

/// What a node said, or why it didn't.
pub(super) struct Answer {
    number: u16,
    name: String,
    said: Result<ProcessesView, String>,
    /// Bytes that it takes in a reply.
    length: usize,
}

impl Answer {
    pub(super) fn new(number: u16, name: String, said: Result<ProcessesView, String>) -> Self {
        let length = said.as_ref().map_or(0, length);
        Self {
            number,
            name,
            said,
            length,
        }
    }
}

/// The reply that has all of them, or those for which there is room.
pub(super) fn gather(here: u16, answers: Vec<Answer>) -> ClusterProcesses {
    let mut room = MAX_LINE - REST;
    let mut all = ClusterProcesses {
        here,
        ..ClusterProcesses::default()
    };
    for answer in answers {
        let Answer {
            number,
            name,
            said,
            length,
        } = answer;
        let said = said.and_then(|said| {
            let too_many = "has more processes than one reply holds: ask without arguments";
            (length <= MAX_LINE - REST)
                .then_some(said)
                .ok_or_else(|| too_many.to_owned())
        });
        match said {
            Ok(said) if length <= room => {
                room -= length;
                all.nodes.push(NodeProcesses { number, name, said });
            }
            Ok(_) => all.left.push(number),
            Err(why) => all.missing.push(Missing { number, name, why }),
        }
    }
    all
}

/// Bytes of JSON, or a few more: they are not written to be counted, as they are written soon
/// enough.
fn length(view: &ProcessesView) -> usize {
    // The heading: names, four numbers, a load of four.
    const HEADING: usize = 512;
    let heading = HEADING + text(&view.source);
    heading + view.processes.iter().map(process).sum::<usize>()
}

/// Of one process, and the comma after it.
fn process(process: &ProcessView) -> usize {
    /// Of one that has nothing but zeros.
    static ZEROS: LazyLock<usize> = LazyLock::new(|| {
        let zeros = serde_json::to_string(&ProcessView::default());
        zeros.map_or(usize::MAX, |zeros| zeros.len())
    });
    /// The longest number with a point, over a zero.
    const LOAD: usize = 24;
    let short = [
        process.pid,
        process.ppid,
        process.pgid,
        process.sid,
        process.uid,
        process.euid,
        process.tty,
        process.threads,
        process.nice.unsigned_abs(),
    ];
    let long = [
        process.start,
        process.cgroup,
        process.run,
        process.wait,
        process.utime,
        process.stime,
        process.voluntary,
        process.involuntary,
        process.rss,
        process.swap,
        process.size,
    ];
    let digits = |number: u64| number.checked_ilog10().unwrap_or(0) as usize;
    let numbers = short.into_iter().map(u64::from).chain(long).map(digits);
    let args = process.args.iter().map(|arg| text(arg) + 3);
    let sign = usize::from(process.nice < 0);
    *ZEROS + 1 + LOAD + sign + numbers.sum::<usize>() + text(&process.comm) + args.sum::<usize>()
}

/// What a text takes between its quotes.
fn text(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 2,
        0..32 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ssi_api::control::{Reply, Response, encode};
    use ssi_api::process::LoadView;

    use super::*;

    fn view(processes: usize, args: usize) -> ProcessesView {
        let process = ProcessView {
            state: 'S',
            args: vec!["\n".repeat(args)],
            ..ProcessView::default()
        };
        ProcessesView {
            source: "tracing".to_owned(),
            at: 0,
            booted: 0,
            memory: 0,
            load: None,
            processes: vec![process; processes],
        }
    }

    #[test]
    fn a_reply_is_never_too_long_and_nobody_is_forgotten() {
        let mut answers = Vec::new();
        for (number, said) in [
            (1, Ok(view(10_000, 1))),
            (2, Ok(view(1, 40_000_000))),
            (3, Ok(view(2, 5_500_000))),
            (4, Err("did not answer".to_owned())),
            (5, Ok(view(2, 2_500_000))),
            (6, Ok(view(10_000, 1))),
        ] {
            answers.push(Answer::new(number, format!("blue{number}"), said));
        }
        let all = gather(1, answers);
        let there: Vec<_> = all.nodes.iter().map(|node| node.number).collect();
        let missing: Vec<_> = all.missing.iter().map(|node| node.number).collect();
        assert_eq!((there, missing), (vec![1, 3, 6], vec![2, 4]));
        assert_eq!(all.left, [5]);
        let reply = Reply::ClusterProcesses(Box::new(all));
        assert!(encode(&Response::new(1, Ok(reply))).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_reckoned_is_enough_and_little_more(
            numbers: [u64; 11], short: [u32; 8], nice: i32, load: f64, kernel: bool,
            state in prop::char::range('A', 'Z'), comm: String, args: Vec<String>,
        ) {
            let process = ProcessView {
                pid: short[0],
                ppid: short[1],
                pgid: short[2],
                sid: short[3],
                uid: short[4],
                euid: short[5],
                tty: short[6],
                threads: short[7],
                start: numbers[0],
                cgroup: numbers[1],
                run: numbers[2],
                wait: numbers[3],
                utime: numbers[4],
                stime: numbers[5],
                voluntary: numbers[6],
                involuntary: numbers[7],
                rss: numbers[8],
                swap: numbers[9],
                size: numbers[10],
                nice,
                load,
                kernel,
                state,
                comm,
                args,
            };
            let json = serde_json::to_string(&process).expect("plain data").len();
            let reckoned = super::process(&process);
            prop_assert!((json + 1..json + 64).contains(&reckoned), "{json} {reckoned}");
        }
    }

    #[test]
    fn the_heading_is_enough() {
        let load = LoadView {
            load: f64::MIN_POSITIVE,
            mean: f64::MAX,
            upper: -f64::MAX,
            process: 1.0 / 3.0,
        };
        let view = ProcessesView {
            at: u64::MAX,
            booted: u64::MAX,
            memory: u64::MAX,
            load: Some(load),
            ..view(0, 0)
        };
        let json = serde_json::to_string(&view).expect("plain data").len();
        assert!(json < length(&view), "{json}");
    }
}
