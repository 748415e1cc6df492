//! `ssid --unload`: out of the kernel with everything.

use anyhow::{Context, Result};

use crate::config::Config;
use crate::{cluster, cvip, data_path, keepalive, lock, state};

/// Ends what is kept alive, detaches all programs, removes all pins and the virtual addresses, and puts the
/// kernel's settings back. Rules and seed stay in the state directory. Doing it twice
/// does no harm.
pub(crate) async fn unload(config: &Config) -> Result<()> {
    let lock = lock::take(config).context("cannot unload while it is in use")?;
    // While this node is still heard: what runs elsewhere later must have ended here.
    let ran = keepalive::end_all(config)?;
    let there = data_path::unload(config)?;
    cluster::forget_around(config)?;
    ssi_keeper::end(&config.runtime()).context("cannot end the keeper of the listening sockets")?;
    let tree = config.tree();
    tree.end()
        .with_context(|| format!("cannot end the server of {}", tree.places.proc.display()))?;
    cvip::remove(&config.state.directory).await?;
    state::remove(&config.control.socket)?;
    state::remove(&config.runtime().join(ssi_rexec::SOCKET))?;
    lock.remove()?;
    if there {
        println!("unloaded: the packet path is out of the kernel");
    } else if ran {
        println!("unloaded: nothing is kept alive any more");
    } else {
        println!("nothing was loaded");
    }
    Ok(())
}
