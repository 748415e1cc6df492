//! What a supervisor wants is done.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, Signal as Number, pidfd_open, pidfd_send_signal};

use super::{Local, Told, notify, test, watch};
use crate::config::{Process, Ready, StopSignal};
use crate::core::{Action, Heard, Id, Main, Run, Signal};
use crate::runner::cgroup::Cgroup;
use crate::runner::spawn::{Plan, spawn};
use crate::runner::{exit, journal, log};

impl Local {
    /// What is to be remembered is written down before anything is done. If the disk is full,
    /// it is done all the same: a service that isn't started is worse than an error that is
    /// forgotten.
    pub(super) fn carry_out(&mut self, actions: Vec<Action>) {
        let changed = self.supervisor.changed();
        let changes = changed
            .into_iter()
            .map(|id| (id.clone(), self.supervisor.kept(&id)));
        if let Err(error) = self.store.write(changes) {
            tracing::error!(%error, "what is supervised can't be written down");
        }
        for action in actions {
            self.carry(action);
        }
        if let Err(error) = self.store.tidy() {
            tracing::error!(%error, "the file of what is supervised can't be made shorter");
        }
    }

    fn carry(&mut self, action: Action) {
        match action {
            Action::Start { id, run, process } => {
                let heard = match self.start(&id, run, &process) {
                    Ok(main) => Heard::Started(main),
                    Err(error) => Heard::NotStarted(error.to_string()),
                };
                self.later(&id, run, Told::Heard(heard));
            }
            Action::Watch {
                id,
                run,
                main,
                process,
            } => {
                if let Some(heard) = self.take_over(&id, run, main, &process) {
                    self.later(&id, run, Told::Heard(heard));
                }
            }
            Action::Signal { id, signal, .. } => {
                let cgroup = self.cgroups.of(&id);
                let done = match signal {
                    Signal::Stop(signal) => ask_to_end(&cgroup, signal),
                    Signal::Kill => {
                        if let Some(running) = self.running.get_mut(&id) {
                            running.cgroup = None;
                        }
                        cgroup.kill()
                    }
                };
                complain(&id, "can't be signalled", done);
            }
            Action::Freeze { id, frozen, .. } => {
                let done = self.cgroups.of(&id).freeze(frozen);
                complain(&id, "can't be stood still", done);
            }
            Action::FindDaemon { id, run } => {
                let cgroup = self.cgroups.of(&id);
                if let Some(main) = watch::topmost(&cgroup) {
                    let held = exit::hold(main).ok().flatten();
                    if let Some(held) = held {
                        self.remember(&id, main);
                        self.watch_main(&id, run, main, held);
                        self.later(&id, run, Told::Heard(Heard::Daemon(main)));
                    }
                }
            }
            Action::Check {
                id,
                run,
                number,
                test,
                timeout,
            } => {
                let tell = self.tell.clone();
                let own = id.clone();
                let task = tokio::spawn(async move {
                    let passed = test::passes(&test, timeout).await;
                    let told = Told::Heard(Heard::Checked { number, passed });
                    let _ = tell.send((own, run, told));
                });
                self.task(&id, task);
            }
            Action::Gone { ref id, .. } => {
                self.let_go(id);
                self.cgroups.of(id).remove();
                self.out.push(action);
            }
            Action::Abandon { id, .. } => self.abandon(&id),
            Action::Report {
                ref id,
                from,
                to,
                ref why,
            } => {
                tracing::info!(%id, %from, %to, why, "a process changed its state");
                self.out.push(action);
            }
            Action::Elsewhere { .. } | Action::Condition { .. } => self.out.push(action),
        }
    }

