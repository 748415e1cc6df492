//! The network falls in two: the side without a majority of the voters stops, the other
//! goes on; when the network heals, everybody is back by itself.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let minority = {
        let hosts = town.hosts();
        let most = (hosts - 1) / 2;
        let voters = town.voters();
        let mut some = town.some(1, most);
        // Fewer than half of the voters.
        let mut votes = (voters.len() - 1) / 2;
        some.retain(|host| {
            let keep = !voters.contains(host) || votes > 0;
            votes -= usize::from(keep && voters.contains(host));
            keep
        });
        some
    };
    if minority.is_empty() {
        return Ok(());
    }
    town.faulty(&minority);
    town.split(&minority);
    town.until("the minority has stopped", ms(2_000), |world| {
        minority.iter().all(|host| {
            let engine = world.hosts[*host].engine.as_ref();
            engine.is_some_and(|engine| engine.is_fenced())
        })
    })
    .await?;
    let span = town.between(0, 8_000);
    town.pass(ms(span)).await?;
    town.heal();
    town.converge(ms(10_000)).await
}
