use serde::{Deserialize, Serialize};

use super::{ServerName, ServerSpec, ServiceName, ServiceSpec, Timeouts};

/// One change to the scheduler's tables. A list of them is applied whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case")]
pub enum Command {
    /// `-A`: it must not exist.
    AddService {
        /// Which.
        service: ServiceName,
        /// How.
        spec: ServiceSpec,
    },
    /// `-E`: it must exist; keeps its servers and connections.
    EditService {
        /// Which.
        service: ServiceName,
        /// How.
        spec: ServiceSpec,
    },
    /// `-D`: it must exist; its servers go with it.
    DeleteService {
        /// Which.
        service: ServiceName,
    },
    /// `-C`: every service goes.
    Clear,
    /// `-a`: the service must exist, the server not.
    AddServer {
        /// Of which service.
        service: ServiceName,
        /// Which.
        server: ServerName,
        /// How.
        spec: ServerSpec,
    },
    /// `-e`: both must exist.
    EditServer {
        /// Of which service.
        service: ServiceName,
        /// Which.
        server: ServerName,
        /// How.
        spec: ServerSpec,
    },
    /// `-d`: both must exist.
    DeleteServer {
        /// Of which service.
        service: ServiceName,
        /// Which.
        server: ServerName,
    },
    /// `-Z`: counters of one service, or of all, start again from 0.
    Zero {
        /// Which; none is all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        service: Option<ServiceName>,
    },
    /// `--set`.
    SetTimeouts {
        /// To what.
        timeouts: Timeouts,
    },
}
