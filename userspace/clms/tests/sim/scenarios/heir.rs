//! The master leaves, and while it hands over to another, somebody crashes: mostly that other.
//! It has left all the same soon, and there is a master.

use super::ms;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let master = town.master().ok_or("nobody is the master")?;
    let mut others = town.voters();
    others.retain(|host| *host != master);
    others.sort_unstable();
    let heir = others[0];
    let victim = if town.between(0, 3) > 0 {
        heir
    } else {
        others[1]
    };
    let began = town.now();
    town.wants_to_leave(master);
    let soon = town.between(0, 40);
    town.pass(ms(soon)).await?;
    town.crash(&[victim]).await;
    town.leave(master).await?;
    town.took(
        "from a master's wish to leave, and a crash, until it has left",
        began,
    );
    town.faulty(&[master]);
    town.crash(&[master]).await;
    town.converge(ms(15_000)).await?;
    town.boot(&[master, victim]);
    town.converge(ms(8_000)).await?;
    town.well(&[master, victim]);
    town.pass(ms(200)).await
}
