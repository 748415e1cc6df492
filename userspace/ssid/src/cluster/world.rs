//! What the subsystems of this node have taken in, and how they take more.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use ssi_clms::core::{NodeId, View};

use super::company;
use super::kept::Kept;
use crate::config::Config;
use crate::cvip;
use crate::data_path::{self, DataPath};
use crate::nodes::Company;

/// The subsystems, and what they go by.
pub(crate) struct World {
    pub(super) data_path: Arc<Mutex<DataPath>>,
    config: Mutex<Config>,
    standing: Mutex<Standing>,
    /// One change after the other.
    turn: tokio::sync::Mutex<()>,
}

/// How this node stands.
#[derive(Clone, Default)]
pub(super) enum Standing {
    /// In no cluster.
    #[default]
    Alone,
    /// In one that it has left.
    Left(Box<Kept>),
    /// In one.
    Member(Box<Member>),
}

/// A member, as far as the subsystems are concerned.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) kept: Kept,
    pub(super) view: Arc<View>,
    pub(super) id: Option<NodeId>,
    /// It has stopped everything for want of a lease.
    pub(super) fenced: bool,
}

impl World {
    pub(super) fn new(config: Config, data_path: Arc<Mutex<DataPath>>, standing: Standing) -> Self {
        Self {
            data_path,
            config: Mutex::new(config),
            standing: Mutex::new(standing),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// The configuration.
    pub(super) fn config(&self) -> Config {
        lock(&self.config).clone()
    }

    /// How this node stands.
    pub(super) fn standing(&self) -> Standing {
        lock(&self.standing).clone()
    }

    /// Who is around.
    pub(super) fn company(&self) -> Company {
        company_of(&self.config(), &self.standing())
    }

    /// Takes a configuration.
    pub(super) async fn reconfigure(&self, config: Config) -> Result<()> {
        let _turn = self.turn.lock().await;
        let before = self.company().directed;
        *lock(&self.config) = config.clone();
        let company = self.company();
        let attach = config.clone();
        data_path::with(&self.data_path, move |path| path.reconfigure(&attach)).await?;
        settle(&config, &self.data_path, &before, company).await
    }

    /// Takes a change of how this node stands.
    pub(super) async fn stand(&self, change: impl FnOnce(&mut Standing)) -> Result<()> {
        let _turn = self.turn.lock().await;
        let before = self.company().directed;
        change(&mut lock(&self.standing));
        let (config, company) = (self.config(), self.company());
        settle(&config, &self.data_path, &before, company).await
    }
}

/// Who is around a node that stands so.
pub(super) fn company_of(config: &Config, standing: &Standing) -> Company {
    match standing {
        Standing::Alone => Company::alone(config),
        Standing::Left(kept) => company::left(config, kept),
        Standing::Member(member) => {
            let acts = !member.fenced;
            company::company(config, &member.kept, &member.view, member.id, acts)
        }
    }
}

/// Makes it so. Whoever stops directing an address gives it up before it forwards no more,
/// and whoever starts forwards before it takes it.
async fn settle(
    config: &Config,
    data_path: &Arc<Mutex<DataPath>>,
    before: &HashSet<IpAddr>,
    company: Company,
) -> Result<()> {
    let directed = company.directed.clone();
    let kept: HashSet<IpAddr> = before.intersection(&directed).copied().collect();
    if kept.len() < before.len() {
        cvip::apply(config, &kept).await?;
    }
    data_path::with(data_path, move |path| path.set_company(&company)).await?;
    cvip::apply(config, &directed).await?;
    let gained: HashSet<IpAddr> = directed.difference(before).copied().collect();
    if !gained.is_empty() {
        // Its end is no failure: it announces a few times and is done.
        tokio::spawn(cvip::announce(config.clone(), gained));
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
