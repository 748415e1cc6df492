//! Whoever made a call: with which rights.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat, readlinkat};
use ssi_api::process::Behalf;

/// The bits of capabilities (capabilities(7)).
const KILL: u64 = 1 << 5;
const NICE: u64 = 1 << 23;

/// A thread's users, capabilities and session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    real: u32,
    effective: u32,
    /// None in a user namespace of its own.
    capabilities: u64,
    session: Option<u32>,
}

impl Caller {
    /// Of a thread, from the node's own /proc; none if it is gone.
    pub(super) fn of(native: &OwnedFd, thread: u32) -> Option<Self> {
        let status = read(native, &format!("{thread}/status"))?;
        let stat = read(native, &format!("{thread}/stat"))?;
        let mut caller = Self::parse(&status)?;
        caller.session = session(&stat);
        let namespace = |of: &str| readlinkat(native, format!("{of}/ns/user"), Vec::new()).ok();
        if namespace(&thread.to_string()) != namespace("self") {
            caller.capabilities = 0;
        }
        Some(caller)
    }

    fn parse(status: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = status.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        };
        let mut users = value("Uid")?.split_whitespace();
        let mut user = || users.next()?.parse().ok();
        Some(Self {
            real: user()?,
            effective: user()?,
            capabilities: u64::from_str_radix(value("CapEff")?.trim(), 16).ok()?,
            session: None,
        })
    }

    /// With whose rights it signals: one after the other. A root without the right to signal
    /// all is nobody elsewhere, as other nodes know only users.
    pub(super) fn signals_as(self) -> impl Iterator<Item = Behalf> {
        let users = [self.effective, self.real];
        let count = if self.real == self.effective { 1 } else { 2 };
        let users = users.into_iter().take(count);
        users.filter_map(move |user| self.behalf(user, KILL))
    }

    /// With whose rights it changes priorities.
    pub(super) fn changes_as(self) -> Option<Behalf> {
        self.behalf(self.effective, NICE)
    }

    fn behalf(self, user: u32, capability: u64) -> Option<Behalf> {
        let root = self.effective == 0 && self.capabilities & capability != 0;
        let session = self.session;
        (user != 0 || root).then_some(Behalf { user, session })
    }
}

fn read(native: impl AsFd, path: &str) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = openat(native, path, flags, Mode::empty()).ok()?;
    let mut bytes = Vec::new();
    File::from(file).read_to_end(&mut bytes).ok()?;
    // A name may have anything in it.
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The fourth number after the name: state, parent, group, session.
fn session(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rustix::fs::open;

    use super::*;

    fn caller(real: u32, effective: u32, capabilities: u64) -> Caller {
        Caller {
            real,
            effective,
            capabilities,
            session: None,
        }
    }

    #[test]
    fn rights_are_of_users() {
        let as_whom = |caller: Caller| {
            let all = caller.signals_as().map(|behalf| behalf.user);
            all.collect::<Vec<_>>()
        };
        assert_eq!(as_whom(caller(7, 7, 0)), [7]);
        assert_eq!(as_whom(caller(7, 8, 0)), [8, 7]);
        assert_eq!(as_whom(caller(0, 0, KILL)), [0]);
        assert_eq!(as_whom(caller(0, 0, NICE)), [] as [u32; 0]);
        assert_eq!(as_whom(caller(7, 0, KILL)), [0, 7]);
        // What root may is not the real user's.
        assert_eq!(as_whom(caller(0, 7, KILL)), [7]);
        assert_eq!(caller(7, 0, NICE).changes_as().map(|b| b.user), Some(0));
        assert_eq!(caller(0, 0, KILL).changes_as(), None);
    }

    #[test]
    fn this_thread() {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let native = open("/proc", flags, Mode::empty()).expect("/proc");
        let caller = Caller::of(&native, std::process::id()).expect("it runs");
        assert_eq!(caller.effective, rustix::process::geteuid().as_raw());
        // 0, if its leader is outside of the pid namespace.
        let session = nix::unistd::getsid(None).expect("a session");
        assert_eq!(caller.session, Some(session.as_raw().unsigned_abs()));
        assert_eq!(Caller::of(&native, u32::MAX), None);
    }

    proptest! {
        #[test]
        fn anything_can_be_said(status in "\\PC*", stat in "\\PC*") {
            let _ = (Caller::parse(&status), session(&stat));
        }

        #[test]
        fn names_are_no_numbers(name in "[ ()a-z0-9]{0,15}", session in 1_u32..9_999) {
            let stat = format!("7 ({name}) S 1 7 {session} 34816 7 0");
            prop_assert_eq!(super::session(&stat), Some(session));
        }
    }
}
