//! External fencing: an operator's command that switches a node off.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use ssi_clms::core::member::Member;
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::Cluster;

/// Bytes of what the command says that are passed on.
const SAID: usize = 200;

/// Has a node switched off.
///
/// # Errors
/// It is not surely off: in words.
pub(super) async fn switch_off(config: &Cluster, node: &Member) -> Result<(), String> {
    let Some((program, arguments)) = config.fence.split_first() else {
        return Err("no fencing command is configured (cluster.fence)".to_owned());
    };
    let number = node.id.number;
    tracing::warn!(
        "switching node {number} {} off: {program}",
        node.candidate.name
    );
    let address = node.candidate.addresses.first();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("SSI_NODE", number.to_string())
        .env("SSI_NODE_NAME", &node.candidate.name)
        .env(
            "SSI_NODE_ADDRESS",
            address.map(ToString::to_string).unwrap_or_default(),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = command.spawn();
    let child = child.map_err(|error| format!("{program}: {error}"))?;
    let mut group = Group(child.id());
    let patience = Duration::from_secs(config.fence_timeout);
    let ended = match timeout(patience, child.wait_with_output()).await {
        Ok(ended) => {
            group.0 = None;
            ended.map_err(|error| format!("{program}: {error}"))?
        }
        Err(_) => {
            return Err(format!(
                "{program} did not end within {} s (cluster.fence_timeout)",
                patience.as_secs()
            ));
        }
    };
    if ended.status.success() {
        tracing::warn!("node {number} {} is off", node.candidate.name);
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said: String = said.trim().chars().take(SAID).collect();
    Err(format!("{program}: {}: {said}", ended.status))
}

/// A command that is not waited for any longer, and all that it has started: what a shell
/// runs ends with it.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let leader = self.0.and_then(|pid| i32::try_from(pid).ok());
        if let Some(leader) = leader.and_then(Pid::from_raw) {
            // Nobody is left in it, at best.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ssi_clms::core::command::Command as Entry;
    use ssi_clms::core::member::{Candidate, Facts};
    use ssi_clms::core::{Number, View};

    use super::*;

    fn member() -> Arc<Member> {
        let mut view = View::default();
        let number = Number::new(3).unwrap();
        view.apply(&Entry::Found {
            cluster: "blue".to_owned(),
            identity: 7,
            max_nodes: 9,
            number,
            candidate: Candidate {
                name: "blue3".to_owned(),
                addresses: vec!["10.0.0.3".parse().unwrap()],
                key: [1; 32],
                life: 1,
                potential_master: true,
                facts: Facts::default(),
            },
            probe_key: [1, 2],
        })
        .unwrap();
        view.members[&number].clone()
    }

    fn config(script: &str) -> Cluster {
        Cluster {
            fence: ["/bin/sh", "-c", script].map(ToOwned::to_owned).into(),
            fence_timeout: 1,
            ..Cluster::default()
        }
    }

    async fn fenced(script: &str) -> Result<(), String> {
        switch_off(&config(script), &member()).await
    }

    #[tokio::test]
    async fn only_a_command_that_says_so_has_switched_a_node_off() {
        let right = "test \"$SSI_NODE $SSI_NODE_NAME $SSI_NODE_ADDRESS\" = '3 blue3 10.0.0.3'";
        assert_eq!(fenced(right).await, Ok(()));
        let failed = fenced("echo no power >&2; exit 3").await.unwrap_err();
        assert!(
            failed.contains("no power") && failed.contains('3'),
            "{failed}"
        );
        let said = tempfile::NamedTempFile::new().unwrap();
        let path = said.path().display();
        let slow = format!("sleep 60 & echo $! >{path}; wait");
        let slow = fenced(&slow).await.unwrap_err();
        assert!(slow.contains("within 1 s"), "{slow}");
        let left = std::fs::read_to_string(said.path()).unwrap();
        let left = format!("/proc/{}/cmdline", left.trim());
        // Whoever has ended has none, even before its parent has heard of it.
        while std::fs::read(&left).is_ok_and(|line| !line.is_empty()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let none = switch_off(&Cluster::default(), &member()).await;
        assert!(none.unwrap_err().contains("cluster.fence"));
    }
}
