//! Daemons are stopped for one to ten seconds and go on: their kernels answer, so nobody
//! is put out, and nobody acts on what it believed before.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let mut round = 0;
    while town.goes_on(round, 3) {
        round += 1;
        town.limit(20);
        // A majority of the voters goes on.
        let most = if town.hosts() > 4 { 2 } else { 1 };
        let some = town.some(1, most);
        town.tell();
        town.pause(&some, true);
        let span = town.between(1_000, 10_000);
        town.pass(ms(span)).await?;
        town.pause(&some, false);
        let between = town.between(0, 2_000);
        town.pass(ms(between)).await?;
    }
    town.converge(ms(5_000)).await
}
