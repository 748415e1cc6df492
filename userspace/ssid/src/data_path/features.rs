//! What this kernel offers and what the programs count, in the words of the control socket.

use ssi_abi::counter;
use ssi_api::control::{Counted, Feature, Support};
use ssi_loader::{Attachment, LoadError, Net, Working, kernel};

use super::network::why;

/// What the programs counted.
pub(super) fn counted(net: &Net) -> Result<Vec<Counted>, LoadError> {
    let all = net.maps().counters.all()?;
    Ok((0..)
        .zip(all)
        .map(|(index, (name, count))| Counted {
            name: name.to_owned(),
            count,
            drop: is_drop(index),
        })
        .collect())
}

/// How well the packet path sits on an interface.
pub(super) fn interface(at: &Attachment) -> Feature {
    let matters = match at.working {
        Working::Native | Working::Tcx => "",
        Working::Generic => "packets are handled only after the stack has made buffers of them",
        Working::Clsact => "programs are replaced in two steps instead of one",
    };
    Feature {
        name: format!("attachment to {}", at.interface),
        support: if at.refused.is_empty() {
            Support::Full
        } else {
            Support::Fallback
        },
        mode: at.working.to_string(),
        missing: why(at).trim().to_owned(),
        matters: if at.refused.is_empty() { "" } else { matters }.to_owned(),
    }
}

/// What this kernel offers.
pub(super) fn kernel_features() -> Vec<Feature> {
    kernel::report()
        .into_iter()
        .map(|feature| Feature {
            name: feature.name.to_owned(),
            support: match feature.support {
                kernel::Support::Full => Support::Full,
                kernel::Support::Fallback => Support::Fallback,
                kernel::Support::Missing => Support::Missing,
            },
            mode: feature.mode.to_owned(),
            missing: feature.missing.to_owned(),
            matters: feature.matters.to_owned(),
        })
        .collect()
}

/// Whether a packet was lost at each count of the counter with this index.
const fn is_drop(index: u32) -> bool {
    matches!(
        index,
        counter::TRUNCATED
            | counter::MALFORMED
            | counter::HEADERS
            | counter::NO_SERVER
            | counter::NO_NEIGHBOUR
            | counter::NO_ROUTE
            | counter::NO_ROOM
            | counter::TTL
            | counter::SERVER_GONE
            | counter::TOO_BIG
            | counter::TOO_BIG_DROPPED
            | counter::HOLD_FULL
    )
}
