//! A cluster forms: everybody starts at once.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    let began = town.now();
    town.form().await?;
    town.took("forming", began);
    town.pass(ms(1_000)).await?;
    town.settled()
}
