//! A daemon is away while another host crashes, and is put out: with that the key of probes
//! changes, and a kernel without a daemon knows only the one before. It lives all the same.

use super::ms;
use crate::host::number;
use crate::town::Town;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    town.form().await?;
    let mut round = 0;
    while town.goes_on(round, 3) {
        round += 1;
        town.limit(20);
        let some = town.some(2, 2);
        let voters = town.voters();
        if voters.len() < 5 && some.iter().all(|host| voters.contains(host)) {
            // Nobody could put anybody out.
            continue;
        }
        let (away, dead) = (some[0], some[1]);
        town.kill_daemons(&[away]).await;
        let before = town.between(0, 12_000);
        town.pass(ms(before)).await?;
        town.crash(&[dead]).await;
        let start = town.now();
        town.until("who crashed is out", ms(6_000), |world| {
            let up = world.hosts.iter().filter(|host| host.up);
            let mut views = up.filter_map(|host| host.engine.as_ref());
            views.all(|engine| engine.view().current(number(dead)).is_none())
        })
        .await?;
        town.took(
            "beside a daemon that is away, from a crash to a view without it",
            start,
        );
        let after = town.between(1_000, 4_000);
        town.pass(ms(after)).await?;
        town.start_daemons(&[away]);
        town.pass(ms(1_500)).await?;
        town.boot(&[dead]);
        town.converge(ms(5_000)).await?;
        town.well(&[dead]);
    }
    Ok(())
}
