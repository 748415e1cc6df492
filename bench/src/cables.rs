//! veth pairs in the namespace of this thread.

use std::process::Command;

use anyhow::{Context, Result, bail};
use nix::net::if_::if_nametoindex;

/// Two interfaces, one the other's far end. They go with their namespace.
#[derive(Debug)]
pub(crate) struct Cable {
    pub(crate) near: String,
    pub(crate) near_index: u32,
    pub(crate) far: String,
    pub(crate) far_index: u32,
}

impl Cable {
    pub(crate) fn lay(number: usize) -> Result<Self> {
        let (near, far) = (format!("near{number}"), format!("far{number}"));
        ip(&["link", "add", &near, "type", "veth", "peer", "name", &far])?;
        for end in [&near, &far] {
            ip(&["link", "set", "dev", end, "up"])?;
        }
        Ok(Self {
            near_index: if_nametoindex(near.as_str())?,
            far_index: if_nametoindex(far.as_str())?,
            near,
            far,
        })
    }
}

/// Runs `ip` in the namespace of this thread.
pub(crate) fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .context("cannot run ip (Debian package iproute2)")?;
    if !output.status.success() {
        bail!(
            "ip {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
