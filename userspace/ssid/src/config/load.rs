use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Config, check};

/// Where the configuration is looked for unless `--config` says otherwise.
const DEFAULT_PATH: &str = "/etc/ssi/ssi.toml";

/// Why there is no usable configuration.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}:{line}: {message}")]
    Syntax {
        path: PathBuf,
        line: usize,
        message: String,
    },
    #[error("{path}: {message}")]
    Meaning { path: PathBuf, message: String },
}

/// Reads the configuration. No file at the default path means the defaults; no file at a
/// path that was asked for is an error.
pub(crate) fn load(path: Option<&Path>) -> Result<Config, ConfigError> {
    let asked = path.is_some();
    let path = path.unwrap_or(Path::new(DEFAULT_PATH));
    match fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(e) if e.kind() == io::ErrorKind::NotFound && !asked => Ok(Config::default()),
        Err(source) => Err(ConfigError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Config, ConfigError> {
    let config: Config = toml::from_str(text).map_err(|e| ConfigError::Syntax {
        path: path.to_owned(),
        line: e.span().map_or(1, |span| {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            1 + before.iter().filter(|&&byte| byte == b'\n').count()
        }),
        message: e.message().replace('\n', " "),
    })?;
    match check::meaning(&config) {
        Some(message) => Err(ConfigError::Meaning {
            path: path.to_owned(),
            message,
        }),
        None => Ok(config),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::DEFAULT_TEXT;
    use super::*;

    const CONTRACT: &str = r#"
[node]
name = "node1"
addresses = ["10.77.0.1", "fd77::1"]
[cluster]
security = "mac"
[[cvip]]
address = "10.88.0.100"
interface = "eth0"
[network]
interfaces = ["eth0", "ic0"]
mode = "auto"
[lvs]
conns4 = 4096
"#;

    fn read(text: &str) -> Result<Config, String> {
        parse(Path::new("ssi.toml"), text).map_err(|e| e.to_string())
    }

    #[test]
    fn the_printed_defaults_are_the_defaults() {
        assert_eq!(read(DEFAULT_TEXT).unwrap(), Config::default());
        assert_eq!(read("").unwrap(), Config::default());
        // What is commented out is right too.
        let all: String = DEFAULT_TEXT
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(setting) if !setting.starts_with(' ') => setting,
                _ => line,
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let config = read(&all).unwrap();
        assert_eq!(config.cvip.len(), 1);
        assert_eq!(config.lvs.table_entries, Some(4_194_304));
    }

    #[test]
    fn a_node_of_a_cluster() {
        let config = read(CONTRACT).unwrap();
        assert_eq!(config.node.addresses.len(), 2);
        assert_eq!(config.network.interfaces, ["eth0", "ic0"]);
        assert_eq!(config.lvs.conns4, Some(4096));
    }

    #[test]
    fn waits_are_measured_if_that_is_said() {
        assert!(!Config::default().processes.waits);
        assert!(read("[processes]\nwaits = true\n").unwrap().processes.waits);
    }

    #[test]
    fn mistakes_have_line_numbers() {
        for (text, part) in [
            ("[node]\nnmae = \"x\"\n", "ssi.toml:2: unknown field `nmae`"),
            (
                "\n\n[network]\nmode = \"fast\"\n",
                "ssi.toml:4: unknown variant `fast`",
            ),
            ("[node\n", "ssi.toml:1: "),
            ("[processes]\nwaits = 1\n", "ssi.toml:2: invalid type"),
            ("[[cvip]]\naddress = \"10.0.0.300\"\n", "ssi.toml:2: "),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_file_that_was_asked_for_must_be_there() {
        let error = load(Some(Path::new("/nonexistent/ssi.toml"))).unwrap_err();
        assert!(
            error.to_string().contains("/nonexistent/ssi.toml"),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn damaged_files_never_panic(at in 0..CONTRACT.len(), with in "\\PC{0,3}") {
            let mut text = CONTRACT.to_owned();
            text.replace_range(at..=at, &with);
            let _ = read(&text);
        }
    }
}
