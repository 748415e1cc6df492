//! The master crashes, again and again: the others elect another and put it out, and it
//! comes back.

use super::ms;
use crate::host::number;
use crate::life;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let mut round = 0;
    while town.goes_on(round, 3) {
        round += 1;
        let Some(master) = town.master() else {
            return Err("nobody is the master".to_owned());
        };
        town.crash(&[master]).await;
        town.until("another is the master", ms(700), |world| {
            let now = world.now();
            world.hosts.iter().any(|host| host.masters(now))
        })
        .await?;
        town.until("the last master is out", ms(1_500), |world| {
            life::newest(world).current(number(master)).is_none()
        })
        .await?;
        town.pass(ms(1_500)).await?;
        town.boot(&[master]);
        town.converge(ms(5_000)).await?;
        town.well(&[master]);
    }
    Ok(())
}
