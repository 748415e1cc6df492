//! A node whose kernel is played: processes live and die, and every rule is looked at.

mod rules;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::core::instance::{Kept, Phase};
use crate::core::{
    Action, Condition, Event, Exit, Heard, Id, Main, Order, Run, Signal, State, Supervisor, Time,
};

/// The processes of one run.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) run: Run,
    pub(super) pid: u32,
    /// The main process is there.
    pub(super) main: bool,
    /// Others are.
    pub(super) rest: bool,
    pub(super) frozen: bool,
    /// It was not started here.
    adopted: bool,
}

/// How processes behave.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manners {
    pub(super) ignore_term: bool,
    pub(super) cant_start: bool,
    pub(super) sick: bool,
    pub(super) silent: bool,
}

pub(super) struct World {
    pub(super) now: Time,
    pub(super) config: Arc<Config>,
    pub(super) supervisor: Supervisor,
    pub(super) trees: BTreeMap<Id, Tree>,
    pub(super) manners: Manners,
    /// What a new supervisor is told.
    pub(super) disk: BTreeMap<Id, Kept>,
    pub(super) fenced: bool,
    /// What everything is good for, as it was told.
    pub(super) conditions: BTreeMap<Id, Condition>,
    pub(super) gone: Vec<Id>,
    pub(super) elsewhere: Vec<Id>,
    pub(super) log: Vec<String>,
    /// Processes that nobody has started, by pid.
    strangers: BTreeSet<u32>,
    /// How many errors each has had: never fewer, unless somebody cleared them.
    errors: BTreeMap<Id, u64>,
    /// Groups a critical member of which has failed, and of which nobody has started since.
    restarting: BTreeSet<String>,
    heard: VecDeque<(Id, Run, Heard)>,
    ends: BTreeMap<(Id, Run), Exit>,
    pids: u32,
}

impl World {
    pub(super) fn new(text: &str) -> Self {
        let config: Config = toml::from_str(text).unwrap();
        let config = Arc::new(config);
        Self {
            now: Time(1_000_000_000),
            supervisor: Supervisor::new(config.clone()),
            config,
            trees: BTreeMap::new(),
            manners: Manners::default(),
            disk: BTreeMap::new(),
            fenced: false,
            conditions: BTreeMap::new(),
            gone: Vec::new(),
            elsewhere: Vec::new(),
            log: Vec::new(),
            strangers: BTreeSet::new(),
            errors: BTreeMap::new(),
            restarting: BTreeSet::new(),
            heard: VecDeque::new(),
            ends: BTreeMap::new(),
            pids: 100,
        }
    }

    /// Places one instance of everything.
    pub(super) fn place_all(&mut self) {
        for process in &self.config.clone().process {
            let id = Id::new(&process.name, 0);
            self.tell(Event::Place { id, carried: None });
        }
    }

    pub(super) fn tell(&mut self, event: Event) {
        if matches!(event, Event::Order(Order::Clear(_))) {
            self.errors.clear();
        }
        let actions = self.supervisor.handle(self.now, event);
        self.carry_out(actions);
        while let Some((id, run, heard)) = self.heard.pop_front() {
            self.hear(id, run, heard);
        }
        self.look();
    }

    fn hear(&mut self, id: Id, run: Run, heard: Heard) {
        let before = self.supervisor.kept(&id).cloned();
        let counts = before.as_ref().is_some_and(|kept| {
            let running = matches!(kept.phase, Phase::Running(_)) && kept.run == run;
            let process = self.config.process(&id.process);
            let code = |codes: &[u8], exit| matches!(exit, Exit::Code(c) if codes.contains(&c));
            let unwanted = |exit| process.is_some_and(|p| !code(&p.down, exit) && !p.daemonize);
            running && matches!(heard, Heard::Exited { exit, .. } if unwanted(exit))
        });
        let event = Event::Heard {
            id: id.clone(),
            run,
            heard,
        };
        let actions = self.supervisor.handle(self.now, event);
        let after = self.supervisor.kept(&id).map(|kept| kept.record.total);
        if counts && let Some(before) = before {
            assert_eq!(
                after,
                Some(before.record.total + 1),
                "an error of {id} is lost"
            );
        }
        if counts
            && let Some(group) = self.config.group_of(&id.process)
            && group.critical.iter().any(|name| **name == *id.process)
        {
            self.restarting.insert(group.name.clone());
        }
        self.carry_out(actions);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        self.write_down();
        for action in actions {
            self.one(action);
        }
    }

    fn write_down(&mut self) {
        for id in self.supervisor.changed() {
            match self.supervisor.kept(&id) {
                Some(kept) => self.disk.insert(id, kept.clone()),
                None => self.disk.remove(&id),
            };
        }
    }

