//! Who is to be shown.

use nix::unistd::{User, geteuid};
use ssi_api::process::{ProcessView, ProcessesView};

use super::grammar::Asked;
use crate::fail::Fail;

/// Leaves those in that were asked for.
pub(super) fn select(view: &mut ProcessesView, asked: &Asked) -> Result<(), Fail> {
    let users = asked
        .users
        .iter()
        .map(|user| uid(user))
        .collect::<Result<Vec<_>, _>>()?;
    let own = std::process::id();
    let tty = view
        .processes
        .iter()
        .find(|p| p.pid == own)
        .map_or(0, |p| p.tty);
    let wanted = |process: &ProcessView| {
        if asked.chosen() {
            return asked.pids.contains(&process.pid)
                || asked.parents.contains(&process.ppid)
                || users.contains(&process.euid)
                || asked.names.contains(&process.comm);
        }
        let mine = asked.everybody || process.euid == geteuid().as_raw();
        let here = if asked.everybody {
            process.tty != 0
        } else {
            process.tty == tty
        };
        mine && (here || asked.terminal_or_not)
    };
    view.processes.retain(|process| wanted(process));
    Ok(())
}

fn uid(user: &str) -> Result<u32, Fail> {
    if let Ok(number) = user.parse() {
        return Ok(number);
    }
    match User::from_name(user) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        Ok(None) => Err(Fail::Usage(format!("there is no user {user}"))),
        Err(errno) => Err(Fail::Failed(format!("cannot look user {user} up: {errno}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ps::grammar::{Invocation, parse};

    fn selected(line: &str) -> Vec<u32> {
        let own = std::process::id();
        let me = geteuid().as_raw();
        let process = |pid, ppid, euid, tty, comm: &str| ProcessView {
            pid,
            ppid,
            euid,
            tty,
            comm: comm.to_owned(),
            ..ProcessView::default()
        };
        let mut view = ProcessesView {
            source: String::new(),
            at: 0,
            booted: 0,
            memory: 0,
            load: None,
            processes: vec![
                process(1, 0, me + 1, 0, "init"),
                process(2, 1, me, 0, "daemon"),
                process(3, 1, me + 1, 7, "sh"),
                process(own, 3, me, 5, "ssi"),
                process(4, 3, me, 7, "sh"),
            ],
        };
        let words: Vec<_> = line.split_whitespace().collect();
        let Ok(Invocation::Show(asked)) = parse(&words) else {
            panic!("{line}");
        };
        select(&mut view, &asked).expect("they are there");
        let pids = view.processes.iter().map(|p| p.pid);
        pids.map(|pid| if pid == own { 0 } else { pid }).collect()
    }

    #[test]
    fn as_ps_chooses() {
        for (line, wanted) in [
            ("", &[0][..]),
            ("-e", &[1, 2, 3, 0, 4]),
            ("ax", &[1, 2, 3, 0, 4]),
            ("a", &[3, 0, 4]),
            ("x", &[2, 0, 4]),
            ("-p 1,4", &[1, 4]),
            ("--ppid 3", &[0, 4]),
            ("-C sh 2", &[2, 3, 4]),
        ] {
            assert_eq!(selected(line), wanted, "{line}");
        }
    }
}
