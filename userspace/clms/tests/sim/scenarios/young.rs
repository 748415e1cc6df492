//! A cluster forms, and its founder crashes as soon as there are enough for three votes: the
//! others go on without it.

use ssi_clms::core::State;

use super::ms;
use crate::host::number;
use crate::life;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.found().await?;
    town.until("three are up that can vote", ms(5_000), |world| {
        let view = life::newest(world);
        let able = view
            .present()
            .filter(|member| member.state == State::Up && member.candidate.potential_master);
        able.count() > 2
    })
    .await?;
    let after = town.between(0, 3) * 10;
    town.pass(ms(after)).await?;
    town.crash(&[0]).await;
    town.until("the founder is out", ms(3_000), |world| {
        life::newest(world).current(number(0)).is_none()
    })
    .await?;
    town.boot(&[0]);
    town.converge(ms(8_000)).await?;
    town.well(&[0]);
    town.settled()
}
