//! The key of the hash that spreads connections.

use anyhow::{Context, Result};

use crate::config::Config;
use crate::random::random;
use crate::state;

/// One that is made once and kept, until a cluster has another: that of the node that
/// founded it.
pub(crate) fn seed(config: &Config) -> Result<u64> {
    let path = config.state.directory.join("seed");
    if let Some(kept) = state::read(&path)? {
        return parse(String::from_utf8_lossy(&kept).trim())
            .with_context(|| format!("{}: damaged; remove it", path.display()));
    }
    let seed = random();
    state::write(&path, format!("{seed:016x}\n").as_bytes())?;
    Ok(seed)
}

fn parse(text: &str) -> Result<u64> {
    u64::from_str_radix(text, 16).context("not a seed: 16 hex digits are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.state.directory = dir.path().join("deep/er");
        let first = seed(&config).unwrap();
        assert_eq!(seed(&config).unwrap(), first);
    }
}
