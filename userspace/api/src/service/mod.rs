//! Supervised processes, as the control socket speaks of them.

mod request;
mod view;

pub use request::{ServiceFile, ServiceRequest};
pub use view::{
    Chunk, InstanceView, LogsView, ServiceEvent, ServiceOutcome, ServiceText, ServicesView,
};
