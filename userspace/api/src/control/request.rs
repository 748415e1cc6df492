use serde::{Deserialize, Serialize};

use super::VERSION;
use crate::cluster::ClusterRequest;
use crate::ics::IcsRequest;
use crate::lvs::{Command, ServiceName};
use crate::process::ProcessRequest;
use crate::service::ServiceRequest;

/// One line from a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The client's protocol version; [`VERSION`] if it doesn't say.
    #[serde(default = "current")]
    pub version: u32,
    /// Comes back in the response.
    #[serde(default)]
    pub id: u64,
    /// What is wanted.
    pub request: Request,
}

const fn current() -> u32 {
    VERSION
}

/// What a client can ask of `ssid`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Which requests there are.
    Describe,
    /// The node as it is now.
    Status,
    /// What this kernel offers, and what that means.
    Doctor,
    /// The connection scheduler.
    Lvs(LvsRequest),
    /// Membership.
    Cluster(ClusterRequest),
    /// Internode communication.
    Ics(IcsRequest),
    /// Processes.
    Process(ProcessRequest),
    /// Supervised processes.
    Service(ServiceRequest),
}

/// Requests to the connection scheduler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LvsRequest {
    /// Do all of these, in order, or none.
    Apply {
        /// What.
        commands: Vec<Command>,
    },
    /// Services and their servers, in the order they were added.
    List {
        /// Only this one; it must exist.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<ServiceName>,
    },
    /// The connection tables.
    Connections {
        /// At most so many entries; 0 is as many as the daemon gives in one reply.
        #[serde(default)]
        limit: u32,
    },
    /// What the programs counted besides services and servers.
    Counters,
    /// The timeouts that `--set` sets.
    Timeouts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_line_a_person_would_type() {
        let call: Call = serde_json::from_str(r#"{"request":"status"}"#).unwrap();
        assert_eq!(call.version, VERSION);
        assert_eq!(call.request, Request::Status);
        let call: Call = serde_json::from_str(r#"{"id":3,"request":{"lvs":{"list":{}}}}"#).unwrap();
        assert_eq!(
            call.request,
            Request::Lvs(LvsRequest::List { service: None })
        );
    }
}
