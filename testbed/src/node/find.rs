//! Finding the inits of machines by what they are, whatever a state file says.

use std::fs;
use std::path::Path;

use crate::node::{INIT, machine_of};
use crate::plan::Machine;

/// The machine that a process is the init of: it runs this program as `init`, and it is
/// the first process of a process namespace other than ours.
#[must_use]
pub fn machine_of_init(pid: i32) -> Option<Machine> {
    let process = Path::new("/proc").join(pid.to_string());
    // A process that has ended, and waits to be reaped, has neither.
    let machine = told(&fs::read(process.join("cmdline")).ok()?)?;
    is_first(&fs::read_to_string(process.join("status")).ok()?).then_some(machine)
}

/// Every init there is on this machine.
#[must_use]
pub fn inits() -> Vec<(Machine, i32)> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((machine_of_init(pid)?, pid)))
        .collect()
}

fn told(arguments: &[u8]) -> Option<Machine> {
    let mut words = arguments.split(|byte| *byte == 0);
    let program = words.next()?.rsplit(|byte| *byte == b'/').next()?;
    let init = program == b"ssi-testbed" && words.next()? == INIT.as_bytes();
    let host = init.then(|| words.next())??;
    machine_of(str::from_utf8(host).ok()?).ok()
}

/// Whether `/proc/PID/status` is that of a first process. `NSpid` (Linux 4.1) has the
/// process's number in each namespace from the reader's to its own.
fn is_first(status: &str) -> bool {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))
        .unwrap_or_default();
    let numbers: Vec<_> = line.split_whitespace().collect();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_is_taken_for_an_init() {
        let words = |line: &str| told(line.replace(' ', "\0").as_bytes());
        assert_eq!(
            words("/usr/bin/ssi-testbed init 3 ssid"),
            Some(Machine::Node(3))
        );
        assert_eq!(words("ssi-testbed init 200 -"), Some(Machine::Client));
        for other in [
            "/usr/bin/git init 3 ssid",
            "/usr/bin/ssi-testbed exec 3 init",
            "/usr/bin/ssi-testbed init",
            "/usr/bin/not-ssi-testbed init 3 ssid",
            "",
        ] {
            assert_eq!(words(other), None, "{other}");
        }
        assert!(is_first("Pid:\t77\nNSpid:\t77\t1\n"));
        assert!(!is_first("NSpid:\t1\n"), "this machine's own");
        assert!(!is_first("NSpid:\t77\t12\n"));
        assert!(!is_first(""));
    }
}
