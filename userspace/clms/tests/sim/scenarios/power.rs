//! The power fails everywhere, at one moment or one host after another, and comes back
//! likewise: the cluster is there again by itself, from what the disks keep.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    for _ in 0..2 {
        let torn = [0, 100, 2_000][town.between(0, 2) as usize];
        town.tell();
        town.power_cut(ms(torn)).await?;
        let back = town.now();
        town.converge(ms(10_000)).await?;
        town.took("from the last switched on to all well", back);
        town.pass(ms(500)).await?;
    }
    Ok(())
}
