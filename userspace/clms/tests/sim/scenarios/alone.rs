//! One node votes alone, its daemon is away for long, and it goes on as the owner of what it
//! has. Then others are to vote too, while its daemon or the whole node fails.

use super::ms;
use crate::life::RESOURCES;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    let hosts = town.hosts();
    town.boot(&[0]);
    town.found_by_first().await?;
    if hosts > 1 && town.between(0, 1) == 0 {
        town.boot(&[1]);
    }
    town.converge(ms(5_000)).await?;
    away(town).await?;

    // Whoever makes three comes while the first's daemon fails again and again.
    let late: Vec<usize> = (1..hosts).filter(|host| !town.is_up(*host)).collect();
    town.boot(&late);
    for _ in 0..town.between(0, 6) {
        let before = town.between(0, 300);
        town.pass(ms(before)).await?;
        town.kill_daemons(&[0]).await;
        let off = town.between(1, 600);
        town.pass(ms(off)).await?;
        town.start_daemons(&[0]);
    }
    if hosts > 2 {
        town.until("three can vote", ms(8_000), |world| {
            crate::life::newest(world).voters.len() > 1
        })
        .await?;
        // Another is the master before the first knows, or the first is well.
        match town.between(0, 2) {
            0 => town.crash(&[0]).await,
            1 => town.kill_daemons(&[0]).await,
            _ => {
                town.faulty(&[0]);
                town.split(&[0]);
            }
        }
        let gone = town.between(100, 5_000);
        town.faulty(&[0]);
        town.pass(ms(gone)).await?;
        town.heal();
        if !town.is_up(0) {
            town.boot(&[0]);
        } else if !town.runs(0) {
            town.start_daemons(&[0]);
        }
    }
    town.converge(ms(20_000)).await
}

/// The daemon of the only voter is away: nobody acts in its place, and it goes on.
async fn away(town: &mut Town) -> Result<(), String> {
    let had: Vec<&str> = RESOURCES
        .into_iter()
        .filter(|resource| town.owner(resource) == Some(0))
        .collect();
    town.kill_daemons(&[0]).await;
    let away = town.between(1_000, 30_000);
    town.pass(ms(away)).await?;
    if let Some(lost) = had
        .into_iter()
        .find(|resource| town.owner(resource) != Some(0))
    {
        return Err(format!("the only voter acts for {lost} no more"));
    }
    town.start_daemons(&[0]);
    town.converge(ms(8_000)).await
}
