//! Hundreds and thousands of hosts: they form a cluster in a few changes of the view; a
//! hundredth to a quarter of them crash and are put out in one.

use super::ms;
use crate::host::number;
use crate::life;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    let began = town.now();
    town.form_within(ms(20_000)).await?;
    town.took("forming a large cluster", began);
    let sizes = town.sizes();
    if sizes > 8 {
        return Err(format!("the cluster had {sizes} sizes while it formed"));
    }
    let share = [1, 5, 25][town.between(0, 2) as usize];
    let count = (town.hosts() * share / 100).max(1);
    let voters = town.voters();
    let mut dead = town.some(count, count);
    dead.retain(|host| !voters.contains(host));
    let changes = town.removals();
    let began = town.now();
    town.crash(&dead).await;
    town.until("the crashed hosts are out", ms(2_000), |world| {
        let view = life::newest(world);
        dead.iter()
            .all(|host| view.current(number(*host)).is_none())
    })
    .await?;
    town.took("from a crash to a new view, of many", began);
    let changes = town.removals() - changes;
    if changes > 1 {
        return Err(format!(
            "{changes} changes of the view put the crashed hosts out"
        ));
    }
    Ok(())
}
