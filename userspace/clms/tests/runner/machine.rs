//! A machine in the test: its disk, and the node that runs there.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ssi_clms::core::command::{Command, Wish};
use ssi_clms::core::engine::Start;
use ssi_clms::core::member::{Candidate, Facts};
use ssi_clms::core::{Number, Timing, View};
use ssi_clms::log::Store;
use ssi_clms::runner::{Handle, Node, Order, Settings, Status};
use tokio::task::JoinHandle;

use crate::ground::Inside;
use crate::net::{Net, Way, address};

/// What subsystems were told, in order.
pub(crate) type Told = Arc<Mutex<Vec<Vec<u8>>>>;

pub(crate) struct Machine {
    net: Net,
    pub(crate) number: u16,
    store: Store,
    lives: u64,
    running: Option<(Handle, JoinHandle<()>, JoinHandle<()>)>,
    pub(crate) told: Told,
}

impl Machine {
    pub(crate) fn new(net: &Net, number: u16) -> Self {
        Self {
            net: net.clone(),
            number,
            store: Store::in_memory().expect("memory"),
            lives: 0,
            running: None,
            told: Told::default(),
        }
    }

    fn wish(&self) -> Wish {
        Wish {
            number: Number::new(self.number),
            candidate: Candidate {
                name: format!("machine{}", self.number),
                addresses: vec![address(self.number)],
                key: [u8::try_from(self.number).expect("small"); 32],
                life: self.lives,
                potential_master: true,
                facts: Facts::default(),
            },
        }
    }

    /// Switches it on: a new life. The first of all founds the cluster.
    pub(crate) async fn switch_on(&mut self, founds: bool) {
        self.lives += 1;
        if self.lives > 1 {
            // What its seat promised is not on disk; a real machine takes longer to start.
            tokio::time::sleep(Timing::default().mastery).await;
        }
        let Wish { number, candidate } = self.wish();
        let mut entropy = self.lives * 1_000 + u64::from(self.number);
        let saved = self.net.places().get(&self.number).cloned();
        let settings = Settings {
            start: Start {
                timing: Timing::default(),
                candidate: candidate.clone(),
                number,
                view: saved.map_or_else(View::default, |place| place.view),
                id: None,
                subsystems: vec!["lvs".to_owned()],
                resources: BTreeSet::from(["cvip".to_owned()]),
                fencing: false,
                entropy: Box::new(move || {
                    entropy += 1;
                    entropy
                }),
            },
            log: Some((self.number, self.store.clone())),
            doors: vec![address(1), address(2)],
            seed: self.lives,
        };
        let (net, me) = (self.net.clone(), self.number);
        let way = Way {
            net: net.clone(),
            me,
        };
        let ground = Inside::new(net, me);
        let made = Node::new(settings, ground, way).await;
        let (node, handle, mut orders) = made.expect("the log opens");
        {
            let mut places = self.net.places();
            let place = places.entry(me).or_default();
            place.handle = Some(handle.clone());
            place.own = None;
        }
        if founds {
            let command = Command::Found {
                cluster: "inside".to_owned(),
                identity: 7,
                max_nodes: 511,
                number: number.expect("not 0"),
                candidate,
                probe_key: [1, 2],
            };
            node.found(command).await.expect("an empty log");
        }
        let runs = tokio::spawn(async move { node.run().await.expect("nothing to refuse") });
        let (took, told) = (handle.clone(), self.told.clone());
        let takes = tokio::spawn(async move {
            while let Some(order) = orders.recv().await {
                let said = match order {
                    Order::Install(installed) => {
                        if let Some((_, body)) = installed.told {
                            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                            told.push(body);
                        }
                        took.took("lvs", installed.view.epoch).await
                    }
                    Order::Fence => took.stopped().await,
                    _ => Ok(()),
                };
                if said.is_err() {
                    return;
                }
            }
        });
        self.running = Some((handle, runs, takes));
    }

    /// Switches it off.
    pub(crate) async fn switch_off(&mut self) {
        if let Some((_, runs, takes)) = self.running.take() {
            takes.abort();
            runs.abort();
            // Cancelled, which is what was asked for.
            let _ = (takes.await, runs.await);
        }
        let mut places = self.net.places();
        let place = places.entry(self.number).or_default();
        place.handle = None;
        place.own = None;
        place.lease = ssi_clms::core::Time(0);
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.running.as_ref().expect("it is on").0
    }

    /// Waits until it stands in some way.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&Status) -> bool) -> Status {
        let mut last = None;
        for _ in 0..1_500 {
            let status = self.handle().status().await.expect("it runs");
            if is_so(&status) {
                return status;
            }
            last = Some(status);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("machine {}: never {what}: {last:?}", self.number);
    }
}
