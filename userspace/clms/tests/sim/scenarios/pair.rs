//! Two potential masters without a witness: one votes. The other goes on without it only
//! when somebody answers for its being off.

use ssi_clms::core::engine::Engine;
use ssi_clms::core::pair::Waits;

use super::ms;
use crate::host::number;
use crate::life;
use crate::town::Town;
use crate::world::{Fencing, World};

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.potential_masters(2);
    let fencing = [
        None,
        Some(Fencing::Works),
        Some(Fencing::Fails),
        Some(Fencing::Hangs),
    ];
    let fencing = fencing[town.between(0, 3) as usize];
    if let Some(fencing) = fencing {
        town.fencing(fencing);
    }
    town.form().await?;
    for _ in 0..3 {
        let voter = town.voters()[0];
        let other = 1 - voter;
        match town.between(0, 4) {
            0 => {
                town.crash(&[other]).await;
                town.until("the other is out", ms(5_000), |world| {
                    life::newest(world).current(number(other)).is_none()
                })
                .await?;
                town.boot(&[other]);
            }
            1 => voter_dies(town, voter, fencing).await?,
            2 => both_off(town, voter).await?,
            3 => {
                town.faulty(&[0, 1]);
                town.cut(0, 1);
                town.cut(1, 0);
                let span = town.between(1_000, 20_000);
                town.pass(ms(span)).await?;
                town.heal();
            }
            _ => {
                // Off for a moment only.
                town.crash(&[voter]).await;
                let off = town.between(300, 3_000);
                town.pass(ms(off)).await?;
                town.boot(&[voter]);
            }
        }
        // The device may switch one off that has just come back.
        town.pass(ms(3_000)).await?;
        let off: Vec<usize> = (0..2).filter(|host| !town.is_up(*host)).collect();
        town.boot(&off);
        town.converge(ms(20_000)).await?;
    }
    Ok(())
}

fn waits(world: &World, host: usize) -> Option<Waits> {
    let now = world.hosts[host].now(world.now());
    let engine = world.hosts[host].engine.as_ref();
    engine.and_then(|engine: &Engine| engine.waits(now))
}

async fn voter_dies(town: &mut Town, voter: usize, fencing: Option<Fencing>) -> Result<(), String> {
    let other = 1 - voter;
    town.crash(&[voter]).await;
    if fencing != Some(Fencing::Works) {
        town.until("the other waits for the voter", ms(6_000), |world| {
            waits(world, other) == Some(Waits::ForVoter(number(voter)))
        })
        .await?;
        town.pass(ms(12_000)).await?;
        if town.master().is_some() {
            return Err("somebody went on alone".to_owned());
        }
        if town.between(0, 1) == 0 {
            // The voter comes back by itself.
            town.boot(&[voter]);
            return Ok(());
        }
        town.take_over(other)?;
    }
    town.until("the other has taken over", ms(15_000), |world| {
        world.hosts[other].masters(world.now())
    })
    .await?;
    let alone = town.between(0, 5_000);
    town.pass(ms(alone)).await?;
    town.tell();
    town.boot(&[voter]);
    Ok(())
}

async fn both_off(town: &mut Town, voter: usize) -> Result<(), String> {
    let other = 1 - voter;
    town.crash(&[0, 1]).await;
    town.pass(ms(500)).await?;
    town.boot(&[voter]);
    town.until("the voter waits for the other", ms(5_000), |world| {
        waits(world, voter) == Some(Waits::ForPartners(vec![number(other)]))
    })
    .await?;
    town.pass(ms(3_000)).await?;
    if town.master().is_some() {
        return Err("the voter went on alone".to_owned());
    }
    if town.between(0, 1) == 0 {
        town.take_over(voter)?;
        town.until("the voter goes on", ms(5_000), |world| {
            world.hosts[voter].masters(world.now())
        })
        .await?;
    }
    town.boot(&[other]);
    Ok(())
}
