//! Membership, as the control socket speaks of it.

mod request;
mod state;
mod view;

pub use request::ClusterRequest;
pub use state::NodeState;
pub use view::{ClusterView, Event, MemberView, ResourceView, Token, Waiting, WitnessView};
