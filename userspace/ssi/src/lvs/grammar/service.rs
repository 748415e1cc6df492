//! Virtual services: `-t -u -f -6`, and how they shall behave.

use ssi_api::lvs::{PortRange, Protocol, Scheduler, ServiceFlags, ServiceName, ServiceSpec};

use super::build::{LONGEST, Line, number};
use super::options::Opt;
use super::{UsageError, address};

/// Persistence in seconds when `-p` is said without a timeout.
const PERSISTENT: u32 = 300;

impl Line<'_> {
    pub(super) fn service(&self) -> Result<Option<ServiceName>, UsageError> {
        if self.has(Opt::Sctp) {
            return Err(UsageError::Unsupported {
                what: "--sctp-service".to_owned(),
                why: "services are TCP (-t) or UDP (-u)",
            });
        }
        if let Some(mark) = self.value(Opt::Mark) {
            return Ok(Some(ServiceName::Mark {
                mark: mark_number(mark)?,
                v6: self.has(Opt::V6),
            }));
        }
        let (protocol, text) = match (self.value(Opt::Tcp), self.value(Opt::Udp)) {
            (Some(text), _) => (Protocol::Tcp, text),
            (None, Some(text)) => (Protocol::Udp, text),
            (None, None) => return Ok(None),
        };
        let (addr, port) = address::endpoint("virtual address", text, protocol, self.names)?;
        Ok(Some(ServiceName::Address {
            protocol,
            addr,
            port: port.unwrap_or(0),
        }))
    }

    pub(super) fn needed_service(&self) -> Result<ServiceName, UsageError> {
        self.service()?.ok_or_else(|| UsageError::Missing {
            command: self.command.typed(),
            needs: "a virtual service: -t ADDRESS:PORT, -u ADDRESS:PORT or -f MARK",
        })
    }

    pub(super) fn service_spec(&self) -> Result<ServiceSpec, UsageError> {
        let service = self.needed_service()?;
        if self.has(Opt::Engine) {
            return Err(UsageError::Unsupported {
                what: "--pe".to_owned(),
                why: "clients are told apart by address (-p, -M), not by what they say (SIP)",
            });
        }
        let scheduler: Scheduler = match self.value(Opt::Scheduler) {
            Some(name) => name.parse()?,
            None => Scheduler::default(),
        };
        let persistent = match (self.has(Opt::Persistent), self.value(Opt::Persistent)) {
            (false, _) => None,
            (true, None) => Some(PERSISTENT),
            (true, Some(text)) => Some(number("persistence timeout", text, 1, LONGEST)?),
        };
        let v6 = match service {
            ServiceName::Address { addr, .. } => addr.is_ipv6(),
            ServiceName::Mark { v6, .. } => v6,
        };
        let prefix = match self.value(Opt::Netmask) {
            None => None,
            Some(_) if persistent.is_none() => {
                return Err(UsageError::Missing {
                    command: "-M".to_owned(),
                    needs: "-p: it says which clients count as one for persistence",
                });
            }
            Some(text) => address::netmask(text, v6)?,
        };
        let flags = match self.value(Opt::SchedFlags) {
            Some(text) => flags(scheduler, text)?,
            None => ServiceFlags::default(),
        };
        let one_packet = self.has(Opt::OnePacket);
        if one_packet
            && let ServiceName::Address {
                protocol: Protocol::Tcp,
                ..
            } = service
        {
            return Err(UsageError::NotFor(
                "-o (one-packet scheduling)".to_owned(),
                "TCP: a connection has more than one packet".to_owned(),
            ));
        }
        Ok(ServiceSpec {
            scheduler,
            persistent,
            prefix,
            one_packet,
            flags,
            members: self.members(service)?,
            supervised: false,
        })
    }

    fn members(&self, service: ServiceName) -> Result<Vec<PortRange>, UsageError> {
        let members = self
            .cut
            .options
            .iter()
            .filter(|(opt, _)| *opt == Opt::Member)
            .filter_map(|(_, value)| value.as_deref())
            .map(|text| address::member(text, self.names))
            .collect::<Result<Vec<_>, _>>()?;
        match service {
            ServiceName::Address { .. } if !members.is_empty() => Err(UsageError::NotFor(
                "--member".to_owned(),
                "-t and -u, only for -f".to_owned(),
            )),
            _ => Ok(members),
        }
    }
}

fn flags(scheduler: Scheduler, text: &str) -> Result<ServiceFlags, UsageError> {
    let hashes = matches!(scheduler, Scheduler::Sh | Scheduler::Mh);
    let mut flags = ServiceFlags::default();
    for name in text.split(',').filter(|name| !name.is_empty()) {
        let (of, bare) = match name.split_once('-') {
            Some((of @ ("sh" | "mh" | "slot"), bare)) => (of, bare),
            // ipvsadm's neutral names: flag-1 is fallback, flag-2 port.
            Some(("flag", "1")) if hashes => (scheduler.name(), "fallback"),
            Some(("flag", "2")) if hashes => (scheduler.name(), "port"),
            _ => ("", ""),
        };
        let flag = match (of, bare) {
            ("sh" | "mh", "port") => &mut flags.port,
            ("sh" | "mh", "fallback") => &mut flags.fallback,
            ("slot", "track") => &mut flags.track,
            _ => {
                return Err(UsageError::BadValue {
                    what: "scheduler flag",
                    value: name.to_owned(),
                    why: "known: sh-port, sh-fallback, mh-port, mh-fallback, slot-track".to_owned(),
                });
            }
        };
        if of != scheduler.name() {
            return Err(UsageError::BadValue {
                what: "scheduler flag",
                value: name.to_owned(),
                why: format!("the scheduler is {scheduler}"),
            });
        }
        *flag = true;
    }
    Ok(flags)
}

fn mark_number(text: &str) -> Result<u32, UsageError> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    parsed
        .filter(|mark| *mark != 0)
        .ok_or_else(|| UsageError::BadValue {
            what: "mark",
            value: text.to_owned(),
            why: format!("it is a number from 1 to {}", u32::MAX),
        })
}
