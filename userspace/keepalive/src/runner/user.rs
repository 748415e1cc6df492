//! Users and groups, by name or number.

use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use crate::config::Process;

/// How long what was looked up is taken for what is so.
const FRESH: Duration = Duration::from_secs(1);
/// How long, if the files that say it are the same: a directory service may say more.
const KNOWN: Duration = Duration::from_secs(60);
/// The files that say who users are, and who else does.
const FILES: [&str; 3] = ["/etc/passwd", "/etc/group", "/etc/nsswitch.conf"];

/// Users that were looked up before: of a thousand processes that are started together most
/// run as the same one, and looking it up takes a good part of a start.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    since: Option<Instant>,
    looked: Option<Instant>,
    files: [Option<Stamp>; 3],
    /// By user and group, as they are configured.
    known: HashMap<(Option<String>, Option<String>), Identity>,
}

/// What changes whenever a file does: device and number, length, and when it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp([i64; 5]);

impl Stamp {
    fn of(path: &str) -> Option<Self> {
        let found = nix::sys::stat::stat(path).ok()?;
        let number = |number: u64| number.cast_signed();
        let (device, inode) = (number(found.st_dev), number(found.st_ino));
        let (seconds, nanos) = (found.st_ctime, found.st_ctime_nsec);
        Some(Self([device, inode, found.st_size, seconds, nanos]))
    }
}

impl Identities {
    /// As [`Identity::of`], not older than a second; or than a minute, if no file has changed.
    pub(crate) fn of(&mut self, process: &Process) -> io::Result<Identity> {
        if self.looked.is_none_or(|looked| looked.elapsed() > FRESH) {
            let files = FILES.map(Stamp::of);
            let old = self.since.is_none_or(|since| since.elapsed() > KNOWN);
            if old || files != self.files {
                self.known.clear();
                self.since = Some(Instant::now());
                self.files = files;
            }
            self.looked = Some(Instant::now());
        }
        let names = (process.user.clone(), process.group.clone());
        if let Some(known) = self.known.get(&names) {
            return Ok(known.clone());
        }
        let found = Identity::of(process)?;
        self.known.insert(names, found.clone());
        Ok(found)
    }
}

/// As whom a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Its supplementary groups.
    pub(crate) groups: Vec<u32>,
    /// Its name and its home, if it is in the password file.
    pub(crate) account: Option<(String, PathBuf)>,
}

impl Identity {
    /// The one that a process's configuration names; root if none is named.
    pub(crate) fn of(process: &Process) -> io::Result<Self> {
        let user = process.user.as_deref().unwrap_or("0");
        let account = account(user)?;
        let number = user.parse().ok();
        let Some(uid) = account.as_ref().map(|a| a.uid.as_raw()).or(number) else {
            return Err(io::Error::other(format!("there is no user \"{user}\"")));
        };
        let gid = match &process.group {
            None => account.as_ref().map_or(uid, |account| account.gid.as_raw()),
            Some(group) => gid(group)?
                .ok_or_else(|| io::Error::other(format!("there is no group \"{group}\"")))?,
        };
        let groups = match &account {
            Some(account) => {
                let name = CString::new(account.name.as_str())?;
                let groups = getgrouplist(&name, Gid::from_raw(gid))?;
                groups.into_iter().map(Gid::as_raw).collect()
            }
            None => vec![gid],
        };
        let account = account.map(|account| (account.name, account.dir));
        Ok(Self {
            uid,
            gid,
            groups,
            account,
        })
    }
}

fn account(user: &str) -> io::Result<Option<User>> {
    let by_number = user.parse().ok().map(Uid::from_raw);
    let found = match by_number {
        Some(uid) => User::from_uid(uid),
        None => User::from_name(user),
    };
    Ok(found?)
}

/// The number of a group.
pub(crate) fn gid(group: &str) -> io::Result<Option<u32>> {
    if let Ok(number) = group.parse() {
        return Ok(Some(number));
    }
    Ok(Group::from_name(group)?.map(|group| group.gid.as_raw()))
}

/// Whether there is such a user. A number needs no entry in the password file.
pub(crate) fn is_user(user: &str) -> bool {
    user.parse::<u32>().is_ok() || account(user).is_ok_and(|account| account.is_some())
}
