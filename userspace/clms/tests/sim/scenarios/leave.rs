//! Hosts leave one after the other, voters and the master among them: all others have the view
//! without them soon, and they know it themselves. Then they are switched off, and come back.

use super::ms;
use crate::host::number;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    // Two are enough to go on.
    let most = town.hosts() - 2;
    for host in town.some(1, most) {
        // Those who leave soon after each other may leave two that can vote, of whom one does;
        // that one can't go.
        town.converge(ms(2_000)).await?;
        if town.voters() == [host] {
            continue;
        }
        let began = town.now();
        town.leave(host).await?;
        town.took("until who leaves knows that it has left", began);
        // Its daemon ends its part in the log.
        town.faulty(&[host]);
        town.crash(&[host]).await;
        town.until("all others have a view without it", ms(50), |world| {
            let up = world.hosts.iter().enumerate().filter(|(_, place)| place.up);
            let others = up.filter(|(other, _)| *other != host);
            let mut engines = others.filter_map(|(_, place)| place.engine.as_ref());
            engines.all(|engine| engine.view().current(number(host)).is_none())
        })
        .await?;
        town.took("until the others know that who leaves has left", began);
    }
    town.converge(ms(8_000)).await?;
    let all: Vec<usize> = (0..town.hosts()).collect();
    let off: Vec<usize> = all.into_iter().filter(|host| !town.is_up(*host)).collect();
    town.boot(&off);
    town.converge(ms(8_000)).await?;
    town.well(&off);
    town.pass(ms(200)).await
}
