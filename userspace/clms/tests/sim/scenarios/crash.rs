//! Up to a quarter of the hosts crash at one moment: they are put out in one change of the
//! view. Later they come back.

use super::ms;
use crate::host::number;
use crate::life;
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
    let most = (town.hosts() / 4).max(1);
    let dead = town.minority(most);
    if dead.is_empty() {
        return Ok(());
    }
    // Somebody is told something; out, shut out, down; a new master, who hands over what
    // there is.
    town.limit(13);
    let changes = town.removals();
    let began = town.now();
    town.tell();
    town.crash(&dead).await;
    town.until("the crashed hosts are out", ms(2_000), |world| {
        let view = life::newest(world);
        dead.iter()
            .all(|host| view.current(number(*host)).is_none())
    })
    .await?;
    town.until("all others have that view", ms(100), |world| {
        let newest = life::newest(world).epoch;
        let up = world.hosts.iter().filter(|host| host.up);
        let mut views = up.filter_map(|host| host.engine.as_ref());
        views.all(|engine| engine.view().epoch == newest)
    })
    .await?;
    town.took("from a crash to a new view", began);
    town.pass(ms(3_000)).await?;
    let changes = town.removals() - changes;
    if changes != 1 {
        return Err(format!(
            "{changes} changes of the view put the crashed hosts out"
        ));
    }
    town.unlimited();
    town.boot(&dead);
    town.converge(ms(8_000)).await?;
    town.well(&dead);
    town.pass(ms(200)).await
}
