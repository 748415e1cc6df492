use serde::{Deserialize, Serialize};

/// Requests to internode communication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IcsRequest {
    /// Peers and lanes, as they are now.
    Show,
    /// Measures how long another node takes to answer: its kernel, and each lane.
    Ping {
        /// Which.
        node: u16,
        /// How often each, 1 to 1,000.
        #[serde(default = "five")]
        count: u32,
        /// Bytes that each call carries, at most 65,536.
        #[serde(default = "sixty_four")]
        bytes: u32,
    },
}

const fn five() -> u32 {
    5
}

const fn sixty_four() -> u32 {
    64
}
