//! How a machine gets into a cluster: it founds one, or joins one.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use ssi_api::control::{Failure, FailureKind, Reply};
use ssi_clms::core::State;
use ssi_clms::door::{self, Authority, Token, enrol};
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::kept::{Kept, Place};
use super::saved::Saved;
use super::world::Standing;
use super::{Cluster, Member, start};
use crate::config::Config;
use crate::keepalive;
use crate::random::random;
use crate::why::why;

/// How long a node may take to be UP before whoever asked is told where it stands.
const PATIENCE: Duration = Duration::from_secs(25);
/// Longest name of a cluster.
const LONGEST_NAME: usize = 63;

pub(super) fn refused(why: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Refused, why)
}

pub(super) fn internal(error: &anyhow::Error) -> Failure {
    Failure::new(FailureKind::Internal, why(error))
}

impl Cluster {
    /// Founds a cluster of this node alone.
    pub(super) async fn init(&self, name: &str, number: Option<u16>) -> Result<Reply, Failure> {
        let _changing = self.changing.lock().await;
        let config = self.world.config();
        self.is_in_none()?;
        let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(good) {
            return Err(refused(format!(
                "\"{name}\" is no name for a cluster: 1 to {LONGEST_NAME} letters, digits, - _ and ."
            )));
        }
        if !config.cluster.potential_master {
            return Err(refused(
                "this node may not become the master (cluster.potential_master), so it can't found a cluster",
            ));
        }
        let number = number.unwrap_or(1);
        if !(1..=ssi_clms::core::MAX_NODES).contains(&number) {
            return Err(refused(format!(
                "a node's number is 1 to {}, not {number}",
                ssi_clms::core::MAX_NODES
            )));
        }
        let addresses = match config.node.addresses.clone() {
            none if none.is_empty() => vec![first_address().ok_or_else(|| {
                refused("this machine has no address that others could reach; set node.addresses")
            })?],
            some => some,
        };
        let authority = Authority::generate(random()).map_err(|e| internal(&e.into()))?;
        let papers = authority.papers().map_err(|e| internal(&e.into()))?;
        let place = Place {
            cluster: name.to_owned(),
            security: config.cluster.security.name().to_owned(),
            number,
            addresses,
            doors: Vec::new(),
        };
        let mut kept = Kept::new(place, papers, &authority);
        kept.founding = true;
        self.go_in(&config, kept, &format!("the cluster {name} is founded"))
            .await
    }

    /// Joins a cluster by way of one of its nodes.
    pub(super) async fn join(
        &self,
        host: &str,
        token: &str,
        number: Option<u16>,
    ) -> Result<Reply, Failure> {
        let _changing = self.changing.lock().await;
        let config = self.world.config();
        self.is_in_none()?;
        let token: Token = token.parse().map_err(|bad| refused(format!("{bad}")))?;
        let mut last = refused(format!("{host} has no address"));
        for door in addresses_of(host).await? {
            match enrol(door, &token, number).await {
                Ok((papers, enrolled)) => {
                    let authority = Authority::new(
                        enrolled.identity,
                        enrolled.authority,
                        enrolled.authority_key,
                    )
                    .map_err(|e| internal(&e.into()))?;
                    let place = Place {
                        cluster: enrolled.cluster.clone(),
                        security: enrolled.security,
                        number: enrolled.number,
                        addresses: match config.node.addresses.clone() {
                            none if none.is_empty() => vec![enrolled.seen],
                            some => some,
                        },
                        doors: enrolled.doors,
                    };
                    let mut kept = Kept::new(place, papers, &authority);
                    kept.token = Some(token.to_string());
                    if !kept.doors.contains(&door.ip()) && door.port() == door::PORT {
                        kept.doors.push(door.ip());
                    }
                    let done = format!("this node has joined {}", enrolled.cluster);
                    return self.go_in(&config, kept, &done).await;
                }
                Err(error) => last = refused(error.to_string()),
            }
        }
        Err(last)
    }

    fn is_in_none(&self) -> Result<(), Failure> {
        match self.world.standing() {
            // Whoever has left a cluster may go to another.
            Standing::Alone | Standing::Left(_) => Ok(()),
            Standing::Member(member) => Err(refused(format!(
                "this is node {} of the cluster {} already; `ssi cluster` shows it, `ssi leave` leaves it",
                member.kept.number, member.kept.cluster
            ))),
        }
    }

