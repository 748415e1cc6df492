//! What nodes said of their processes, as far as it goes into one reply.

use std::sync::LazyLock;

use ssi_api::control::MAX_LINE;
use ssi_api::process::{
    ClusterProcesses, Missing, NodeProcesses, ProcessView, ProcessesView, Rest,
};

/// Bytes of processes that a reply has; the rest is left for whatever else it has.
pub(super) const ROOM: usize = MAX_LINE - (1 << 20);

/// What a node said, or why it didn't.
pub(super) struct Answer {
    pub(super) number: u16,
    pub(super) name: String,
    pub(super) said: Result<Said, String>,
}

/// What a node said.
pub(super) struct Said {
    pub(super) view: ProcessesView,
    /// Bytes that it takes in a reply.
    pub(super) length: usize,
    /// It has more processes than these.
    pub(super) more: bool,
}

/// The reply that has all of them, or those for which there is room. The first is there in any
/// case, as far as it goes.
pub(super) fn gather(here: u16, answers: Vec<Answer>) -> ClusterProcesses {
    let mut room = ROOM;
    let mut all = ClusterProcesses {
        here,
        ..ClusterProcesses::default()
    };
    for Answer { number, name, said } in answers {
        let mut said = match said {
            Ok(said) => said,
            Err(why) => {
                all.missing.push(Missing { number, name, why });
                continue;
            }
        };
        let fits = said.length <= room && !said.more;
        if !fits && !all.nodes.is_empty() {
            all.left.push(number);
            continue;
        }
        if !fits {
            said.length = cut(&mut said.view, room);
            let last = said.view.processes.last();
            all.rest = last.map(|last| Rest {
                node: number,
                after: last.pid,
            });
        }
        // Who follows on one that was cut would not fit either, but for a small one; whoever asks
        // goes on with the last.
        room = if fits { room - said.length } else { 0 };
        let said = said.view;
        all.nodes.push(NodeProcesses { number, name, said });
    }
    all
}

/// Leaves as many processes as have room, and one in any case; says how much they take.
fn cut(view: &mut ProcessesView, room: usize) -> usize {
    let mut length = heading(view);
    let mut fits = 0;
    for process in &view.processes {
        let longer = length + self::process(process);
        if fits > 0 && longer > room {
            break;
        }
        (fits, length) = (fits + 1, longer);
    }
    view.processes.truncate(fits);
    length
}

/// Bytes of JSON, or a few more: they are not written to be counted, as they are written soon
/// enough.
pub(super) fn length(view: &ProcessesView) -> usize {
    heading(view) + view.processes.iter().map(process).sum::<usize>()
}

/// Of names, four numbers, a load of four.
fn heading(view: &ProcessesView) -> usize {
    512 + text(&view.source)
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

    fn answer(number: u16, said: Result<ProcessesView, String>, more: bool) -> Answer {
        let said = said.map(|view| Said {
            length: length(&view),
            view,
            more,
        });
        let name = format!("blue{number}");
        Answer { number, name, said }
    }

    /// What there is in a reply, which goes into one.
    fn reply(answers: Vec<Answer>) -> ClusterProcesses {
        let all = gather(1, answers);
        let reply = Reply::ClusterProcesses(Box::new(all.clone()));
        assert!(encode(&Response::new(1, Ok(reply))).is_ok());
        all
    }

    #[test]
    fn a_reply_is_never_too_long_and_nobody_is_forgotten() {
        let all = reply(vec![
            answer(1, Ok(view(10_000, 1)), false),
            answer(2, Ok(view(1, 40_000_000)), false),
            answer(3, Ok(view(2, 5_500_000)), false),
            answer(4, Err("did not answer".to_owned()), false),
            answer(5, Ok(view(2, 2_500_000)), false),
            answer(6, Ok(view(10_000, 1)), true),
            answer(7, Ok(view(10_000, 1)), false),
        ]);
        let there: Vec<_> = all.nodes.iter().map(|node| node.number).collect();
        let missing: Vec<_> = all.missing.iter().map(|node| node.number).collect();
        assert_eq!((there, missing), (vec![1, 3, 7], vec![4]));
        assert_eq!((all.left, all.rest), (vec![2, 5, 6], None));
    }

    #[test]
    fn of_the_first_there_is_as_much_as_fits() {
        for more in [false, true] {
            let mut first = view(200, 100_000);
            for (process, pid) in first.processes.iter_mut().zip(1..) {
                process.pid = 2 * pid;
            }
            let all = reply(vec![
                answer(2, Ok(first), more),
                answer(3, Ok(view(1, 1)), false),
            ]);
            let there = all.nodes[0].said.processes.len();
            assert!((155..165).contains(&there), "{there}");
            let after = 2 * u32::try_from(there).expect("few");
            assert_eq!(all.rest, Some(Rest { node: 2, after }));
            assert_eq!((all.nodes.len(), all.left), (1, vec![3]));
        }
        let all = reply(vec![answer(2, Ok(view(1, 1)), true)]);
        assert_eq!(all.rest, Some(Rest { node: 2, after: 0 }));
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
