//! Whole nodes as they run, with real clocks and logs, in one process: what the packet path
//! does is done beside them.

mod ground;
mod machine;
mod net;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use ssi_clms::core::command::Command;
use ssi_clms::core::engine::NotTaken;
use ssi_clms::core::pair::{Waits, generation};
use ssi_clms::core::witness::Witness as Who;
use ssi_clms::core::{Number, State, Timing};
use ssi_clms::log::{Store, WITNESS};
use ssi_clms::runner::{NotProposed, Status, Witness};

use crate::machine::Machine;
use crate::net::{Net, Way};

fn number(number: u16) -> Number {
    Number::new(number).expect("not 0")
}

fn tell(what: u8) -> Command {
    Command::Tell {
        subsystem: "lvs".to_owned(),
        body: vec![what],
    }
}

fn up(status: &Status, nodes: usize) -> bool {
    let view = &status.view;
    let ups = view.present().filter(|member| member.state == State::Up);
    !status.fenced && ups.count() == nodes && view.present().count() == nodes
}

/// Machine 1 founds a cluster, machine 2 joins.
async fn pair(net: &Net) -> (Machine, Machine) {
    let (mut one, mut two) = (Machine::new(net, 1), Machine::new(net, 2));
    one.switch_on(true).await;
    two.switch_on(false).await;
    one.until("both up", |status| up(status, 2)).await;
    two.until("both up", |status| up(status, 2)).await;
    (one, two)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_are_datagrams_and_go_another_way_when_those_are_lost() {
    let net = Net::default();
    let (one, two) = pair(&net).await;
    let mut three = Machine::new(&net, 3);
    three.switch_on(false).await;
    for machine in [&one, &two, &three] {
        let voting = |status: &Status| up(status, 3) && status.view.voters.len() == 3;
        machine.until("all up, and voters", voting).await;
    }
    let agreed = || {
        net.places()
            .values()
            .map(|place| place.agreed)
            .sum::<usize>()
    };
    // Nobody but the master asks, all the time; each answer is one.
    let before = agreed();
    for _ in 0..1_000 {
        if agreed() > before + 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(agreed() > before + 4, "{before} and no more");
    net.deaf.store(true, Ordering::Relaxed);
    // What was under way has come, and what was confirmed so is long over.
    tokio::time::sleep(Timing::default().mastery * 2).await;
    let before = agreed();
    let mut masters = 0;
    for _ in 0..1_000 {
        masters = 0;
        for machine in [&one, &two, &three] {
            masters += usize::from(machine.handle().status().await.expect("it runs").master);
        }
        if masters > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(masters, 1, "confirmed over connections");
    assert_eq!(agreed(), before, "nothing came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_witness_either_of_two_goes_on_alone() {
    let net = Net::default();
    let (mut one, two) = pair(&net).await;
    let way = Way {
        net: net.clone(),
        me: WITNESS,
    };
    let store = Store::in_memory().expect("memory");
    let witness = Witness::new(&Timing::default(), way, store, 5, Box::new(|_| {})).await;
    let witness = Arc::new(witness.expect("an empty log"));
    net.seat_witness(witness.clone());
    tokio::spawn(async move { witness.run().await });
    let named = Command::Witness {
        witness: Some(Who {
            key: [9; 32],
            addresses: vec![([10, 0, 0, 99], 7_118).into()],
        }),
    };
    one.handle().propose(named).await.unwrap().unwrap();
    one.until("the witness votes", |status| status.view.witness_votes())
        .await;

    // Only the master writes, and it says who it is.
    let refused = two.handle().propose(tell(1)).await;
    let master = one.until("the master", |status| status.master).await.id;
    assert!(
        matches!(&refused, Err(NotProposed::NotTaken(NotTaken::MasterIs(id))) if Some(*id) == master),
        "{refused:?}"
    );
    let epoch = one.handle().propose(tell(2)).await.unwrap().unwrap();
    two.until("told", |status| status.view.epoch >= epoch).await;
    let forbidden = Command::Assign {
        resource: "cvip".to_owned(),
        owner: None,
    };
    let refused = one.handle().propose(forbidden).await;
    assert!(
        matches!(refused, Err(NotProposed::NotTaken(NotTaken::Masters(_)))),
        "{refused:?}"
    );

    one.switch_off().await;
    two.until("the master, alone", |status| status.master && up(status, 1))
        .await;
    two.handle().propose(tell(3)).await.unwrap().unwrap();
    {
        let told = two.told.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(told[..1], [vec![2]]);
    }

    one.switch_on(false).await;
    one.until("both up", |status| up(status, 2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_one_somebody_has_to_answer_for_the_voter() {
    let net = Net::default();
    let (mut one, mut two) = pair(&net).await;
    assert!(two.handle().take_over().await.unwrap().is_err(), "no need");
    one.switch_off().await;
    two.until("waits for the voter", |status| {
        status.waits == Some(Waits::ForVoter(number(1)))
    })
    .await;
    two.handle().take_over().await.unwrap().unwrap();
    let status = two
        .until("the master, alone", |status| status.master && up(status, 1))
        .await;
    assert_eq!(generation(status.view.epoch), 1);
    assert_eq!(status.view.voters, [number(2)]);

    // The old voter's log is over: it is taken in like anybody, and leaves it.
    one.switch_on(false).await;
    one.until("both up, again", |status| {
        up(status, 2) && generation(status.view.epoch) == 1
    })
    .await;
    two.handle().propose(tell(4)).await.unwrap().unwrap();

    // Now the other is the voter, and it waits for the one.
    one.switch_off().await;
    two.switch_off().await;
    two.switch_on(false).await;
    two.until("waits for its partner", |status| {
        status.waits == Some(Waits::ForPartners(vec![number(1)]))
    })
    .await;
    one.switch_on(false).await;
    two.until("both up, once more", |status| up(status, 2))
        .await;
}
