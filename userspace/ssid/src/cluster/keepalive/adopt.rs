//! A process that runs already is kept alive from now on.

use std::fs;

use ssi_api::control::Failure;
use ssi_keepalive::agreed::Entry;
use ssi_keepalive::core::{Main, Order};
use ssi_keepalive::placement::{Life, Move, Owner};
use ssi_vproc::procfs::Stat;

use super::Supervision;
use super::lookup::unknown;
use super::service::Adoption;
use crate::cluster::join::{internal, refused};

impl Supervision {
    /// Adopts a process of this node: as an instance that operators had stopped, so that it
    /// runs nowhere, and nobody is about to start it.
    pub(super) async fn adopt(&self, adoption: Adoption) -> Result<(), Failure> {
        let Adoption { id, pid } = adoption;
        let asked = id.clone();
        let known = self.desk.with(move |desk| {
            let slot = desk.agreed.slot(&asked);
            let owner = desk.agreed.assignment.owner(&slot);
            let stopped = desk.agreed.is_stopped(&asked.process);
            let (config, me) = (desk.agreed.config.clone(), desk.me());
            (slot, owner, stopped, config, me, desk.unable())
        });
        let (slot, owner, stopped, config, me, unable) = known.await.map_err(|e| internal(&e))?;
        let me: Life = me.ok_or_else(|| refused("this node is no member now"))?;
        if let Some(why) = unable {
            return Err(refused(format!("nothing can be kept alive there: {why}")));
        }
        if config.process(&id.process).is_none() {
            return Err(unknown(&config, &id.process));
        }
        if !stopped {
            return Err(refused(format!(
                "{id} runs already, or is about to; `ssi service stop {}` first",
                id.process
            )));
        }
        let main = process(pid)?;
        match owner {
            Owner::Runs(life) if life == me => {}
            Owner::Nobody => {
                let give = Move::Give {
                    slot: slot.clone(),
                    node: me,
                    from: owner,
                };
                let moves = vec![give];
                let carried = Vec::new();
                self.agree(&Entry::Moves { moves, carried }).await?;
            }
            owner => {
                let node = owner.life().map_or(me.node, |life| life.node);
                return Err(refused(format!(
                    "node {node} has {id}; adopt a process there, or `ssi service remove {}` and apply it anew",
                    id.process
                )));
            }
        }
        let asked = id.clone();
        let adopted = self.desk.with(move |desk| {
            desk.order(Order::Adopt(asked.clone(), main))?;
            let has = desk.status(&asked).and_then(|status| status.main);
            if has == Some(main) {
                return Ok(());
            }
            Err(format!(
                "{asked} could not take process {pid} over: it has just changed"
            ))
        });
        adopted.await.map_err(|e| internal(&e))?.map_err(refused)?;
        let names = vec![id.process];
        let stopped = false;
        self.agree(&Entry::Stop { names, stopped }).await
    }
}

/// A process of this node that can be adopted.
fn process(pid: u32) -> Result<Main, Failure> {
    let stat = fs::read(format!("/proc/{pid}/stat"));
    let stat = stat.ok().and_then(|stat| Stat::parse(&stat));
    let stat = stat.ok_or_else(|| refused(format!("there is no process {pid} on this node")))?;
    if pid <= 1 || stat.ppid == 2 || pid == std::process::id() {
        return Err(refused(format!(
            "process {pid} is none that can be kept alive"
        )));
    }
    let start = stat.start;
    Ok(Main { pid, start })
}
