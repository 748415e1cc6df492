//! What the nodes do with the calls that reach them.

use rand::RngExt;
use ssi_ics::core::Failure;
use ssi_ics::core::peer::{CallId, Dispatch, Token};

use crate::world::World;

/// A handler at work.
pub(crate) struct Handler {
    from: u16,
    dispatch: Dispatch,
    nested: Option<(u16, CallId)>,
    calls_back: bool,
    pub(crate) stream: Vec<u8>,
    pub(crate) complete: bool,
}

impl World {
    /// One of a node's handlers gets on.
    pub(crate) fn handle(&mut self, node: u16) {
        if !self.handlers_answer {
            return;
        }
        let handlers = &mut self.nodes.get_mut(&node).expect("here").handlers;
        if handlers.is_empty() {
            return;
        }
        let at = self.rng.random_range(0..handlers.len());
        let handler = &mut handlers[at];
        if handler.dispatch.stream && !handler.complete {
            return;
        }
        let from = handler.from;
        if std::mem::take(&mut handler.calls_back) {
            let depth = handler.dispatch.body[8] - 1;
            let priority = handler.dispatch.priority.raised();
            let made = self.call(node, from, priority, depth, None, None);
            let handler = &mut self.nodes.get_mut(&node).expect("here").handlers[at];
            match made {
                Ok(call) => handler.nested = Some((from, call)),
                Err(_) => handler.calls_back = true,
            }
            return;
        }
        if let Some((to, call)) = handler.nested
            && self.made[&(node, to, call)].done.is_none()
        {
            return;
        }
        let handler = handlers.swap_remove(at);
        let mut reply = handler.dispatch.body[..8].to_vec();
        reply.extend(&handler.stream);
        let token = handler.dispatch.token;
        self.peer(node, from).reply(token, Ok(reply.into()));
        self.act(node, from);
    }

    pub(crate) fn dispatched(&mut self, node: u16, other: u16, dispatch: Dispatch) {
        let number = dispatch.body[..8].try_into().map(u64::from_le_bytes);
        let here = self.nodes.get_mut(&node).expect("here");
        let times = here.dispatched.entry(number.unwrap()).or_default();
        *times += 1;
        assert_eq!(*times, 1, "dispatched twice");
        here.handlers.push(Handler {
            from: other,
            calls_back: dispatch.body[8] > 0,
            dispatch,
            nested: None,
            stream: Vec::new(),
            complete: false,
        });
    }

    pub(crate) fn handler(&mut self, node: u16, other: u16, token: Token) -> &mut Handler {
        let handlers = &mut self.nodes.get_mut(&node).expect("here").handlers;
        handlers
            .iter_mut()
            .find(|handler| handler.from == other && handler.dispatch.token == token)
            .expect("chunks only come for handlers that are at work")
    }

    pub(crate) fn cancelled(&mut self, node: u16, other: u16, token: Token) {
        let handlers = &mut self.nodes.get_mut(&node).expect("here").handlers;
        handlers.retain(|h| h.from != other || h.dispatch.token != token);
        self.peer(node, other).reply(token, Err(Failure::Cancelled));
    }
}
