//! Ways are cut in one direction: a host doesn't hear some others, or all. Only it may be
//! put out.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let mut round = 0;
    while town.goes_on(round, 1) {
        round += 1;
        once(town).await?;
    }
    Ok(())
}

async fn once(town: &mut Town) -> Result<(), String> {
    let deaf = town.some(1, 1)[0];
    let hosts = town.hosts();
    let others: Vec<usize> = (0..hosts).filter(|host| *host != deaf).collect();
    let count = town.between(1, others.len() as u64) as usize;
    town.faulty(&[deaf]);
    let hears = town.between(0, 1) == 1;
    for other in others.iter().take(count) {
        if hears {
            town.cut(deaf, *other);
        } else {
            town.cut(*other, deaf);
        }
    }
    let span = town.between(1_000, 10_000);
    town.pass(ms(span)).await?;
    town.heal();
    town.converge(ms(10_000)).await?;
    town.well(&[deaf]);
    Ok(())
}
