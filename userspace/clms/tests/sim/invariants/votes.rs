//! Where three or more are up that can vote, three do: no single crash leaves them without a
//! majority.

use ssi_clms::core::State;
use ssi_clms::core::follower::Installed;

/// Fewest votes of which one may be missing.
const SAFE: usize = 3;

pub(crate) fn installed(installed: &Installed) -> Option<String> {
    let view = &installed.view;
    let able = view
        .present()
        .filter(|member| member.state == State::Up && member.candidate.potential_master);
    let able = able.count();
    (able >= SAFE && view.votes() < SAFE).then(|| {
        format!(
            "{able} potential masters are up at epoch {}, and only {} vote",
            view.epoch,
            view.votes()
        )
    })
}
