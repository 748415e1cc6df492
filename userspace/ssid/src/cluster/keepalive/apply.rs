//! Changes of what is kept alive: looked at where they are typed.

use std::path::Path;

use ssi_api::control::{Failure, FailureKind};
use ssi_api::service::ServiceFile;
use ssi_keepalive::Node;
use ssi_keepalive::agreed::{Any, Change, merge, parts};
use ssi_keepalive::config::{Config, spawndaemon};
use ssi_keepalive::runner::System;

use crate::cluster::Member;
use crate::cluster::join::{internal, refused};
use crate::random::random;

/// Most bytes of all files together.
const MOST: usize = 16 << 20;
/// What stands for what is agreed already, in messages.
const REST: &str = "what is configured already";

/// What is to be applied.
pub(super) struct Wish {
    pub(super) files: Vec<ServiceFile>,
    pub(super) only: bool,
    pub(super) options: Vec<String>,
    pub(super) stopped: bool,
    /// Whether it is only looked at.
    pub(super) check: bool,
}

impl Member {
    /// Changes what is kept alive, whole or not at all; the names that it was about.
    pub(super) async fn apply_services(&self, wish: Wish) -> Result<Vec<String>, Failure> {
        let old = self
            .supervision
            .desk
            .with(|desk| desk.agreed.config.clone());
        let old = old.await.map_err(|e| internal(&e))?;
        let view = self.handle.views().borrow().clone();
        let numbers = view.members.keys();
        let nodes = numbers
            .filter_map(|number| Node::new(number.get()))
            .collect();
        let (only, stopped, check) = (wish.only, wish.stopped, wish.check);
        let config = self.supervision.world.config();
        let cvips = config.cvip.iter().map(|cvip| cvip.address).collect();
        let looked = move || look(&wish, &old, System { nodes, cvips });
        let looked = tokio::task::spawn_blocking(looked).await;
        let new = looked.map_err(|e| internal(&e.into()))??;
        let groups = new.group.iter().map(|group| group.name.clone());
        let names = new.process.iter().map(|process| process.name.clone());
        let names = names.chain(groups).collect();
        if check {
            return Ok(names);
        }
        let change = Change {
            put: new.print().map_err(|error| refused(error.to_string()))?,
            only,
            stopped,
            ..Change::default()
        };
        for entry in parts(change, random()) {
            self.supervision.agree(&entry).await?;
        }
        Ok(names)
    }
}

/// What files say, if that is right here and together with what there is.
fn look(wish: &Wish, old: &Config, system: System) -> Result<Config, Failure> {
    let size: usize = wish.files.iter().map(|file| file.text.len()).sum();
    if size > MOST {
        return Err(refused(format!(
            "{size} bytes of configuration are too many: {MOST} are the most at once; apply the files one by one"
        )));
    }
    let texts = || {
        let files = wish.files.iter();
        files.map(|file| (Path::new(&file.name), file.text.as_str()))
    };
    // What is said of a process may speak of others that are there already. Theirs is not
    // this machine's business: they may run elsewhere.
    let named = |text: &str| {
        let table: Option<toml::Table> = toml::from_str(text).ok();
        let table = table.unwrap_or_default();
        let names = ["process", "group"].map(|kind| {
            let list = table.get(kind).and_then(|list| list.as_array());
            let list = list.into_iter().flatten();
            list.filter_map(|one| one.get("name")?.as_str().map(ToOwned::to_owned))
                .collect::<Vec<_>>()
        });
        names.concat()
    };
    let replaced: Vec<String> = texts().flat_map(|(_, text)| named(text)).collect();
    let mut rest = if wish.only {
        Config::default()
    } else {
        old.clone()
    };
    rest.process.retain(|p| !replaced.contains(&p.name));
    rest.group.retain(|g| !replaced.contains(&g.name));
    let printed = rest.print().map_err(|error| refused(error.to_string()))?;
    let with_rest = || texts().chain([(Path::new(REST), printed.as_str())]);
    let mistakes = match Config::read(with_rest(), &Any) {
        Err(mistakes) => mistakes.0,
        Ok(_) => Vec::new(),
    };
    let mut lines: Vec<_> = mistakes;
    if lines.is_empty()
        && let Err(mistakes) = Config::read(with_rest(), &system)
    {
        lines = mistakes.0;
        lines.retain(|mistake| mistake.file != Path::new(REST));
    }
    if !lines.is_empty() {
        let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        return Err(Failure::new(FailureKind::Refused, lines.join("\n")));
    }
    let whole = Config::read(with_rest(), &Any).map_err(|error| refused(error.to_string()))?;
    let mut new = Config {
        process: whole.process,
        group: whole.group,
    };
    new.process.retain(|p| replaced.contains(&p.name));
    new.group.retain(|g| replaced.contains(&g.name));
    if !wish.options.is_empty() {
        with_options(&wish.options, &mut new, &system)?;
        // Options go before files, and what they say must be right, too.
        let merged = merge(&rest, &new, false, &[]);
        let text = merged.print().map_err(|error| refused(error.to_string()))?;
        // Lines of what nobody has written would help nobody.
        Config::read([(Path::new(REST), text.as_str())], &Any).map_err(|mistakes| {
            let wrong = mistakes.0.into_iter().map(|mistake| mistake.message);
            let wrong: Vec<String> = wrong.collect();
            refused(format!(
                "with {}: {}",
                wish.options.join(" "),
                wrong.join("; ")
            ))
        })?;
    }
    Ok(new)
}

