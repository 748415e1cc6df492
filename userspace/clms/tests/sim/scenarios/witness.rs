//! Two potential masters and a witness: any one of the three may be gone, and the others go
//! on.

use ssi_clms::core::State;

use super::ms;
use crate::life;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.potential_masters(2);
    town.add_witness();
    town.form().await?;
    town.name_witness(true);
    town.until("the witness votes", ms(5_000), |world| {
        let view = life::newest(world);
        view.witness_votes() && view.voters.len() == 2
    })
    .await?;
    let witness = town.hosts();
    for _ in 0..3 {
        let one = town.between(0, 1) as usize;
        match town.between(0, 5) {
            0 => {
                town.crash(&[one]).await;
                town.until("the other leads", ms(3_000), |world| {
                    world.hosts[1 - one].masters(world.now())
                })
                .await?;
                let away = town.between(0, 14_000);
                town.pass(ms(away)).await?;
                town.boot(&[one]);
            }
            1 => {
                town.crash(&[witness]).await;
                town.tell();
                town.pass(ms(2_000)).await?;
                town.settled()?;
                town.switch_on(witness);
            }
            2 => {
                town.faulty(&[0, 1]);
                town.cut(0, 1);
                town.cut(1, 0);
                town.pass(ms(5_000)).await?;
                town.heal();
            }
            3 => lacking(town).await?,
            4 => {
                town.leave(one).await?;
                town.faulty(&[one]);
                town.crash(&[one]).await;
                town.converge(ms(3_000)).await?;
                town.boot(&[one]);
            }
            _ => {
                town.power_cut(ms(100)).await?;
            }
        }
        town.converge(ms(15_000)).await?;
    }
    town.name_witness(false);
    town.until("the witness is gone", ms(5_000), |world| {
        life::newest(world).witness.is_none()
    })
    .await?;
    town.converge(ms(5_000)).await
}

/// The master and the witness go on without the other, which is stopped; then the master
/// crashes, and the other has to get from the witness what it lacks.
async fn lacking(town: &mut Town) -> Result<(), String> {
    let Some(master) = town.master() else {
        return Ok(());
    };
    let other = 1 - master;
    town.pause(&[other], true);
    town.pass(ms(300)).await?;
    for _ in 0..3 {
        town.tell();
        town.pass(ms(100)).await?;
    }
    town.crash(&[master]).await;
    town.pause(&[other], false);
    town.until("the other leads", ms(8_000), |world| {
        world.hosts[other].masters(world.now())
    })
    .await?;
    town.until("the master is out", ms(8_000), |world| {
        let view = life::newest(world);
        view.current(crate::host::number(master)).is_none()
            && view.present().all(|member| member.state == State::Up)
    })
    .await?;
    town.boot(&[master]);
    Ok(())
}
