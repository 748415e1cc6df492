//! Everything that a process needs to become its program.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::ptr;

use super::super::user::Identity;
use crate::config::{Process, Resource, Rlimit};
use ssi_spawn::precedence;

/// Where programs are looked for by those that don't say it themselves.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Everything that a process needs to become its program; ready to be used without
/// allocating.
pub(crate) struct Plan {
    pub(super) path: CString,
    pub(super) argv: Words,
    pub(super) envp: Words,
    pub(super) cwd: CString,
    pub(super) identity: Identity,
    pub(super) rlimits: Vec<(libc::c_int, libc::rlimit64)>,
    /// Standard output and error.
    pub(super) log: OwnedFd,
    pub(super) notify: Option<OwnedFd>,
    pub(super) mark: u64,
    /// How it is scheduled; none: as it is by then.
    pub(super) schedule: Option<&'static libc::sched_attr>,
}

/// Strings as execve(2) wants them.
pub(super) struct Words {
    pointers: Vec<*const libc::c_char>,
    /// What they point at.
    _strings: Vec<CString>,
}

impl Words {
    fn new(strings: Vec<CString>) -> Self {
        let pointers = strings.iter().map(|word| word.as_ptr());
        Self {
            pointers: pointers.chain([ptr::null()]).collect(),
            _strings: strings,
        }
    }

    /// Ends with a null pointer.
    pub(super) fn as_ptr(&self) -> *const *const libc::c_char {
        self.pointers.as_ptr()
    }
}

impl Plan {
    /// For a process as it is configured, run by `identity`, with what supervision tells it,
    /// writing to `log`.
    pub(crate) fn new(
        process: &Process,
        identity: Identity,
        told: BTreeMap<String, String>,
        log: OwnedFd,
    ) -> io::Result<Self> {
        let path = word(process.path.as_os_str().as_bytes())?;
        let args = process.args.iter().map(|arg| word(arg.as_bytes()));
        let argv: io::Result<Vec<_>> = [Ok(path.clone())].into_iter().chain(args).collect();
        let mut environment = BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]);
        if let Some((name, home)) = &identity.account {
            environment.insert("USER".to_owned(), name.clone());
            environment.insert("LOGNAME".to_owned(), name.clone());
            environment.insert("HOME".to_owned(), home.display().to_string());
        }
        environment.extend(process.environment.clone());
        environment.extend(told);
        let envp = environment.iter();
        let envp = envp.map(|(name, value)| word(format!("{name}={value}").as_bytes()));
        let envp: io::Result<Vec<_>> = envp.collect();
        let cwd = process.cwd.as_deref().unwrap_or(Path::new("/"));
        let rlimits = process.rlimits.iter();
        Ok(Self {
            path,
            argv: Words::new(argv?),
            envp: Words::new(envp?),
            cwd: word(cwd.as_os_str().as_bytes())?,
            identity,
            rlimits: rlimits
                .map(|(r, limit)| (number(*r), bounds(*limit)))
                .collect(),
            log,
            notify: None,
            mark: 0,
            schedule: precedence::before(),
        })
    }

    /// Has it enter itself by this number into the map of those whose end is remembered.
    pub(crate) const fn mark(&mut self, mark: u64) {
        self.mark = mark;
    }

    /// Has it hold the socket that it speaks to its supervisor by, as
    /// [`NOTIFY`](super::NOTIFY).
    pub(crate) fn hold(&mut self, socket: OwnedFd) {
        self.notify = Some(socket);
    }

    /// What a step that failed was about.
    pub(super) fn what(&self, step: &str) -> String {
        match step {
            "execve" => self.path.to_string_lossy().into_owned(),
            "chdir" => format!("cwd {}", self.cwd.to_string_lossy()),
            "setresuid" => format!("user {}", self.identity.uid),
            _ => step.to_owned(),
        }
    }
}

fn word(bytes: &[u8]) -> io::Result<CString> {
    Ok(CString::new(bytes)?)
}

fn bounds(limit: Rlimit) -> libc::rlimit64 {
    libc::rlimit64 {
        rlim_cur: limit.soft.unwrap_or(libc::RLIM64_INFINITY),
        rlim_max: limit.hard.unwrap_or(libc::RLIM64_INFINITY),
    }
}

const fn number(resource: Resource) -> libc::c_int {
    (match resource {
        Resource::As => libc::RLIMIT_AS,
        Resource::Core => libc::RLIMIT_CORE,
        Resource::Cpu => libc::RLIMIT_CPU,
        Resource::Data => libc::RLIMIT_DATA,
        Resource::Fsize => libc::RLIMIT_FSIZE,
        Resource::Locks => libc::RLIMIT_LOCKS,
        Resource::Memlock => libc::RLIMIT_MEMLOCK,
        Resource::Msgqueue => libc::RLIMIT_MSGQUEUE,
        Resource::Nice => libc::RLIMIT_NICE,
        Resource::Nofile => libc::RLIMIT_NOFILE,
        Resource::Nproc => libc::RLIMIT_NPROC,
        Resource::Rss => libc::RLIMIT_RSS,
        Resource::Rtprio => libc::RLIMIT_RTPRIO,
        Resource::Rttime => libc::RLIMIT_RTTIME,
        Resource::Sigpending => libc::RLIMIT_SIGPENDING,
        Resource::Stack => libc::RLIMIT_STACK,
    }) as libc::c_int
}
