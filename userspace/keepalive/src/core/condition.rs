//! What an instance is good for, as the cluster sees it.

use serde::{Deserialize, Serialize};

/// What an instance is good for. One that has none is being started or ended, or stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Condition {
    /// It is ready, and well as far as anybody knows.
    Ready,
    /// It is ready, and its last health check failed.
    Unwell,
    /// It is down, and nobody is about to start it.
    Down,
}

impl Condition {
    /// Whether it is ready, well or not.
    #[must_use]
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Ready | Self::Unwell)
    }
}
