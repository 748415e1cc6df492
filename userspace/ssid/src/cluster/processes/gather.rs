//! What nodes said of their processes, as far as it goes into one reply.

use std::io;

use ssi_api::control::MAX_LINE;
use ssi_api::process::{ClusterProcesses, Missing, NodeProcesses, ProcessesView};

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
    pub(super) async fn new(
        number: u16,
        name: String,
        said: Result<ProcessesView, String>,
    ) -> Self {
        let (said, length) = match said {
            Ok(view) => {
                let measured = tokio::task::spawn_blocking(move || {
                    let length = length(&view);
                    (view, length)
                });
                match measured.await {
                    Ok((view, length)) => (Ok(view), length),
                    Err(error) => (Err(error.to_string()), 0),
                }
            }
            Err(why) => (Err(why), 0),
        };
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

/// Bytes of JSON.
fn length(view: &ProcessesView) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Plain data with names: this does not fail.
    match serde_json::to_writer(&mut count, view) {
        Ok(()) => count.0,
        Err(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::control::{Reply, Response, encode};
    use ssi_api::process::ProcessView;

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

    #[tokio::test]
    async fn a_reply_is_never_too_long_and_nobody_is_forgotten() {
        let mut answers = Vec::new();
        for (number, said) in [
            (1, Ok(view(10_000, 1))),
            (2, Ok(view(1, 40_000_000))),
            (3, Ok(view(2, 5_500_000))),
            (4, Err("did not answer".to_owned())),
            (5, Ok(view(2, 2_500_000))),
            (6, Ok(view(10_000, 1))),
        ] {
            answers.push(Answer::new(number, format!("blue{number}"), said).await);
        }
        let all = gather(1, answers);
        let there: Vec<_> = all.nodes.iter().map(|node| node.number).collect();
        let missing: Vec<_> = all.missing.iter().map(|node| node.number).collect();
        assert_eq!((there, missing), (vec![1, 3, 6], vec![2, 4]));
        assert_eq!(all.left, [5]);
        let reply = Reply::ClusterProcesses(Box::new(all));
        assert!(encode(&Response::new(1, Ok(reply))).is_ok());
    }
}
