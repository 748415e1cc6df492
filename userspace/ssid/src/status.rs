//! What `ssi status` shows.

use std::time::Instant;

use ssi_api::control::{Counted, CvipStatus, Failure, Status};

use crate::config::Config;
use crate::data_path::DataPath;
use crate::{cvip, memory, nodes};

/// What doesn't change while the daemon runs, but for its configuration.
#[derive(Clone)]
pub(crate) struct About {
    pub(crate) started: Instant,
    pub(crate) config: Config,
}

/// The node as it is now.
pub(crate) fn status(about: &About, data_path: &DataPath) -> Result<Status, Failure> {
    let config = &about.config;
    let (services, servers) = data_path.size();
    Ok(Status {
        node: nodes::own(config).into(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        abi: ssi_abi::ABI_VERSION,
        kernel: nix::sys::utsname::uname()
            .map(|name| name.release().to_string_lossy().into_owned())
            .unwrap_or_default(),
        uptime: about.started.elapsed().as_secs(),
        pid: std::process::id(),
        memory: memory::resident(),
        adopted: data_path.adopted(),
        cluster: config.cluster.name.clone(),
        member: None,
        nodes: nodes::nodes(config).into_iter().map(Into::into).collect(),
        interfaces: data_path.attached(),
        cvips: config
            .cvip
            .iter()
            .map(|cvip| CvipStatus {
                address: cvip.address,
                interface: cvip.interface.clone(),
                director: cvip.director,
                here: cvip::directs(config, cvip),
            })
            .collect(),
        services,
        servers,
        counters: data_path
            .counters()?
            .into_iter()
            .filter(|counted: &Counted| counted.count > 0)
            .collect(),
    })
}
