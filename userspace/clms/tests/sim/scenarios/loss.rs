//! A tenth of all packets is lost for half a minute; or four fifths of one host's.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    if town.between(0, 1) == 0 {
        town.lose(0.1);
    } else {
        let bad = town.some(1, 1);
        town.faulty(&bad);
        town.lose_at(bad[0], 0.8);
    }
    town.pass(ms(30_000)).await?;
    town.heal();
    town.converge(ms(10_000)).await
}