    pub(super) fn task(&mut self, id: &Id, task: tokio::task::JoinHandle<()>) {
        let tasks = &mut self.running.entry(id.clone()).or_default().tasks;
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    fn start(&mut self, id: &Id, run: Run, process: &Arc<Process>) -> io::Result<Main> {
        let before = self.let_go(id);
        let mut told = BTreeMap::from([
            ("SSI_SERVICE".to_owned(), id.process.to_string()),
            ("SSI_INSTANCE".to_owned(), id.instance.to_string()),
        ]);
        let socket = self.notified(id, process, &mut told)?;
        let log = self.output(id, process)?;
        let identity = self.identities.of(process)?;
        let mut plan = Plan::new(process, identity, told, log)?;
        if let Some(socket) = &socket {
            plan.hold(socket.as_fd().try_clone_to_owned()?);
        }
        plan.mark(self.mark(id, run));
        let cgroup = self.cgroups.of(id);
        let again = before.cgroup.filter(|limits| *limits == process.cgroup);
        let seat = match again.map(|limits| cgroup.again(&limits)) {
            Some(Ok(Some(seat))) => seat,
            _ => cgroup.make(&process.cgroup)?,
        };
        let spawned = spawn(&plan, &seat, &mut self.slots)?;
        let pid = spawned.pid;
        let start = spawned.start.or_else(|| exit::start(pid)).unwrap_or(0);
        let main = Main { pid, start };
        if !spawned.entered {
            self.remember(id, main);
        }
        self.watch_main(id, run, main, spawned.pidfd);
        if let Some(socket) = socket {
            self.watch_notify(id, run, socket);
        }
        self.running.entry(id.clone()).or_default().cgroup = Some(process.cgroup);
        Ok(main)
    }

    /// Where the process writes to. What it says is worth less than what it does, so there is
    /// always somewhere.
    fn output(&self, id: &Id, process: &Process) -> io::Result<OwnedFd> {
        let mut file = log::open(&self.log(id)).or_else(|error| {
            tracing::warn!(%id, %error, "its log file can't be made; what it writes is lost");
            File::options().append(true).open("/dev/null")
        })?;
        if !process.log.journal {
            return Ok(file.into());
        }
        match journal::connect(id) {
            Ok(Some(journal)) => {
                // It only helps those who look for it here.
                let _ = file.write_all(journal::note(id).as_bytes());
                return Ok(journal);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%id, %error, "the journal does not take what it writes"),
        }
        Ok(file.into())
    }

    /// A socket for what the process says of itself, if it is to say anything.
    pub(super) fn notified(
        &mut self,
        id: &Id,
        process: &Process,
        told: &mut BTreeMap<String, String>,
    ) -> io::Result<Option<UnixDatagram>> {
        if process.ready != Some(Ready::Notify) && process.watchdog.is_none() {
            return Ok(None);
        }
        let path = self.notify_path(id);
        let uid = self.identities.of(process)?.uid;
        let socket = notify::bind(&path, uid)?;
        told.insert("NOTIFY_SOCKET".to_owned(), path.display().to_string());
        if let Some(span) = process.watchdog {
            let micros = span.0.as_micros().to_string();
            told.insert("WATCHDOG_USEC".to_owned(), micros);
        }
        Ok(Some(socket))
    }

    pub(super) fn notify_path(&self, id: &Id) -> PathBuf {
        self.places.runtime.join(format!("{id}.notify"))
    }
}

/// A signal to all processes of a tree. They are held before it is looked whether they belong
/// to it, so that no other gets it.
fn ask_to_end(cgroup: &Cgroup, signal: StopSignal) -> io::Result<()> {
    let signal = match signal {
        StopSignal::Term => Number::TERM,
        StopSignal::Int => Number::INT,
        StopSignal::Quit => Number::QUIT,
        StopSignal::Hup => Number::HUP,
        StopSignal::Usr1 => Number::USR1,
        StopSignal::Usr2 => Number::USR2,
        StopSignal::Winch => Number::WINCH,
    };
    let number = |pid: u32| i32::try_from(pid).ok().and_then(Pid::from_raw);
    let held: Vec<_> = (cgroup.pids().into_iter())
        .filter_map(|pid| Some((pid, pidfd_open(number(pid)?, PidfdFlags::empty()).ok()?)))
        .collect();
    let still = cgroup.pids();
    for (_, process) in held.iter().filter(|(pid, _)| still.contains(pid)) {
        // Gone is as good.
        let _ = pidfd_send_signal(process.as_fd(), signal);
    }
    Ok(())
}

pub(super) fn complain(id: &Id, what: &str, done: io::Result<()>) {
    if let Err(error) = done
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%id, %error, "{what}");
    }
}
