use serde::{Deserialize, Serialize};

/// Whom a signal goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// On which node; none: on this one.
    #[serde(default)]
    pub node: Option<u16>,
    /// Its number there: of a process, or, below 0, of a process group; or of a session, if the
    /// request says so.
    pub pid: i32,
    /// When it was forked, as a list of processes says it: another process that has its
    /// number by now gets nothing.
    #[serde(default)]
    pub start: Option<u64>,
}

/// On whose behalf something is done to processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behalf {
    /// The user's number.
    pub user: u32,
    /// The session that the user's program is in, on this node: whoever is in it may be
    /// continued.
    #[serde(default)]
    pub session: Option<u32>,
}

/// What became of a signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signalled {
    /// It was sent; to a group or a session: to somebody of it.
    Sent,
    /// There is no such process, group or session.
    NoProcess,
    /// Whoever asks may not.
    NotPermitted,
    /// There is no such node, or it is not UP.
    NoNode(String),
    /// The node did not say; it may have been sent or not.
    Unknown(String),
    /// It could not be sent, for this reason.
    Failed(String),
}
