//! A fencing device switches off who is put out: what it had goes to others at once, or, if
//! the device is no good, when the lease is over.

use super::ms;
use crate::host::number;
use crate::life;
use crate::town::Town;
use crate::world::Fencing;

pub(crate) async fn run(town: &mut Town) -> Result<(), String> {
    let fencing = [Fencing::Works, Fencing::Fails, Fencing::Hangs];
    let fencing = fencing[town.between(0, 2) as usize];
    town.fencing(fencing);
    town.form().await?;
    // Not the master's own: the next master need not wait for that.
    let resource = life::RESOURCES[1];
    let Some(owner) = town.owner(resource) else {
        return Err("nobody owns anything".to_owned());
    };
    town.pause(&[owner], true);
    town.pass(ms(1_500)).await?;
    town.pause(&[owner], false);
    town.converge(ms(5_000)).await?;
    let cut_off = town.between(0, 1) == 0;
    let began = town.now();
    if cut_off {
        town.faulty(&[owner]);
        town.split(&[owner]);
    } else {
        town.crash(&[owner]).await;
    }
    town.until("it is out", ms(3_000), |world| {
        life::newest(world).current(number(owner)).is_none()
    })
    .await?;
    town.until("another acts for what it had", ms(3_000), |world| {
        let now = world.now();
        let mut others = world.hosts.iter().filter(|host| host.index != owner);
        others.any(|host| host.acts_for(now, resource))
    })
    .await?;
    town.took(
        match fencing {
            Fencing::Works => "to another owner, with fencing",
            _ => "to another owner, without",
        },
        began,
    );
    town.pass(ms(2_000)).await?;
    if cut_off && (fencing == Fencing::Works) == town.is_up(owner) {
        return Err("the device did not do what it was to".to_owned());
    }
    town.heal();
    town.crash(&[owner]).await;
    town.boot(&[owner]);
    town.converge(ms(10_000)).await
}
