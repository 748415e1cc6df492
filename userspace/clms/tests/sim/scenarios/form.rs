//! A cluster forms: everybody starts at once.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    let began = town.now();
    town.form().await?;
    town.took("forming", began);
    town.tell();
    town.pass(ms(1_000)).await?;
    if town.told() != 1 {
        return Err(format!("told {} times, not once", town.told()));
    }
    town.settled()
}