    /// Runs as what was just made; if the cluster says no, all is as it was.
    async fn go_in(&self, config: &Config, kept: Kept, done: &str) -> Result<Reply, Failure> {
        let directory = &config.state.directory;
        let number = kept.number;
        let fresh = || {
            Saved::remove(directory)?;
            start::remove_log(directory)?;
            keepalive::forget(config)?;
            kept.save(directory)
        };
        fresh().map_err(|e| internal(&e))?;
        let standing = Standing::Member(Box::new(super::world::Member {
            kept: kept.clone(),
            view: std::sync::Arc::default(),
            id: None,
            fenced: true,
        }));
        let entered = async {
            self.world.stand(|place| *place = standing).await?;
            self.enter(kept.clone(), Saved::default()).await
        };
        let member = match entered.await {
            Ok(member) => member,
            Err(error) => {
                self.go_back(config).await;
                return Err(internal(&error));
            }
        };
        match up(&member).await {
            Ok(()) => {
                tracing::info!("{done}, as node {number}");
                let _ = member.forget_token(directory);
                Ok(Reply::Member { number })
            }
            Err(Late::Refused(why)) => {
                self.go_back(config).await;
                Err(refused(why))
            }
            Err(Late::Slow(state)) => Err(Failure::new(
                FailureKind::Busy,
                format!(
                    "after {} s, {state}; it goes on trying: `ssi cluster` says how it stands",
                    PATIENCE.as_secs()
                ),
            )),
        }
    }

    async fn go_back(&self, config: &Config) {
        self.exit().await;
        let directory = &config.state.directory;
        let undo = || {
            Kept::remove(directory)?;
            Saved::remove(directory)?;
            keepalive::forget(config)?;
            start::remove_log(directory)
        };
        if let Err(error) = undo() {
            tracing::error!("{}", why(&error));
        }
        if let Err(error) = self.world.stand(|place| *place = Standing::Alone).await {
            tracing::error!("{}", why(&error));
        }
    }
}

/// Why a node is not UP.
pub(super) enum Late {
    /// The cluster says no.
    Refused(String),
    /// It takes its time; how far it is.
    Slow(String),
}

/// Waits until a node is UP, holds a lease, and its subsystems have taken that in.
pub(super) async fn up(member: &Member) -> Result<(), Late> {
    let mut progress = member.progress.subscribe();
    let waited = timeout(
        PATIENCE,
        progress.wait_for(|progress| {
            let state = progress.id.and_then(|id| progress.view.member(id));
            let up = state.is_some_and(|member| member.state == State::Up);
            up && !progress.fenced || progress.refused.is_some() && progress.id.is_none()
        }),
    )
    .await;
    match waited {
        Ok(Ok(progress)) => match (&progress.refused, progress.id) {
            (Some(why), None) => Err(Late::Refused(why.clone())),
            _ => Ok(()),
        },
        Ok(Err(_)) => Err(Late::Slow("membership has stopped".to_owned())),
        Err(_) => {
            let progress = member.progress.borrow();
            let state = progress.id.and_then(|id| progress.view.member(id));
            Err(Late::Slow(match state {
                None => "the cluster has not taken this node in yet".to_owned(),
                Some(member) => format!("this node is {}", member.state),
            }))
        }
    }
}

impl Member {
    /// The view knows this node's key now.
    fn forget_token(&self, directory: &std::path::Path) -> anyhow::Result<()> {
        let kept = {
            let mut kept = self
                .kept
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            kept.token = None;
            kept.clone()
        };
        kept.save(directory)
    }
}

/// Where the doors of a host may be.
async fn addresses_of(host: &str) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, door::PORT)]);
    }
    let target = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:{}", door::PORT)
    };
    let found = lookup_host(target).await;
    let found = found.map_err(|error| refused(format!("cannot find {host}: {error}")))?;
    Ok(found.collect())
}

/// The first address of this machine that others may reach: IPv4 if there is one.
fn first_address() -> Option<IpAddr> {
    let mut found: Vec<IpAddr> = getifaddrs()
        .ok()?
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|at| IpAddr::V4(at.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|at| IpAddr::V6(at.ip())))
        })
        .filter(|address| match address {
            IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
            IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
        })
        .collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found.first().copied()
}
