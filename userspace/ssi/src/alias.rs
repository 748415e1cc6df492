//! The traditional names, by which ssi can be called.

use std::ffi::OsString;
use std::path::Path;

use ssi_api::names;

/// What the name that we were called by makes of us.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Called {
    /// `ssi`.
    Ssi,
    /// `ssi lvs`, under this name.
    Lvs(String),
    /// `ssi` and this command.
    Command(&'static str),
}

/// What the original's name of a command says besides.
pub(crate) fn implied(name: &str) -> Option<&'static str> {
    (name == "loads").then_some("--short")
}

/// The command that runs others, if it is one of those: its name, what it is called in
/// messages, and what comes after.
pub(crate) fn remote(argv: &[OsString]) -> Option<(&'static str, String, &[OsString])> {
    let own = Path::new(argv.first()?).file_name()?.to_str()?;
    if let Some(name) = ssi_remote::named(own).filter(|name| names::REMOTE.contains(name)) {
        return Some((name, name.to_owned(), &argv[1..]));
    }
    let name = ssi_remote::named(argv.get(1)?.to_str()?)?;
    let called = matches!(called(argv), Called::Ssi);
    called.then(|| (name, format!("ssi {name}"), &argv[2..]))
}

/// Who we are, by the first of the arguments.
pub(crate) fn called(argv: &[OsString]) -> Called {
    let name = argv
        .first()
        .and_then(|path| Path::new(path).file_name()?.to_str());
    let Some(name) = name else { return Called::Ssi };
    if name.ends_with("ipvsadm") {
        return Called::Lvs(name.to_owned());
    }
    names::COMMANDS
        .into_iter()
        .find(|known| *known == name)
        .map_or(Called::Ssi, Called::Command)
}

/// The words of a command line, for tests.
#[cfg(test)]
pub(crate) fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Args;

    #[test]
    fn the_name_says_the_command() {
        let called = |line: &str| called(&words(line));
        assert_eq!(
            called("/sbin/ssi-ipvsadm -L"),
            Called::Lvs("ssi-ipvsadm".to_owned())
        );
        assert_eq!(
            called("clusternode_num"),
            Called::Command("clusternode_num")
        );
        assert_eq!(
            called("/usr/lib/ssi/bin/cluster -v"),
            Called::Command("cluster")
        );
        assert_eq!(called("/usr/bin/ssi lvs"), Called::Ssi);
        assert_eq!(called("clusternode_nums"), Called::Ssi);
        assert_eq!(super::called(&[]), Called::Ssi);
    }

    #[test]
    fn each_is_a_command_and_installed() {
        let script = include_str!("../../../tools/install.sh");
        let ssi = Args::command();
        for name in names::all() {
            assert!(ssi.find_subcommand(name).is_some(), "{name}");
            assert!(
                script.split([' ', '(', ')', '\n']).any(|word| word == name),
                "tools/install.sh does not install {name}"
            );
        }
    }
}