    fn one(&mut self, action: Action) {
        match action {
            Action::Start { id, run, process } => {
                assert!(!self.trees.contains_key(&id), "two live copies of {id}");
                assert!(
                    !self.fenced || !self.config.place(&process).can_move(),
                    "{id} was started without a lease"
                );
                self.starts_together(&id);
                self.log.push(format!("start {id}"));
                if self.manners.cant_start {
                    let why = "no such file".to_owned();
                    return self.heard.push_back((id, run, Heard::NotStarted(why)));
                }
                self.pids += 1;
                let tree = Tree {
                    run,
                    pid: self.pids,
                    main: true,
                    rest: false,
                    frozen: false,
                    adopted: false,
                };
                let heard = Heard::Started(main(&tree));
                self.trees.insert(id.clone(), tree);
                self.heard.push_back((id, run, heard));
            }
            Action::Signal { id, run, signal } => {
                self.log.push(format!("{signal:?} {id}"));
                let Some(tree) = self.trees.get(&id).filter(|tree| tree.run == run) else {
                    return;
                };
                match signal {
                    Signal::Stop(_) if tree.frozen || self.manners.ignore_term => {}
                    Signal::Stop(_) => self.end(&id, Exit::Signal(15), false),
                    Signal::Kill => self.end(&id, Exit::Signal(9), false),
                }
            }
            Action::Freeze { id, run, frozen } => {
                if let Some(tree) = self.trees.get_mut(&id).filter(|tree| tree.run == run) {
                    tree.frozen = frozen;
                }
            }
            Action::Watch {
                id,
                run,
                main: known,
                process,
            } => {
                if let Some(main) = known
                    && self.strangers.remove(&main.pid)
                {
                    assert!(!self.trees.contains_key(&id), "two live copies of {id}");
                    let tree = Tree {
                        run,
                        pid: main.pid,
                        main: true,
                        rest: false,
                        frozen: false,
                        adopted: true,
                    };
                    self.trees.insert(id, tree);
                    return;
                }
                let heard = match (self.trees.get(&id), known) {
                    (Some(tree), None) if tree.run == run && process.daemonize && !tree.main => {
                        Heard::Daemon(main(tree))
                    }
                    (Some(tree), None) if tree.run == run => Heard::Started(main(tree)),
                    (Some(tree), Some(_)) if tree.run == run && tree.main => return,
                    (Some(tree), Some(_)) if tree.run == run => Heard::Exited {
                        exit: self.ends.get(&(id.clone(), run)).copied().unwrap(),
                        rest: true,
                    },
                    _ => match self.ends.get(&(id.clone(), run)) {
                        Some(&exit) if known.is_some() => Heard::Exited { exit, rest: false },
                        _ => Heard::Absent,
                    },
                };
                self.heard.push_back((id, run, heard));
            }
            Action::FindDaemon { id, run } => {
                if let Some(tree) = self.trees.get_mut(&id).filter(|tree| tree.run == run) {
                    self.pids += 1;
                    (tree.pid, tree.main, tree.rest) = (self.pids, true, false);
                    let heard = Heard::Daemon(main(tree));
                    self.heard.push_back((id, run, heard));
                }
            }
            Action::Check {
                id, run, number, ..
            } => {
                if !self.manners.silent {
                    let sick = self.manners.sick;
                    let passed = if sick {
                        Err("status 500".to_owned())
                    } else {
                        Ok(())
                    };
                    self.heard
                        .push_back((id, run, Heard::Checked { number, passed }));
                }
            }
            Action::Report { id, from, to, why } => {
                assert!(!why.is_empty(), "{id} is {to} and nobody knows why");
                self.log.push(format!("{id}: {from} → {to}"));
            }
            Action::Condition { id, condition } => {
                match condition {
                    Some(condition) => self.conditions.insert(id, condition),
                    None => self.conditions.remove(&id),
                };
            }
            Action::Gone { id, .. } => {
                assert!(!self.trees.contains_key(&id), "{id} is gone and runs");
                self.errors.remove(&id);
                self.gone.push(id);
            }
            Action::Elsewhere { id, .. } => self.elsewhere.push(id),
            Action::Abandon { id, .. } => {
                self.trees.remove(&id);
            }
        }
    }

    /// Processes end: all of a tree, or the main one only.
    pub(super) fn end(&mut self, id: &Id, exit: Exit, rest: bool) {
        let Some(tree) = self.trees.get_mut(id) else {
            return;
        };
        let run = tree.run;
        let heard = if tree.main {
            Heard::Exited { exit, rest }
        } else if rest {
            return;
        } else {
            Heard::Emptied
        };
        (tree.main, tree.rest) = (false, rest);
        self.ends.insert((id.clone(), run), exit);
        if !rest {
            self.trees.remove(id);
        }
        self.heard.push_back((id.clone(), run, heard));
    }

    /// Somebody has started it by hand, or has not, and wants it looked after.
    pub(super) fn adopt(&mut self, id: Id, is_there: bool) {
        self.pids += 1;
        let main = Main {
            pid: self.pids,
            start: 0,
        };
        if is_there {
            self.strangers.insert(main.pid);
        }
        self.tell(Event::Order(Order::Adopt(id, main)));
        self.strangers.clear();
    }

    /// As [`end`](Self::end), and the supervisor hears it.
    pub(super) fn dies(&mut self, name: &str, exit: Exit) {
        self.end(&Id::new(name, 0), exit, false);
        self.tell(Event::Tick);
    }

    /// Our own daemon is killed; with it what it was just told, and was about to do.
    pub(super) fn supervisor_dies(&mut self) {
        self.heard.clear();
        let kept = self.disk.clone();
        let (supervisor, actions) =
            Supervisor::restore(self.now, self.config.clone(), kept, self.fenced);
        self.supervisor = supervisor;
        self.conditions = self.supervisor.conditions().collect();
        self.carry_out(actions);
        self.tell(Event::Tick);
    }

    /// Time goes by, and the supervisor is told whenever it wanted to be.
    pub(super) fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(due) = self.supervisor.due().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.tell(Event::Tick);
        }
        self.now = until;
    }

    pub(super) fn state(&self, name: &str) -> State {
        self.supervisor.state(&Id::new(name, 0)).unwrap()
    }

    pub(super) fn why(&self, name: &str) -> String {
        self.supervisor.why(self.now, &Id::new(name, 0)).unwrap()
    }
}

fn main(tree: &Tree) -> Main {
    Main {
        pid: tree.pid,
        start: tree.run,
    }
}
