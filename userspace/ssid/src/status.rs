//! What `ssi status` shows.

use std::time::Instant;

use ssi_api::control::{Counted, CvipStatus, Failure, FailureKind, Status};

use crate::config::Config;
use crate::data_path::DataPath;
use crate::memory;
use crate::nodes::Company;

/// What doesn't change while the daemon runs, but for its configuration.
#[derive(Clone)]
pub(crate) struct About {
    pub(crate) started: Instant,
    pub(crate) config: Config,
}

/// The node as it is now.
pub(crate) fn status(
    about: &About,
    company: &Company,
    data_path: &DataPath,
) -> Result<Status, Failure> {
    let config = &about.config;
    let (services, servers) = data_path.size();
    let alone = Company::alone(config);
    let own = company.own().or(alone.own());
    let own = own.ok_or_else(|| Failure::new(FailureKind::Internal, "this node is nobody"))?;
    Ok(Status {
        node: own.into(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        abi: ssi_abi::ABI_VERSION,
        kernel: nix::sys::utsname::uname()
            .map(|name| name.release().to_string_lossy().into_owned())
            .unwrap_or_default(),
        uptime: about.started.elapsed().as_secs(),
        pid: std::process::id(),
        memory: memory::resident(),
        adopted: data_path.adopted(),
        cluster: String::new(),
        member: None,
        nodes: company.nodes.iter().map(Into::into).collect(),
        interfaces: data_path.attached(),
        cvips: config
            .cvip
            .iter()
            .map(|cvip| CvipStatus {
                address: cvip.address,
                interface: cvip.interface.clone(),
                director: company
                    .directors
                    .get(&cvip.address)
                    .copied()
                    .unwrap_or(0)
                    .into(),
                here: company.directed.contains(&cvip.address),
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
