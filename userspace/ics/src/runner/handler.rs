//! Services: who handles what the other nodes ask for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;

use super::StreamIn;
use super::call::PRIORITY;
use crate::core::{Epoch, Failure, Node, Priority, Service};

/// The stable number of a service: FNV-1a (32 bits) of its name, folded to 16. All nodes
/// come to the same without asking each other.
#[must_use]
pub const fn service_number(name: &str) -> Service {
    let bytes = name.as_bytes();
    let mut hash: u32 = 0x811c_9dc5;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    ((hash >> 16) ^ (hash & 0xffff)) as u16
}

/// Why a service was not registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Register {
    /// It is already.
    #[error("the service {0} is registered already")]
    Twice(&'static str),
    /// Another has the same number.
    #[error("the services {0} and {1} have the same number: give one of them another name")]
    Collision(&'static str, &'static str),
}

/// What a handler gets.
#[derive(Debug)]
pub struct Request {
    /// Who calls.
    pub from: Node,
    /// What the service is asked for.
    pub op: u16,
    /// How urgent it is. Calls made by the handler's own task are raised above it.
    pub priority: Priority,
    /// The epoch that the caller's view had.
    pub epoch: Epoch,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// Nobody waits for the reply.
    pub one_way: bool,
    /// What the call brings.
    pub body: Bytes,
    /// What follows it, if the call brings a stream.
    pub stream: Option<StreamIn>,
    /// Whether anybody still waits.
    pub cancelled: Cancelled,
}

/// Tells a handler that nobody waits for it any more: the caller gave up, its deadline has
/// come, or its node has gone.
#[derive(Clone, Debug, Default)]
pub struct Cancelled(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    set: AtomicBool,
    notify: Notify,
}

impl Cancelled {
    pub(super) fn set(&self) {
        self.0.set.store(true, Ordering::Release);
        self.0.notify.notify_waiters();
    }

    /// Whether it is so.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// Waits until it is so.
    pub async fn wait(&self) {
        let notified = self.0.notify.notified();
        tokio::pin!(notified);
        notified.as_mut().enable();
        if !self.is_set() {
            notified.await;
        }
    }
}

/// What a handler does, once it has been called.
pub(super) type Work = Pin<Box<dyn Future<Output = Result<Bytes, Failure>> + Send>>;

type Handler = Arc<dyn Fn(Request) -> Work + Send + Sync>;

/// The registered services.
#[derive(Default)]
pub(super) struct Services(HashMap<Service, (&'static str, Handler)>);

impl Services {
    pub(super) fn register<H, F>(&mut self, name: &'static str, handler: H) -> Result<(), Register>
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, Failure>> + Send + 'static,
    {
        match self.0.entry(service_number(name)) {
            Entry::Occupied(entry) if entry.get().0 == name => Err(Register::Twice(name)),
            Entry::Occupied(entry) => Err(Register::Collision(entry.get().0, name)),
            Entry::Vacant(entry) => {
                let handler = move |request: Request| -> Work {
                    let raised = request.priority.raised();
                    Box::pin(PRIORITY.scope(raised, handler(request)))
                };
                entry.insert((name, Arc::new(handler)));
                Ok(())
            }
        }
    }

    pub(super) fn get(&self, service: Service) -> Option<Handler> {
        self.0.get(&service).map(|(_, handler)| Arc::clone(handler))
    }

    /// What a service is called, if this node has it too.
    pub(super) fn name(&self, service: Service) -> Option<&'static str> {
        self.0.get(&service).map(|(name, _)| *name)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_everywhere() {
        // Values of another implementation of FNV-1a, folded by hand.
        assert_eq!(service_number(""), 0x811c ^ 0x9dc5);
        assert_eq!(service_number("a"), 0xe40c ^ 0x292c);
        assert_eq!(service_number("foobar"), 0xbf9c ^ 0xf968);
    }

    #[test]
    fn two_services_never_share_a_number() {
        let mut services = Services::default();
        let nothing = |_| async { Ok(Bytes::new()) };
        assert_eq!(services.register("a", nothing), Ok(()));
        assert_eq!(services.register("a", nothing), Err(Register::Twice("a")));
        let twin: &'static str = (0..200_000_u32)
            .map(|n| n.to_string())
            .find(|name| service_number(name) == service_number("a"))
            .expect("16 bits are not many")
            .leak();
        assert_eq!(
            services.register(twin, nothing),
            Err(Register::Collision("a", twin))
        );
    }
}
