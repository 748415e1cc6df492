//! Up to a quarter of the hosts crash at one moment; later they come back.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let hosts = town.hosts();
    let most = (hosts / 4).max(1);
    let dead = town.some(1, most);
    town.limit(3 + 4 * dead.len() as u64 + 8);
    town.crash(&dead).await;
    town.until("the crashed hosts are out", ms(2_500), |world| {
        let view = crate::life::newest(world);
        dead.iter()
            .all(|host| view.current(crate::host::number(*host)).is_none())
    })
    .await?;
    town.unlimited();
    town.pass(ms(2_000)).await?;
    town.boot(&dead);
    town.converge(ms(8_000)).await
}
