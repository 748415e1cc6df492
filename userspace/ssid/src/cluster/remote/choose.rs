//! Which node a command goes to.

use ssi_api::process::Cpid;
use ssi_clms::core::{Number, State, View};
use ssi_rexec::core::Whom;

use super::about::{About, All};
use crate::cluster::Member;
use crate::cluster::world::World;
use crate::processes::Processes;

impl Member {
    /// The node that is meant.
    pub(super) async fn choose(
        &self,
        processes: &Processes,
        world: &World,
        whom: Whom,
    ) -> Result<Number, String> {
        let view = self.handle.views().borrow().clone();
        match whom {
            Whom::Node(said) => named(&view, &said),
            Whom::Near(number) => {
                let at = Cpid::of_number(number).map(Cpid::node);
                let at = at.ok_or_else(|| format!("{number} is no process of the cluster"))?;
                named(&view, &at.to_string())
            }
            Whom::Least => {
                let about = self.about(processes, world).await;
                least(about.said.iter())
                    .ok_or_else(|| "no node tells its load yet; try again in a moment".to_owned())
            }
            Whom::Class(class) => {
                let about = self.about(processes, world).await;
                let all = of_class(&about, &class)?;
                Ok(all[0])
            }
        }
    }
}

/// The node of this number or name, which must be UP.
fn named(view: &View, said: &str) -> Result<Number, String> {
    let members = || view.members.values();
    let found: Vec<_> = match said.parse::<Number>() {
        Ok(number) => members()
            .filter(|member| member.id.number == number)
            .collect(),
        Err(_) => {
            let same = |name: &str| name.eq_ignore_ascii_case(said);
            members()
                .filter(|member| same(&member.candidate.name))
                .collect()
        }
    };
    match found[..] {
        [member] if member.state == State::Up => Ok(member.id.number),
        [member] => Err(format!(
            "node {} {} is {}; see: ssi cluster",
            member.id.number,
            member.candidate.name,
            crate::cluster::record::state(member.state)
        )),
        [] => {
            let all =
                members().map(|member| format!("{} {}", member.id.number, member.candidate.name));
            let all = all.take(8).collect::<Vec<_>>().join(", ");
            Err(format!(
                "there is no node {said}; there are {all} (see: ssi cluster)"
            ))
        }
        _ => Err(format!("several nodes are called {said}; say the number")),
    }
}

/// The nodes of a class, of which there is one; the first is the least loaded one, if their loads
/// are known.
pub(super) fn of_class(about: &All, class: &str) -> Result<Vec<Number>, String> {
    let of_it = |about: &About| about.classes.iter().any(|known| known == class);
    let all: Vec<_> = about
        .said
        .iter()
        .filter(|(_, about)| of_it(about))
        .collect();
    if !all.is_empty() {
        let first = least(all.iter().copied());
        let mut numbers: Vec<_> = all.into_iter().map(|(number, _)| *number).collect();
        if let Some(at) = numbers.iter().position(|number| Some(*number) == first) {
            numbers[..=at].rotate_right(1);
        }
        return Ok(numbers);
    }
    let mut known: Vec<&str> = about
        .said
        .iter()
        .flat_map(|(_, about)| about.classes.iter().map(String::as_str))
        .collect();
    known.sort_unstable();
    known.dedup();
    let silent: Vec<_> = about.silent.iter().map(ToString::to_string).collect();
    Err(if !silent.is_empty() {
        format!(
            "no node that answers is of class {class}; node {} did not answer: try again, or see: ssi cluster",
            silent.join(", ")
        )
    } else if known.is_empty() {
        format!("no node is of class {class}, or of any: node.classes in ssi.toml says so")
    } else {
        format!(
            "no node that is UP is of class {class}; there are {}",
            known.join(", ")
        )
    })
}

/// Where one more process would leave the least load; the lowest number of several.
fn least<'a>(about: impl Iterator<Item = &'a (Number, About)>) -> Option<Number> {
    let loads = about.filter_map(|(number, about)| Some((about.load? + about.process, *number)));
    let least = loads.min_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    least.map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u16, load: Option<f64>, process: f64, classes: &[&str]) -> (Number, About) {
        let classes = classes.iter().map(ToString::to_string).collect();
        let about = About {
            classes,
            load,
            process,
        };
        (Number::new(number).unwrap(), about)
    }

    #[test]
    fn the_least_loaded_of_a_class_comes_first() {
        let nodes = [
            node(1, Some(10.0), 25.0, &["db"]),
            node(2, Some(80.0), 1.0, &["web"]),
            node(3, Some(5.0), 25.0, &["db"]),
            node(4, Some(90.0), 25.0, &["db"]),
        ];
        let all = All {
            said: nodes.into(),
            silent: Vec::new(),
        };
        let numbers: Vec<_> = of_class(&all, "db").unwrap();
        let numbers: Vec<_> = numbers.into_iter().map(Number::get).collect();
        assert_eq!(numbers, [3, 1, 4]);
    }

    #[test]
    fn the_least_loaded_counts_what_the_process_adds() {
        let nodes = [
            node(1, Some(100.0), 25.0, &["web"]),
            node(2, Some(80.0), 100.0, &["db"]),
            node(3, None, 1.0, &["db"]),
            node(4, Some(100.0), 25.0, &[]),
        ];
        assert_eq!(least(nodes.iter()).map(Number::get), Some(1));
        assert_eq!(least(nodes[2..3].iter()), None);
    }

    #[test]
    fn classes_are_found_or_named() {
        let mut all = All {
            said: vec![
                node(1, None, 0.0, &["web", "db"]),
                node(2, None, 0.0, &["db"]),
            ],
            silent: Vec::new(),
        };
        assert_eq!(of_class(&all, "db").map(|all| all.len()), Ok(2));
        let why = of_class(&all, "cache").unwrap_err();
        assert!(why.ends_with("there are db, web"), "{why}");
        all.silent.extend(Number::new(7));
        let why = of_class(&all, "cache").unwrap_err();
        assert!(why.contains("node 7 did not answer"), "{why}");
        assert!(
            of_class(&All::default(), "db")
                .unwrap_err()
                .contains("node.classes")
        );
    }
}
