//! What nodes tell each other of themselves, for whoever chooses one.

use serde::{Deserialize, Serialize};
use ssi_clms::core::{Number, State};

use super::op;
use crate::cluster::Member;
use crate::cluster::world::World;
use crate::processes::Processes;

/// What a node says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    /// The classes that it is of.
    pub(super) classes: Vec<String>,
    /// Its upper load, which others decide by; none in its first second.
    pub(super) load: Option<f64>,
    /// What one more process would add.
    pub(super) process: f64,
}

/// What all nodes say.
#[derive(Debug, Default)]
pub(super) struct All {
    pub(super) said: Vec<(Number, About)>,
    /// Those that did not answer.
    pub(super) silent: Vec<Number>,
}

/// What this node says.
pub(super) fn here(processes: &Processes, world: &World) -> About {
    let load = processes.busy().ok().and_then(|busy| busy.load);
    About {
        classes: world.config().node.classes,
        load: load.map(|load| load.upper),
        process: load.map_or(0.0, |load| load.process),
    }
}

impl Member {
    /// What all nodes that are UP say, asked at the same time.
    pub(super) async fn about(&self, processes: &Processes, world: &World) -> All {
        let view = self.handle.views().borrow().clone();
        let own = self.kept().number;
        let up = view.present().filter(|member| member.state == State::Up);
        let asked = up.map(|member| member.id.number).map(|number| async move {
            let said = if number.get() == own {
                Ok(here(processes, world))
            } else {
                self.ask_node(number.get(), op::ABOUT, &()).await
            };
            (number, said)
        });
        let mut all = All::default();
        for (number, said) in futures::future::join_all(asked).await {
            match said {
                Ok(said) => all.said.push((number, said)),
                Err(_) => all.silent.push(number),
            }
        }
        all
    }
}
