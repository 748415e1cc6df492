//! Daemons are killed and started again, one after another, the master's too, and now and
//! then two at once. Their kernels go on: nobody is put out.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let rounds = town.hosts().min(6) as u64;
    let mut round = 0;
    while town.goes_on(round, rounds) {
        round += 1;
        town.limit(20);
        let most = if town.hosts() > 4 { 2 } else { 1 };
        let some = town.some(1, most);
        town.tell();
        town.kill_daemons(&some).await;
        let away = town.between(5, 400);
        town.pass(ms(away)).await?;
        town.start_daemons(&some);
        let between = town.between(100, 1_500);
        town.pass(ms(between)).await?;
    }
    town.converge(ms(3_000)).await
}