fn with_options(options: &[String], new: &mut Config, system: &System) -> Result<(), Failure> {
    let usage = |error: spawndaemon::Usage| refused(error.to_string());
    let order = spawndaemon::parse(options).map_err(usage)?;
    let (spawndaemon::Order::Register { options, .. } | spawndaemon::Order::Adopt { options, .. }) =
        order
    else {
        return Err(refused("these options register nothing"));
    };
    let registration = options;
    let scope = match &registration.scope {
        Some(spawndaemon::Scope::Nodes(nodes)) => &nodes[..],
        _ => &[],
    };
    let mut named = registration.favoured.iter().chain(&registration.backups);
    let unknown = named.find(|node| !system.nodes.contains(node));
    let unknown = unknown.or_else(|| scope.iter().find(|node| !system.nodes.contains(node)));
    if let Some(node) = unknown {
        return Err(refused(format!(
            "there is no node {node}; see: ssi cluster"
        )));
    }
    registration.onto(new).map_err(usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> Wish {
        let name = "web.toml".to_owned();
        let text = text.to_owned();
        Wish {
            files: vec![ServiceFile { name, text }],
            only: false,
            options: Vec::new(),
            stopped: false,
            check: false,
        }
    }

    fn system() -> System {
        let nodes = (1..4).filter_map(Node::new).collect();
        let cvips = vec![[10, 88, 0, 100].into()];
        System { nodes, cvips }
    }

    fn said(text: &str, old: &Config) -> Result<Vec<String>, String> {
        let new = look(&wish(text), old, system()).map_err(|failure| failure.message)?;
        Ok(new.process.into_iter().map(|p| p.name).collect())
    }

    #[test]
    fn what_is_there_already_may_be_named_and_is_not_looked_at() {
        // Its program is on another node.
        let text = "[[process]]\nname = \"db\"\npath = \"/nowhere/db\"\n";
        let old = Config::read([(Path::new("old"), text)], &Any).unwrap();
        let web = "[[process]]\nname = \"web\"\npath = \"/bin/sh\"\nafter = [\"db\"]\n";
        assert_eq!(said(web, &old), Ok(vec!["web".to_owned()]));
        let error = said(web, &Config::default()).unwrap_err();
        assert!(error.starts_with("web.toml:4: "), "{error}");
        let error = said(text, &old).unwrap_err();
        assert!(error.starts_with("web.toml:3: /nowhere/db: "), "{error}");
    }

    #[test]
    fn options_go_before_the_file() {
        let text = "[[process]]\nname = \"web\"\npath = \"/bin/sh\"\nfavoured = 1\n";
        let with = |options: &[&str]| {
            let mut wish = wish(text);
            wish.options = options.iter().map(|&word| word.to_owned()).collect();
            look(&wish, &Config::default(), system()).map_err(|failure| failure.message)
        };
        let new = with(&["-F", "3", "-B", "2", "-r", "x"]).unwrap();
        let favoured = Node::new(3).map(ssi_keepalive::config::Favoured::Node);
        assert_eq!(Some(new.process[0].favoured), favoured);
        let error = with(&["-F", "9", "-r", "x"]).unwrap_err();
        assert_eq!(error, "there is no node 9; see: ssi cluster");
    }
}
