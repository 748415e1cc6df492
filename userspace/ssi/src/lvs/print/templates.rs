use ssi_api::lvs::{ConnectionState, ConnectionView, ServerView, ServiceName, ServiceView};

/// Persistence templates: which clients stay with which server.
#[derive(Debug, Default)]
pub(crate) struct Templates(Vec<ConnectionView>);

impl Templates {
    /// Those among `entries`.
    pub(crate) fn of(mut entries: Vec<ConnectionView>) -> Self {
        entries.retain(|entry| entry.state == ConnectionState::None);
        Self(entries)
    }

    /// How many clients stay with `server` of `view`.
    pub(super) fn count(&self, view: &ServiceView, server: &ServerView) -> usize {
        self.0
            .iter()
            .filter(|entry| entry.destination.ip() == server.server.addr && belongs(view, entry))
            .count()
    }
}

fn belongs(view: &ServiceView, entry: &ConnectionView) -> bool {
    let to = entry.virtual_addr;
    match view.service {
        ServiceName::Address {
            protocol,
            addr,
            port,
        } => protocol == entry.protocol && addr == to.ip() && [0, port].contains(&to.port()),
        // A template of a mark is for all of its ports.
        ServiceName::Mark { .. } => view
            .spec
            .members
            .iter()
            .any(|member| member.protocol == entry.protocol && member.addr == to.ip()),
    }
}
