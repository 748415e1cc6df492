//! The environment that a command finds.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;

use rustix::process::getuid;

use crate::core::Spec;

/// Variables and their values.
pub(super) fn of(spec: &Spec) -> Vec<(OsString, OsString)> {
    let mut all = if spec.own_context {
        the_nodes()
    } else {
        Vec::new()
    };
    for entry in &spec.environment {
        // A name may begin with `=`; nobody would find one that is nothing else.
        let Some(at) = entry.iter().skip(1).position(|byte| *byte == b'=') else {
            continue;
        };
        let (name, value) = entry.split_at(at + 1);
        let name = OsStr::from_bytes(name).to_owned();
        all.retain(|(known, _)| *known != name);
        all.push((name, OsStr::from_bytes(&value[1..]).to_owned()));
    }
    all
}

/// What a user finds who logs in here; of the daemon's it is where programs are.
fn the_nodes() -> Vec<(OsString, OsString)> {
    let mut all: Vec<_> = std::env::vars_os().collect();
    if let Some([name, home, shell]) = user(getuid().as_raw()) {
        let mut add = |variable: &str, value: OsString| all.push((variable.into(), value));
        add("USER", name.clone());
        add("LOGNAME", name);
        add("HOME", home);
        add("SHELL", shell);
    }
    all
}

/// A user's name, directory and shell. Asks getent(1), as the name services are libraries, and
/// this program is linked statically.
fn user(uid: u32) -> Option<[OsString; 3]> {
    let mut getent = Command::new("getent");
    let said = getent.args(["passwd", &uid.to_string()]).output().ok()?;
    let line = said.stdout.split(|byte| *byte == b'\n').next()?;
    let fields: Vec<_> = line.split(|byte| *byte == b':').collect();
    match fields[..] {
        [name, _, _, _, _, home, shell] => Some([name, home, shell].map(word)),
        _ => None,
    }
}

/// Bytes as a word.
pub(super) fn word(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_may_have_anything_and_the_last_counts() {
        let spec = Spec {
            args: vec![b"x".to_vec()],
            environment: [&b"A=1"[..], b"B==\xff", b"none", b"A=2", b"=odd=3", b"E="]
                .map(<[u8]>::to_vec)
                .into(),
            own_context: false,
            directory: None,
            input_counts: false,
            ignored: 0,
            terminal: None,
            foreground: true,
            detached: false,
            errors_apart: false,
        };
        let all = of(&spec);
        let value = |name: &str| {
            let found = all.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        };
        assert_eq!(value("A"), Some(b"2".to_vec()));
        assert_eq!(value("B"), Some(b"=\xff".to_vec()));
        assert_eq!(value("=odd"), Some(b"3".to_vec()));
        assert_eq!(value("E"), Some(Vec::new()));
        assert_eq!(all.len(), 4);
    }
}
