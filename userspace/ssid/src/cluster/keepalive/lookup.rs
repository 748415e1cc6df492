//! What names stand for.

use std::collections::BTreeSet;
use std::sync::Arc;

use ssi_api::control::{Failure, FailureKind};
use ssi_api::process::Missing;
use ssi_clms::core::{Number, State, View};
use ssi_keepalive::config::Config;

/// How many names a message lists.
const LISTED: usize = 8;

/// The processes that names stand for: themselves, or the members of a group.
pub(super) fn processes(config: &Config, names: &[String]) -> Result<Vec<Arc<str>>, Failure> {
    let mut found = BTreeSet::new();
    for name in names {
        if let Some(group) = config.group.iter().find(|group| group.name == *name) {
            found.extend(group.members.iter().map(|member| Arc::from(&**member)));
        } else if config.process(name).is_some() {
            found.insert(Arc::from(&**name));
        } else {
            return Err(unknown(config, name));
        }
    }
    Ok(found.into_iter().collect())
}

/// There is no process or group of this name.
pub(super) fn unknown(config: &Config, name: &str) -> Failure {
    let groups = config.group.iter().map(|group| group.name.as_str());
    let all: Vec<&str> = (config.process.iter().map(|p| p.name.as_str()))
        .chain(groups)
        .collect();
    let known = match all.len() {
        0 => "nothing is configured; `ssi service apply FILE` changes that".to_owned(),
        n if n <= LISTED => format!("there are {}", all.join(", ")),
        n => format!("there are {n}; `ssi service list` shows them"),
    };
    let message = format!("there is no process or group \"{name}\": {known}");
    Failure::new(FailureKind::Refused, message)
}

/// The nodes that are UP.
pub(super) fn up(view: &View) -> Vec<u16> {
    let up = view.present().filter(|member| member.state == State::Up);
    up.map(|member| member.id.number.get()).collect()
}

/// A node that didn't do its part.
pub(super) fn missing(view: &View, number: u16, why: String) -> Missing {
    let known = Number::new(number).and_then(|number| view.members.get(&number));
    Missing {
        number,
        name: known.map_or_else(String::new, |member| member.candidate.name.clone()),
        why,
    }
}
