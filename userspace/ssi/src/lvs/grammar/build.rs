//! From options to what they mean.

use ssi_api::lvs::{Command, Timeouts};

use super::options::{Cut, Opt};
use super::{Action, Invocation, List, Names, UsageError, View, rules};

/// Longest persistence and timeouts, in seconds: 31 days, as in ipvsadm.
pub(super) const LONGEST: u32 = 31 * 86_400;

pub(super) fn invocation(cut: Cut, names: &dyn Names) -> Result<Invocation, UsageError> {
    let command = rules::check(&cut)?;
    let mut line = Line {
        cut,
        command,
        names,
        notes: Vec::new(),
    };
    let output = line
        .value(Opt::Output)
        .map(|name| name.parse().map_err(UsageError::UnknownName))
        .transpose()?;
    let action = line.action()?;
    Ok(Invocation {
        action,
        output,
        notes: line.notes,
    })
}

/// A cut line whose command is known and whose options go with it.
pub(super) struct Line<'a> {
    pub(super) cut: Cut,
    pub(super) command: Opt,
    pub(super) names: &'a dyn Names,
    pub(super) notes: Vec<String>,
}

impl Line<'_> {
    pub(super) fn has(&self, opt: Opt) -> bool {
        self.cut.options.iter().any(|(o, _)| *o == opt)
    }

    pub(super) fn value(&self, opt: Opt) -> Option<&str> {
        self.cut
            .options
            .iter()
            .find(|(o, _)| *o == opt)
            .and_then(|(_, value)| value.as_deref())
    }

    fn action(&mut self) -> Result<Action, UsageError> {
        Ok(Action::Change(match self.command {
            Opt::Help => return Ok(Action::Help),
            Opt::Version => return Ok(Action::Version),
            Opt::Restore => return Ok(Action::Restore),
            Opt::Save => {
                return Ok(Action::Save {
                    numeric: self.has(Opt::Numeric),
                    nosort: self.has(Opt::NoSort),
                });
            }
            Opt::List => return Ok(Action::List(self.list()?)),
            Opt::AddService => Command::AddService {
                service: self.needed_service()?,
                spec: self.service_spec()?,
            },
            Opt::EditService => Command::EditService {
                service: self.needed_service()?,
                spec: self.service_spec()?,
            },
            Opt::DeleteService => Command::DeleteService {
                service: self.needed_service()?,
            },
            Opt::Clear => Command::Clear,
            Opt::AddServer => {
                let (service, server, spec) = self.server_with_spec()?;
                Command::AddServer {
                    service,
                    server,
                    spec,
                }
            }
            Opt::EditServer => {
                let (service, server, spec) = self.server_with_spec()?;
                Command::EditServer {
                    service,
                    server,
                    spec,
                }
            }
            Opt::DeleteServer => {
                let service = self.needed_service()?;
                Command::DeleteServer {
                    service,
                    server: self.server(service)?,
                }
            }
            Opt::Zero => Command::Zero {
                service: self.service()?,
            },
            Opt::Set => Command::SetTimeouts {
                timeouts: self.timeouts()?,
            },
            _ => {
                return Err(UsageError::Unsupported {
                    what: self.command.typed(),
                    why: "connections need no synchronisation here: with the scheduler \"slot\" \
                          every director forwards them alike",
                });
            }
        }))
    }

    fn list(&self) -> Result<List, UsageError> {
        let view = [
            (Opt::Connection, View::Connections),
            (Opt::Timeout, View::Timeouts),
            (Opt::Daemon, View::Daemon),
            (Opt::Stats, View::Stats),
            (Opt::Rate, View::Rate),
            (Opt::Thresholds, View::Thresholds),
            (Opt::TunInfo, View::Tunnels),
            (Opt::PersistentConn, View::Persistent),
        ]
        .into_iter()
        .find(|(opt, _)| self.has(*opt))
        .map_or(View::Servers, |(_, view)| view);
        Ok(List {
            service: self.service()?,
            view,
            numeric: self.has(Opt::Numeric),
            exact: self.has(Opt::Exact),
            nosort: self.has(Opt::NoSort),
        })
    }

    fn timeouts(&self) -> Result<Timeouts, UsageError> {
        let [tcp, tcp_fin, udp] = self.cut.arguments.as_slice() else {
            return Err(UsageError::Missing {
                command: "--set".to_owned(),
                needs: "three timeouts in seconds: tcp tcpfin udp (0 leaves one as it is)",
            });
        };
        let seconds = |text: &String| number("timeout", text, 0, LONGEST);
        Ok(Timeouts {
            tcp: seconds(tcp)?,
            tcp_fin: seconds(tcp_fin)?,
            udp: seconds(udp)?,
        })
    }
}

/// A number within bounds.
pub(super) fn number(
    what: &'static str,
    text: &str,
    least: u32,
    most: u32,
) -> Result<u32, UsageError> {
    text.parse()
        .ok()
        .filter(|n| (least..=most).contains(n))
        .ok_or_else(|| UsageError::BadValue {
            what,
            value: text.to_owned(),
            why: format!("it is a number from {least} to {most}"),
        })
}
