//! The master crashes while somebody writes: the longest time without a written change.

mod gap;

use std::time::Duration;

use anyhow::{Context, Result};
use ssi_api::control::{Client, LvsRequest, Request};
use ssi_api::lvs::{Command, Protocol, ServerName, ServerSpec, ServiceName, ServiceSpec};
use ssi_api::service::{ServiceFile, ServiceRequest};

use super::contender::{Contender as _, Etcd, Ssi, agreed};
use super::site::{Nodes, Site, until};
use super::{Options, Sample, order, rows};
use crate::measure::{Bar, Row};
use crate::progress::Progress;
use crate::testbed::enter;

/// A process that never runs: that it is to stand still is written again and again.
const STILL: &str = "still";
/// Milliseconds.
const BAR: f64 = 700.0;
/// Nodes of the cluster.
const NODES: u8 = 3;
/// Crashes of ours in a round, and of the others.
const CRASHES: (usize, usize) = (6, 2);
/// With `--quick`.
const FEW: (usize, usize) = (2, 1);
/// How long one write may take.
const WRITE: Duration = Duration::from_secs(12);
/// How long a master may take to be there.
const START: Duration = Duration::from_secs(30);
/// What the others are tuned to: a heartbeat and an election timeout that a LAN allows.
const TUNED: (u16, u16) = (50, 300);

/// Who keeps a log.
enum Log {
    /// A change counts once it is agreed, and the node that was asked has it: as with etcd.
    Ssi,
    /// Once all nodes go by it: those that are dead have to be out first.
    Everywhere,
    Etcd(Etcd),
}

pub(super) fn run(options: &Options, progress: &Progress) -> Result<Vec<Row>> {
    let mut logs = vec![Log::Ssi, Log::Everywhere];
    if !options.alone {
        logs.push(Log::Etcd(Etcd::new(None)?));
        logs.push(Log::Etcd(Etcd::new(Some(TUNED))?));
    }
    let (ours, theirs) = if options.quick { FEW } else { CRASHES };
    progress.begin(options.rounds * (ours + theirs * (logs.len() - 1)), "write");
    let mut samples = Vec::new();
    for round in 0..options.rounds {
        for place in order(logs.len(), round) {
            let crashes = if place == 0 { ours } else { theirs };
            let log = &logs[place];
            let seen = turn(log, crashes, progress).with_context(|| log.name())?;
            samples.extend(seen);
        }
    }
    Ok(rows(samples, |name| {
        let bar = Bar::WorstAtMost { value: BAR };
        (name == Log::Ssi.name()).then_some(bar)
    }))
}

fn turn(log: &Log, crashes: usize, progress: &Progress) -> Result<Vec<Sample>> {
    progress.says(&format!("{}: forming", log.name()));
    let mut site = Site::boot(NODES)?;
    let all = site.nodes();
    log.found(&site, &all)?;
    let mut samples = Vec::new();
    for crash in 0..crashes {
        let mut master = None;
        until("a master", START, Duration::from_millis(50), || {
            master = log.master(&site)?;
            Ok(master.is_some())
        })?;
        let master = master.context("just seen")?;
        let writer = all.iter().find(|node| **node != master);
        let write = log.writer(&site, *writer.context("a cluster has two nodes")?)?;
        let gap = gap::around(write.as_ref(), || {
            site.crash(&Nodes::from([master]), |_, at| Ok(at))
        })?;
        let took = gap.as_secs_f64() * 1e3;
        samples.push(Sample::new(log.name(), took));
        progress.step(&format!("{}: {took:.0} ms", log.name()));
        if crash + 1 < crashes {
            let gone = Nodes::from([master]);
            site.boot_again(&gone)?;
            log.start(&site, &gone, &all)?;
        }
    }
    Ok(samples)
}

impl Log {
    fn name(&self) -> String {
        match self {
            Self::Ssi => "ssi".to_owned(),
            Self::Everywhere => "ssi, known to all nodes".to_owned(),
            Self::Etcd(etcd) => etcd.name(),
        }
    }

    fn found(&self, site: &Site, all: &Nodes) -> Result<()> {
        match self {
            Self::Ssi | Self::Everywhere => {
                Ssi.found(site, all)?;
                agreed(&Ssi, site, all)?;
                Ssi.ready(site, all)?;
                let commands = vec![
                    Command::AddService {
                        service: service(),
                        spec: ServiceSpec::default(),
                    },
                    Command::AddServer {
                        service: service(),
                        server: server(),
                        spec: ServerSpec::default(),
                    },
                ];
                let apply = Request::Lvs(LvsRequest::Apply { commands });
                Ssi::ask(site, 1, apply)?;
                let file = ServiceFile {
                    name: "what stands still".to_owned(),
                    text: format!("[[process]]\nname = \"{STILL}\"\npath = \"/bin/true\"\n"),
                };
                let apply = ServiceRequest::Apply {
                    files: vec![file],
                    only: false,
                    check: false,
                    options: Vec::new(),
                    stopped: true,
                };
                Ssi::ask(site, 1, Request::Service(apply)).map(drop)
            }
            Self::Etcd(etcd) => etcd.start(all, all),
        }
    }

    fn start(&self, site: &Site, nodes: &Nodes, all: &Nodes) -> Result<()> {
        match self {
            Self::Ssi | Self::Everywhere => {
                Ssi.start(site, nodes)?;
                agreed(&Ssi, site, all)?;
                Ssi.ready(site, all)
            }
            Self::Etcd(etcd) => etcd.start(nodes, all),
        }
    }

    fn master(&self, site: &Site) -> Result<Option<u8>> {
        match self {
            Self::Ssi | Self::Everywhere => Ok(Ssi.master(site)),
            Self::Etcd(_) => Etcd::master(site),
        }
    }

    /// Writes a change by way of a node that is no master.
    fn writer(&self, site: &Site, node: u8) -> Result<Box<dyn Fn() -> Result<()> + Sync>> {
        let init = u32::try_from(site.init(node)?)?;
        let socket = site.socket(node)?;
        Ok(match self {
            Self::Ssi => Box::new(move || {
                let names = vec![STILL.to_owned()];
                let mut client = Client::connect(&socket, WRITE)?;
                client.request(Request::Service(ServiceRequest::Stop { names }))?;
                Ok(())
            }),
            Self::Everywhere => Box::new(move || {
                let commands = vec![Command::EditServer {
                    service: service(),
                    server: server(),
                    spec: ServerSpec::default(),
                }];
                let mut client = Client::connect(&socket, WRITE)?;
                client.request(Request::Lvs(LvsRequest::Apply { commands }))?;
                Ok(())
            }),
            Self::Etcd(_) => Box::new(move || {
                enter(init)?;
                Etcd::write(node, WRITE)
            }),
        })
    }
}

fn service() -> ServiceName {
    ServiceName::Address {
        protocol: Protocol::Tcp,
        addr: ssi_testbed::plan::cvips()[0],
        port: 80,
    }
}

fn server() -> ServerName {
    ServerName {
        addr: Site::address(1),
        port: 80,
    }
}
