//! Nothing goes wrong: how much the hosts send all the same.

use super::ms;
use crate::town::Town;

/// Bytes that a host of fifteen may send in a second, the average of all.
const MOST: usize = 2_000;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    town.pass(ms(15_000)).await?;
    let sent = |town: &Town| -> Vec<usize> {
        let world = town.shared.lock();
        world.traffic.sent().values().copied().collect()
    };
    let before = sent(town);
    town.pass(ms(60_000)).await?;
    let after = sent(town);
    let rates: Vec<usize> = (before.iter().zip(&after))
        .map(|(before, after)| (after - before) / 60)
        .collect();
    let mean = rates.iter().sum::<usize>() / rates.len();
    println!("bytes a second that each host sends: mean {mean}, each {rates:?}");
    if mean > MOST {
        return Err(format!("{mean} bytes a second are too many"));
    }
    Ok(())
}
