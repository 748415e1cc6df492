//! A daemon is stopped for good, its kernel goes on: that is said, and nobody is put out for
//! it, until the lease can't be renewed, which the kernel sees to.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    // Somebody who is asked by others than itself, and no voter: the log would miss it.
    let voters = town.voters();
    let some = town.some(1, 1)[0];
    if voters.contains(&some) && town.hosts() < 5 {
        return Ok(());
    }
    town.limit(12);
    town.pause(&[some], true);
    town.until("it is found stalled", ms(25_000), |world| {
        world.stalled.contains(&some)
    })
    .await?;
    town.pass(ms(10_000)).await?;
    town.pause(&[some], false);
    town.converge(ms(5_000)).await
}
