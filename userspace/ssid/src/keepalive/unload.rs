//! `ssid --unload`: nothing that was kept alive goes on.

use anyhow::{Context, Result};
use ssi_keepalive::runner;

use super::guard::Guard;
use super::places;
use crate::config::Config;
use crate::state;

/// Ends everything that is kept alive on this node, and removes the cgroups; whether there
/// was anything. What operators and the cluster want stays in the state directory.
pub(crate) fn end_all(config: &Config) -> Result<bool> {
    let Ok(root) = places::cgroups(config) else {
        return Ok(false);
    };
    let guard = Guard::of(config, &root);
    guard.end().context("cannot end the guard of the lease")?;
    let there = root.exists();
    if there {
        let ended = runner::end_all(&root);
        ended.with_context(|| format!("cannot end what runs in {}", root.display()))?;
    }
    // It says that they run.
    state::remove(&places::state(config))?;
    Ok(there)
}
