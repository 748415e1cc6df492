//! External fencing: an operator's command that switches a node off.

use std::process::Stdio;
use std::time::Duration;

use ssi_clms::core::member::Member;
use ssi_keepalive::runner::run_within;
use tokio::process::Command;

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
        .stderr(Stdio::piped());
    let patience = Duration::from_secs(config.fence_timeout);
    let ended = run_within(&mut command, patience).await;
    let ended = ended.map_err(|error| format!("{program}: {error}"))?;
    let ended = ended.ok_or_else(|| {
        format!(
            "{program} did not end within {} s (cluster.fence_timeout)",
            patience.as_secs()
        )
    })?;
    if ended.status.success() {
        tracing::warn!("node {number} {} is off", node.candidate.name);
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said: String = said.trim().chars().take(SAID).collect();
    Err(format!("{program}: {}: {said}", ended.status))
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
        let slow = fenced("sleep 60").await.unwrap_err();
        assert!(slow.contains("within 1 s"), "{slow}");
        let none = switch_off(&Cluster::default(), &member()).await;
        assert!(none.unwrap_err().contains("cluster.fence"));
    }
}
