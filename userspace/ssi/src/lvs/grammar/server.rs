//! Real servers: `-r`, the forwarding method, weight and thresholds.

use ssi_api::lvs::{Method, Protocol, ServerName, ServerSpec, ServiceName};

use super::build::{Line, number};
use super::options::Opt;
use super::{UsageError, address};

impl Line<'_> {
    pub(super) fn server(&self, service: ServiceName) -> Result<ServerName, UsageError> {
        let text = self.value(Opt::Server).ok_or_else(|| UsageError::Missing {
            command: self.command.typed(),
            needs: "a real server: -r ADDRESS[:PORT]",
        })?;
        let (protocol, port) = match service {
            ServiceName::Address { protocol, port, .. } => (protocol, port),
            ServiceName::Mark { .. } => (Protocol::Tcp, 0),
        };
        let (addr, own) = address::endpoint("real server", text, protocol, self.names)?;
        Ok(ServerName {
            addr,
            port: own.unwrap_or(port),
        })
    }

    pub(super) fn server_with_spec(
        &mut self,
    ) -> Result<(ServiceName, ServerName, ServerSpec), UsageError> {
        let service = self.needed_service()?;
        let mut server = self.server(service)?;
        let method = if self.has(Opt::Masq) {
            Method::Masq
        } else if self.has(Opt::Tunnel) {
            self.tunnel()?;
            Method::Tunnel
        } else {
            Method::Route
        };
        if method != Method::Masq
            && let ServiceName::Address { port, .. } = service
            && server.port != port
        {
            self.notes.push(format!(
                "only -m can change the port: {server} is taken for port {port}"
            ));
            server.port = port;
        }
        let threshold = |name, opt| {
            self.value(opt)
                .map_or(Ok(0), |t| number(name, t, 0, 65_535))
        };
        let spec = ServerSpec {
            method,
            weight: self
                .value(Opt::Weight)
                .map_or(Ok(1), |text| number("weight", text, 0, 65_535))?,
            upper: threshold("upper threshold", Opt::Upper)?,
            lower: threshold("lower threshold", Opt::Lower)?,
            supervised: false,
        };
        if spec.upper != 0 && spec.lower > spec.upper {
            return Err(UsageError::BadValue {
                what: "lower threshold",
                value: spec.lower.to_string(),
                why: format!("it is above the upper one, {}", spec.upper),
            });
        }
        Ok((service, server, spec))
    }

    fn tunnel(&self) -> Result<(), UsageError> {
        const OPTIONS: [Opt; 4] = [Opt::TunPort, Opt::TunNoCsum, Opt::TunCsum, Opt::TunRemCsum];
        match self.value(Opt::TunType) {
            None | Some("ipip") => {}
            Some(other) => {
                return Err(UsageError::Unsupported {
                    what: format!("--tun-type {other}"),
                    why: "tunnels are ipip (over IPv6: ip6ip6), opened by ssid at the real server",
                });
            }
        }
        match OPTIONS.into_iter().find(|opt| self.has(*opt)) {
            Some(opt) => Err(UsageError::NotFor(
                opt.typed(),
                "tunnels of type ipip".to_owned(),
            )),
            None => Ok(()),
        }
    }
}
