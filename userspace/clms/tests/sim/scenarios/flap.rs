//! One host hears nothing for 20 s, hears well for 20 s, and so on, as in the evaluation
//! of Rapid. Only it may be put out.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let bad = town.some(1, 1)[0];
    town.faulty(&[bad]);
    let others: Vec<usize> = (0..town.hosts()).filter(|host| *host != bad).collect();
    let mut round = 0;
    while town.goes_on(round, 2) {
        round += 1;
        for other in &others {
            town.cut(*other, bad);
        }
        town.pass(ms(20_000)).await?;
        town.heal();
        town.pass(ms(20_000)).await?;
    }
    town.converge(ms(5_000)).await
}
