//! A tenth of all packets is lost for half a minute: nobody is put out.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    town.lose(0.1);
    town.pass(town.span(30_000)).await?;
    town.heal();
    town.converge(ms(10_000)).await
}
