//! The master crashes, again and again: the others elect another and put it out, and it
//! comes back.

use super::ms;
use crate::host::number;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let mut round = 0;
    while town.goes_on(round, 3) {
        round += 1;
        let Some(master) = town.master() else {
            return Err("nobody is the master".to_owned());
        };
        let began = town.now();
        town.crash(&[master]).await;
        // Votes can be split once or twice, which costs time: the last bound is for all.
        town.until("another is the master", ms(2_000), |world| {
            let now = world.now();
            world.hosts.iter().any(|host| host.masters(now))
        })
        .await?;
        town.took("from a crash of the master to the next", began);
        let spent = town.now() - began;
        let left = ms(2_000).saturating_sub(spent);
        town.until("the last master is out everywhere", left, |world| {
            let up = world.hosts.iter().filter(|host| host.up);
            let mut views = up.filter_map(|host| host.engine.as_ref());
            views.all(|engine| engine.view().current(number(master)).is_none())
        })
        .await?;
        town.took("from a crash of the master to a new view", began);
        town.pass(ms(1_500)).await?;
        town.boot(&[master]);
        town.converge(ms(5_000)).await?;
        town.well(&[master]);
    }
    Ok(())
}
