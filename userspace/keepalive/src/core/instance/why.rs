//! Why an instance is in its state, for whoever operates it.

use std::time::Duration;

use super::Instance;
use super::phase::{Down, Phase, Stop, Then};
use crate::config::{Ready, Span};
use crate::core::exit::Failure;
use crate::core::time::Time;

impl Instance {
    /// Why it is as it is, as far as it is about itself.
    pub(crate) fn why(&self, now: Time) -> String {
        let name = &self.id.process;
        match &self.kept.phase {
            Phase::Waiting => format!("it is about to start{}", self.errors()),
            Phase::Starting => "its program is being started".to_owned(),
            Phase::Running(_) if self.frozen => {
                "it stands still: this node has no lease, and another may be about to run it"
                    .to_owned()
            }
            Phase::Running(live) if live.ready => {
                let since = ago(now, live.since);
                format!("running since {since} ago{}", self.errors())
            }
            Phase::Running(live) => {
                let for_long = ago(now, live.since);
                let waits = self.readiness(live.main.is_none());
                format!("started {for_long} ago; {waits}{}", self.errors())
            }
            Phase::Ending(ending) => {
                let next = match &ending.then {
                    Then::Pause(_) | Then::Start => "is then started again",
                    Then::Reject(_) => "then asks for another node",
                    Then::Down(Down::Group(_)) => "is down then, with its group",
                    Then::Down(_) => "is down then",
                    Then::Stopped(_) => "was told to stop",
                    Then::Gone => "leaves this node",
                };
                let how = match ending.kills {
                    0 => {
                        let signal = self.process.stop_signal.name();
                        format!("{signal} sent; SIGKILL follows in {}", left(now, ending.by))
                    }
                    1 => "SIGKILL sent".to_owned(),
                    n => format!("SIGKILL sent {n} times; the kernel keeps it"),
                };
                format!("it is being ended ({how}) and {next}{}", self.errors())
            }
            Phase::Pausing { until } => {
                let wait = left(now, *until);
                format!("started again in {wait}{}", self.errors())
            }
            Phase::Rejected { until, exit } => format!(
                "{exit} says that it can't run on this node; another is asked for, and if there \
                 is none it is tried here again in {}",
                left(now, *until)
            ),
            Phase::Down(Down::Errors) => {
                let (limit, within) = (self.process.error_limit, self.process.probation);
                let last = self.last();
                format!(
                    "{limit} errors within {within}{last}; `ssi service clear {name}` starts it again"
                )
            }
            Phase::Down(Down::Code(code)) => format!(
                "exit code {code} says that it is not to be restarted; \
                 `ssi service clear {name}` starts it again"
            ),
            Phase::Down(Down::Group(member)) => format!(
                "\"{member}\" of its group went down; `ssi service clear {member}` starts the \
                 group again"
            ),
            Phase::Stopped(Stop::Operator) => {
                format!("stopped by an operator; `ssi service start {name}` starts it")
            }
            Phase::Stopped(Stop::Disabled) => format!(
                "enabled = false in its configuration; `ssi service start {name}` starts it"
            ),
            Phase::Gone => "it runs on this node no longer".to_owned(),
        }
    }

    fn readiness(&self, background: bool) -> String {
        let by = Span(self.process.ready_timeout.0);
        match &self.process.ready {
            _ if background => format!("its new pid is being looked for, for {by} at most"),
            None => format!("it goes into the background, for which it has {by}"),
            Some(Ready::Notify) => format!("it says READY=1 within {by}, or is restarted"),
            Some(Ready::Port(port)) => {
                format!("nothing accepts connections at port {port} yet, for which it has {by}")
            }
            Some(Ready::Command(words)) => {
                let command = words.first().map_or("its command", String::as_str);
                format!("{command} doesn't find it ready yet, for which it has {by}")
            }
            Some(Ready::Http(address)) => {
                format!("{address} doesn't answer well yet, for which it has {by}")
            }
        }
    }

    fn last(&self) -> String {
        let last = self.kept.record.last.as_ref();
        last.map_or_else(String::new, |last: &Failure| format!("; {last}"))
    }

    fn errors(&self) -> String {
        match self.kept.record.total {
            0 => String::new(),
            1 => format!("; one error so far{}", self.last()),
            n => format!("; {n} errors so far{}", self.last()),
        }
    }
}

fn ago(now: Time, then: Time) -> Span {
    rounded(now.since(then))
}

fn left(now: Time, until: Time) -> Span {
    rounded(until.since(now))
}

/// To a second; below ten, to a millisecond.
fn rounded(span: Duration) -> Span {
    if span < Duration::from_secs(10) {
        return Span(Duration::from_millis(
            u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
        ));
    }
    Span::secs(span.as_secs())
}
