//! Programs of operators that are run when nodes come and go.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ssi_clms::core::follower::Installed;
use ssi_clms::core::{State, Transition, View};
use ssi_keepalive::runner::run_within;
use tokio::process::Command;
use tokio::sync::mpsc;

use super::world::World;

/// Bytes of what a program says that go to the log.
const SAID: usize = 400;

/// Runs them, one after the other, in the order of the views.
pub(super) struct Hooks(mpsc::UnboundedSender<Went>);

/// A node that has come or gone.
struct Went {
    view: Arc<View>,
    transition: Transition,
}

impl Hooks {
    pub(super) fn start(here: u16, world: Arc<World>) -> Self {
        let (tell, mut told) = mpsc::unbounded_channel::<Went>();
        tokio::spawn(async move {
            while let Some(went) = told.recv().await {
                let hooks = world.config().hooks;
                let folder = if went.transition.to == State::Up {
                    &hooks.nodeup
                } else {
                    &hooks.nodedown
                };
                for program in programs(folder) {
                    run(&program, &went, here, Duration::from_secs(hooks.timeout)).await;
                }
            }
        });
        Self(tell)
    }

    /// Takes notice of who came UP and who is out.
    pub(super) fn went(&self, installed: &Installed) {
        for transition in &installed.transitions {
            let (from, to) = (transition.from, transition.to);
            let out = from.is_member() && !to.is_member();
            if to == State::Up || out {
                let (view, transition) = (installed.view.clone(), *transition);
                // It is about to end if it doesn't listen.
                let _ = self.0.send(Went { view, transition });
            }
        }
    }
}

/// The programs in a folder, in the order of their names; none if there is no folder.
fn programs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.retain(|path| {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let executable =
            |file: fs::Metadata| file.is_file() && file.permissions().mode() & 0o111 != 0;
        !hidden && fs::metadata(path).is_ok_and(executable)
    });
    found.sort();
    found
}

async fn run(program: &Path, went: &Went, here: u16, patience: Duration) {
    let Went { view, transition } = went;
    let number = transition.node.number;
    let name = view.members.get(&number);
    let up = view.present().filter(|member| member.state == State::Up);
    let members: Vec<String> = up.map(|member| member.id.number.to_string()).collect();
    let mut command = Command::new(program);
    command
        .env("SSI_NODE", number.to_string())
        .env(
            "SSI_NAME",
            name.map_or("", |member| member.candidate.name.as_str()),
        )
        .env("SSI_STATE", transition.to.name())
        .env("SSI_EPOCH", view.epoch.to_string())
        .env("SSI_MEMBERS", members.join(" "))
        .env("SSI_HERE", here.to_string())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let program = program.display();
    let about = format!(
        "{program} (node {number} {}, epoch {})",
        transition.to, view.epoch
    );
    match run_within(&mut command, patience).await {
        Ok(None) => tracing::warn!(
            "{about} was killed: it took more than {} s",
            patience.as_secs()
        ),
        Err(error) => tracing::warn!("{about}: {error}"),
        Ok(Some(ended)) => {
            let said = [ended.stdout, ended.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let said: String = said
                .trim()
                .replace('\n', " | ")
                .chars()
                .take(SAID)
                .collect();
            if ended.status.success() {
                tracing::info!("{about} has run: {said}");
            } else {
                tracing::warn!("{about} failed, {}: {said}", ended.status);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_run_in_the_order_of_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        put("20-b", 0o755);
        put("10-a", 0o755);
        put("30-notes", 0o644);
        put(".40-hidden", 0o755);
        let found = programs(folder.path());
        let names: Vec<_> = found.iter().filter_map(|path| path.file_name()).collect();
        assert_eq!(names, ["10-a", "20-b"]);
        assert!(programs(Path::new("/nonexistent")).is_empty());
    }
}
