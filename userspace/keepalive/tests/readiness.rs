//! Whatever is lost, comes late or twice, and whoever is restarted: in the end a node knows what
//! instances are good for on another.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use ssi_keepalive::core::{Condition, Id};
use ssi_keepalive::readiness::{Listener, Teller, Told};

#[derive(Clone, Debug)]
enum Step {
    /// An instance is good for something else.
    Changes(usize, Option<Condition>),
    /// A message is sent, and how it goes.
    Tell(Fate),
    /// A message that was taken for lost arrives.
    Late(usize),
    TellerDies,
    ListenerDies,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Answered,
    Lost,
    /// It was heard, and the answer is lost.
    AnswerLost,
}

fn step() -> impl Strategy<Value = Step> {
    let condition = prop_oneof![
        Just(None),
        Just(Some(Condition::Ready)),
        Just(Some(Condition::Unwell)),
        Just(Some(Condition::Down))
    ];
    let fate = prop_oneof![
        4 => Just(Fate::Answered),
        1 => Just(Fate::Lost),
        1 => Just(Fate::AnswerLost)
    ];
    prop_oneof![
        6 => (0_usize..6, condition).prop_map(|(n, condition)| Step::Changes(n, condition)),
        6 => fate.prop_map(Step::Tell),
        1 => (0_usize..4).prop_map(Step::Late),
        1 => Just(Step::TellerDies),
        1 => Just(Step::ListenerDies),
    ]
}

struct World {
    is: BTreeMap<Id, Condition>,
    teller: Teller,
    sessions: u64,
    listener: Listener,
    lost: Vec<Told>,
}

impl World {
    fn tell(&mut self, fate: Fate) {
        let all = || self.is.clone().into_iter().collect();
        let Some(told) = self.teller.next(all) else {
            return;
        };
        let understood = match fate {
            Fate::Lost => {
                self.lost.push(told);
                false
            }
            Fate::Answered => self.hear(told),
            Fate::AnswerLost => {
                self.hear(told);
                false
            }
        };
        if !understood {
            self.teller.tell_all();
        }
    }

    fn hear(&mut self, told: Told) -> bool {
        let before = self.ready();
        let outcome = self.listener.hear(told);
        for (name, was) in before {
            let is = self.listener.is_ready(&name);
            assert!(is == was || outcome.changed.contains(&*name), "{name}");
        }
        // It knows nothing of us, and is told.
        if outcome.is_new && outcome.understood {
            assert!(self.listener.knows());
        }
        outcome.understood
    }

    fn ready(&self) -> BTreeMap<String, bool> {
        let names = ["a", "b"].into_iter();
        names
            .map(|name| (name.to_owned(), self.listener.is_ready(name)))
            .collect()
    }
}

fn id(n: usize) -> Id {
    Id::new(["a", "b"][n % 2], u32::try_from(n / 2).unwrap())
}

proptest! {
    #[test]
    fn in_the_end_it_is_known(steps in vec(step(), 0..60)) {
        let mut world = World {
            is: BTreeMap::new(),
            teller: Teller::new(1),
            sessions: 1,
            listener: Listener::default(),
            lost: Vec::new(),
        };
        for step in steps {
            match step {
                Step::Changes(n, condition) => {
                    match condition {
                        Some(condition) => world.is.insert(id(n), condition),
                        None => world.is.remove(&id(n)),
                    };
                    world.teller.note(&id(n), condition);
                }
                Step::Tell(fate) => world.tell(fate),
                Step::Late(n) => {
                    // One that is gone says nothing any more.
                    let session = world.sessions;
                    let late = world.lost.get(n).filter(|told| told.session == session);
                    if let Some(told) = late.cloned() {
                        world.hear(told);
                    }
                }
                Step::TellerDies => {
                    world.sessions += 1;
                    world.teller = Teller::new(world.sessions);
                }
                Step::ListenerDies => world.listener = Listener::default(),
            }
        }
        // One more message may not be understood; the next one is whole.
        world.teller.note(&id(0), world.is.get(&id(0)).copied());
        (0..3).for_each(|_| world.tell(Fate::Answered));
        for n in 0..6 {
            prop_assert_eq!(world.listener.condition(&id(n)), world.is.get(&id(n)).copied());
        }
        prop_assert_eq!(world.teller.next(Vec::new), None);
    }

    #[test]
    fn a_message_is_read_back(number: u64, whole: bool, n in 0_usize..6) {
        let told = Told {
            session: 7,
            number,
            whole,
            conditions: vec![(id(n), Some(Condition::Unwell)), (id(n + 1), None)],
        };
        let bytes = postcard::to_stdvec(&told).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Told>(&bytes), Ok(told));
    }

    #[test]
    fn nonsense_is_no_message(bytes in vec(any::<u8>(), 0..100)) {
        if let Ok(told) = postcard::from_bytes::<Told>(&bytes) {
            Listener::default().hear(told);
        }
    }
}
