//! Which options go with which command.

use super::UsageError;
use super::options::{Cut, Opt};

/// The commands.
pub(super) const COMMANDS: &[Opt] = &[
    Opt::AddService,
    Opt::EditService,
    Opt::DeleteService,
    Opt::Clear,
    Opt::Restore,
    Opt::Save,
    Opt::AddServer,
    Opt::EditServer,
    Opt::DeleteServer,
    Opt::List,
    Opt::Zero,
    Opt::Set,
    Opt::StartDaemon,
    Opt::StopDaemon,
    Opt::Help,
    Opt::Version,
];

/// Options of which only one can be said at a time.
const EXCLUSIVE: &[&[Opt]] = &[
    COMMANDS,
    &[Opt::Tcp, Opt::Udp, Opt::Sctp, Opt::Mark],
    &[Opt::Route, Opt::Tunnel, Opt::Masq],
    &[Opt::Sort, Opt::NoSort],
    &[
        Opt::Stats,
        Opt::Rate,
        Opt::Thresholds,
        Opt::TunInfo,
        Opt::Connection,
        Opt::Timeout,
        Opt::Daemon,
    ],
];

const SERVICE: &[Opt] = &[Opt::Tcp, Opt::Udp, Opt::Sctp, Opt::Mark, Opt::V6];

const fn allowed(command: Opt) -> &'static [&'static [Opt]] {
    match command {
        Opt::AddService | Opt::EditService => &[
            SERVICE,
            &[
                Opt::Scheduler,
                Opt::Persistent,
                Opt::Netmask,
                Opt::Engine,
                Opt::SchedFlags,
                Opt::OnePacket,
                Opt::Member,
            ],
        ],
        Opt::DeleteService | Opt::Zero => &[SERVICE],
        Opt::AddServer | Opt::EditServer => &[
            SERVICE,
            &[
                Opt::Server,
                Opt::Route,
                Opt::Tunnel,
                Opt::Masq,
                Opt::TunType,
                Opt::TunPort,
                Opt::TunNoCsum,
                Opt::TunCsum,
                Opt::TunRemCsum,
                Opt::Weight,
                Opt::Upper,
                Opt::Lower,
            ],
        ],
        Opt::DeleteServer => &[SERVICE, &[Opt::Server]],
        Opt::List => &[
            SERVICE,
            &[
                Opt::Connection,
                Opt::Timeout,
                Opt::Daemon,
                Opt::Stats,
                Opt::Rate,
                Opt::Thresholds,
                Opt::PersistentConn,
                Opt::TunInfo,
                Opt::Exact,
                Opt::Sort,
                Opt::NoSort,
            ],
        ],
        Opt::Save => &[&[Opt::Sort, Opt::NoSort]],
        Opt::StartDaemon | Opt::StopDaemon => &[&[
            Opt::SyncId,
            Opt::SyncMaxLen,
            Opt::McastInterface,
            Opt::McastGroup,
            Opt::McastPort,
            Opt::McastTtl,
        ]],
        _ => &[],
    }
}

/// Options that change nothing but what is printed: they go with every command, as in
/// ipvsadm, and may be repeated.
const ANYWHERE: &[Opt] = &[Opt::Numeric, Opt::Output];

/// The command of a cut line, once the options have been found to go with it and with
/// each other. A line with no command and nothing else is `-L`.
pub(super) fn check(cut: &Cut) -> Result<Opt, UsageError> {
    let said: Vec<Opt> = cut.options.iter().map(|(opt, _)| *opt).collect();
    // Help and version win over anything else that was said.
    for wins in [Opt::Help, Opt::Version] {
        if said.contains(&wins) {
            return Ok(wins);
        }
    }
    for group in EXCLUSIVE {
        let mut found = said.iter().filter(|opt| group.contains(opt));
        if let (Some(first), Some(second)) = (found.next(), found.next()) {
            return Err(if first == second {
                UsageError::Twice(first.typed())
            } else {
                UsageError::Conflict(first.typed(), second.typed())
            });
        }
    }
    let command = match said.iter().find(|opt| COMMANDS.contains(opt)) {
        Some(command) => *command,
        None if said.iter().all(|opt| ANYWHERE.contains(opt)) && cut.arguments.is_empty() => {
            Opt::List
        }
        None => return Err(UsageError::NoCommand),
    };
    for (at, opt) in said.iter().enumerate() {
        if *opt == command || ANYWHERE.contains(opt) {
            continue;
        }
        if *opt == Opt::OnePacket && matches!(command, Opt::List | Opt::Save) {
            return Err(UsageError::Missing {
                command: "-o".to_owned(),
                needs: "a format here: json, table or wide",
            });
        }
        if !allowed(command).iter().any(|group| group.contains(opt)) {
            return Err(UsageError::NotFor(opt.typed(), command.typed()));
        }
        if *opt != Opt::Member && said[..at].contains(opt) {
            return Err(UsageError::Twice(opt.typed()));
        }
    }
    let arguments = if command == Opt::Set { 3 } else { 0 };
    match cut.arguments.get(arguments) {
        Some(extra) => Err(UsageError::UnexpectedArgument(extra.clone())),
        None => Ok(command),
    }
}
