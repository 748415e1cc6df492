//! The key of the hash that spreads connections.

use std::fs::File;
use std::io::Read;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::state;

/// The configured seed, or one that is made once and kept.
pub(crate) fn seed(config: &Config) -> Result<u64> {
    if !config.cluster.seed.is_empty() {
        return parse(&config.cluster.seed);
    }
    let path = config.state.directory.join("seed");
    if let Some(kept) = state::read(&path)? {
        return parse(String::from_utf8_lossy(&kept).trim())
            .with_context(|| format!("{}: damaged; remove it", path.display()));
    }
    let mut bytes = [0; 8];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    let seed = u64::from_ne_bytes(bytes);
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
        config.cluster.seed = "0123456789abcdef".to_owned();
        assert_eq!(seed(&config).unwrap(), 0x0123_4567_89ab_cdef);
    }
}
