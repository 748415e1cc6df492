//! Four fifths of one host's packets are lost, both ways, for half a minute. Only it may be
//! put out.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let bad = town.some(1, 1);
    town.faulty(&bad);
    town.lose_at(bad[0], 0.8);
    town.pass(town.span(30_000)).await?;
    town.heal();
    town.converge(ms(10_000)).await
}
