//! The network falls in two: the side without a majority of the voters stops, the other
//! goes on; when the network heals, everybody is back by itself.

use ssi_clms::core::engine::Engine;

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let mut round = 0;
    while town.goes_on(round, 1) {
        round += 1;
        once(town).await?;
    }
    Ok(())
}

async fn once(town: &mut Town) -> Result<(), String> {
    let most = (town.hosts() - 1) / 2;
    let minority = town.minority(most);
    if minority.is_empty() {
        return Ok(());
    }
    town.faulty(&minority);
    town.tell();
    town.split(&minority);
    town.until("the minority has stopped", ms(2_000), |world| {
        minority.iter().all(|host| {
            let engine = world.hosts[*host].engine.as_ref();
            engine.is_some_and(Engine::is_fenced)
        })
    })
    .await?;
    let span = town.between(0, 8_000);
    town.pass(ms(span)).await?;
    town.heal();
    town.converge(ms(10_000)).await?;
    town.well(&minority);
    Ok(())
}
