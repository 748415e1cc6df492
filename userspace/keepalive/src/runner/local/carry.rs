//! What a supervisor wants is done.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use rustix::process::{Pid, PidfdFlags, Signal as Number, pidfd_open, pidfd_send_signal};

use super::{Local, Tasks, notify, test, watch};
use crate::config::{Process, Ready};
use crate::core::{Action, Exit, Heard, Id, Main, Run, Signal};
use crate::runner::cgroup::Cgroup;
use crate::runner::spawn::{Plan, spawn};
use crate::runner::{exit, log, user};

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
    }

    fn carry(&mut self, action: Action) {
        match action {
            Action::Start { id, run, process } => {
                let heard = match self.start(&id, run, &process) {
                    Ok(main) => Heard::Started(main),
                    Err(error) => Heard::NotStarted(error.to_string()),
                };
                self.hear(&id, run, heard);
            }
            Action::Watch {
                id,
                run,
                main,
                process,
            } => {
                if let Some(heard) = self.take_over(&id, run, main, &process) {
                    self.hear(&id, run, heard);
                }
            }
            Action::Signal { id, signal, .. } => {
                let cgroup = self.cgroups.of(&id);
                let done = match signal {
                    Signal::Term => terminate(&cgroup),
                    Signal::Kill => cgroup.kill(),
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
                        self.watch(&id, run, main, held);
                        self.hear(&id, run, Heard::Daemon(main));
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
                    let heard = Heard::Checked { number, passed };
                    let _ = tell.send((own, run, heard));
                });
                self.task(&id, task);
            }
            Action::Gone { ref id, .. } => {
                self.tasks.remove(id);
                self.cgroups.of(id).remove();
                self.out.push(action);
            }
            Action::Abandon { id, .. } => {
                // Somebody has to take its exit code when it ends.
                if let Some(mut tasks) = self.tasks.remove(&id) {
                    tasks.0.clear();
                }
            }
            Action::Report {
                ref id,
                from,
                to,
                ref why,
            } => {
                tracing::info!(%id, %from, %to, why, "a process changed its state");
                self.out.push(action);
            }
            Action::Elsewhere { .. } => self.out.push(action),
        }
    }

    fn hear(&self, id: &Id, run: Run, heard: Heard) {
        // The receiving end is kept as long as this one.
        let _ = self.tell.send((id.clone(), run, heard));
    }

    fn task(&mut self, id: &Id, task: tokio::task::JoinHandle<()>) {
        let tasks = &mut self.tasks.entry(id.clone()).or_default().0;
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    fn start(&mut self, id: &Id, run: Run, process: &Arc<Process>) -> io::Result<Main> {
        self.tasks.insert(id.clone(), Tasks::default());
        let mut told = BTreeMap::from([
            ("SSI_SERVICE".to_owned(), id.process.to_string()),
            ("SSI_INSTANCE".to_owned(), id.instance.to_string()),
        ]);
        self.notified(id, run, process, &mut told)?;
        let log = log::open(&self.log(id))?;
        let plan = Plan::new(process, told, log)?;
        let cgroup = self.cgroups.of(id).make(&process.cgroup)?;
        let spawned = spawn(&plan, &cgroup)?;
        let pid = spawned.pid;
        let start = exit::start(pid).unwrap_or(0);
        let main = Main { pid, start };
        self.watch(id, run, main, spawned.pidfd);
        Ok(main)
    }

    /// A socket for what the process says of itself, if it is to say anything.
    fn notified(
        &mut self,
        id: &Id,
        run: Run,
        process: &Process,
        told: &mut BTreeMap<String, String>,
    ) -> io::Result<()> {
        if process.ready != Some(Ready::Notify) && process.watchdog.is_none() {
            return Ok(());
        }
        let path = self.places.runtime.join(format!("{id}.notify"));
        let uid = user::Identity::of(process)?.uid;
        let socket = notify::bind(&path, uid)?;
        told.insert("NOTIFY_SOCKET".to_owned(), path.display().to_string());
        if let Some(span) = process.watchdog {
            let micros = span.0.as_micros().to_string();
            told.insert("WATCHDOG_USEC".to_owned(), micros);
        }
        let task = tokio::spawn(notify::listen(socket, id.clone(), run, self.tell.clone()));
        self.task(id, task);
        Ok(())
    }

    fn watch(&mut self, id: &Id, run: Run, main: Main, held: OwnedFd) {
        let (cgroup, tell) = (self.cgroups.of(id), self.tell.clone());
        let task = tokio::spawn(watch::until_the_end(
            held,
            main,
            cgroup,
            id.clone(),
            run,
            tell,
        ));
        self.task(id, task);
    }

    /// Looks after a process that another supervisor started, or nobody did.
    fn take_over(
        &mut self,
        id: &Id,
        run: Run,
        main: Option<Main>,
        process: &Process,
    ) -> Option<Heard> {
        self.tasks.insert(id.clone(), Tasks::default());
        let notified = self.notified(id, run, process, &mut BTreeMap::new());
        complain(id, "can't be heard", notified);
        let cgroup = self.cgroups.of(id);
        let found = main.or_else(|| watch::topmost(&cgroup));
        let held = found.and_then(|main| Some((main, exit::hold(main).ok()??)));
        let Some((found, held)) = held else {
            if !cgroup.is_populated() {
                return Some(Heard::Absent);
            }
            let tell = self.tell.clone();
            let task = tokio::spawn(watch::until_empty(cgroup, id.clone(), run, tell));
            self.task(id, task);
            let exit = Exit::Unknown;
            return Some(Heard::Exited { exit, rest: true });
        };
        if !cgroup.pids().contains(&found.pid) {
            let taken = cgroup.make(&process.cgroup);
            let taken = taken.and_then(|_| cgroup.take_in(found.pid));
            complain(id, "can't be taken into its cgroup", taken);
        }
        self.watch(id, run, found, held);
        match main {
            Some(_) => None,
            None if process.daemonize => Some(Heard::Daemon(found)),
            None => Some(Heard::Started(found)),
        }
    }
}

/// SIGTERM to all processes of a tree. They are held before it is looked whether they belong
/// to it, so that no other gets it.
fn terminate(cgroup: &Cgroup) -> io::Result<()> {
    let number = |pid: u32| i32::try_from(pid).ok().and_then(Pid::from_raw);
    let held: Vec<_> = (cgroup.pids().into_iter())
        .filter_map(|pid| Some((pid, pidfd_open(number(pid)?, PidfdFlags::empty()).ok()?)))
        .collect();
    let still = cgroup.pids();
    for (_, process) in held.iter().filter(|(pid, _)| still.contains(pid)) {
        // Gone is as good.
        let _ = pidfd_send_signal(process.as_fd(), Number::TERM);
    }
    Ok(())
}

fn complain(id: &Id, what: &str, done: io::Result<()>) {
    if let Err(error) = done
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%id, %error, "{what}");
    }
}
