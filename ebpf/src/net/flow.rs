//! The flow cache: copies of what the connection table, or a slot, said last. See
//! [`ssi_abi::flow`].

use ssi_abi::flow::{Flow, Name, Set};

use crate::family::Family;
use crate::maps::{FLOWS4, SETTINGS};

/// Sets in `FLOWS4`. The loader writes the real number.
#[unsafe(no_mangle)]
pub static FLOW_SETS4: u32 = 1;

/// Where the cache has a flow, or could.
pub struct Place {
    set: *mut Set,
    name: Name,
}

/// The place of a flow; none where there is no cache for it.
#[inline(always)]
pub fn place<F: Family>(key: &F::Key) -> Option<Place> {
    let settings = SETTINGS.get(0)?;
    let name = F::name(settings.seed, key)?;
    // SAFETY: a constant of this object. Volatile: the loader changes it.
    let sets = unsafe { (&raw const FLOW_SETS4).read_volatile() };
    let set = FLOWS4.get_ptr_mut(name.set(sets))?;
    Some(Place { set, name })
}

impl Place {
    /// The flow's server, as `server_ref`, while what was said of it still holds; else 0.
    #[inline(always)]
    pub fn fresh(&self, now: u32) -> u32 {
        let (first, second) = self.flows();
        if let Some(said) = self.own(first) {
            return valid(said, now);
        }
        self.own(second).map_or(0, |said| valid(said, now))
    }

    /// Nothing is known of the flow any more.
    #[inline(always)]
    pub fn forget(&self) {
        let (first, second) = self.flows();
        for flow in [first, second] {
            if self.own(flow).is_some() {
                // SAFETY: a field of a live map value, written in one step.
                unsafe { (&raw mut (*flow).said).write_volatile(0) };
            }
        }
    }

    /// What is said of the flow now. Where others have been too lately to be put
    /// out, nothing is written: two flows in one place would only copy, and never hit.
    #[inline(always)]
    pub fn remember(&self, server: u32, now: u32) {
        let (first, second) = self.flows();
        let flow = if self.own(second).is_some() {
            second
        } else if self.own(first).is_some() || valid(said(first), now) == 0 {
            first
        } else if valid(said(second), now) == 0 {
            second
        } else {
            return;
        };
        let said = Flow::say(server, now);
        let [one, other] = self.name.sealed(said);
        // SAFETY: fields of a live map value, each written in one step; `sealed` tells
        // whether all three are of one write.
        unsafe {
            (&raw mut (*flow).said).write_volatile(said);
            (&raw mut (*flow).sealed[0]).write_volatile(one);
            (&raw mut (*flow).sealed[1]).write_volatile(other);
        }
    }

    #[inline(always)]
    fn flows(&self) -> (*mut Flow, *mut Flow) {
        // SAFETY: fields of a live map value.
        unsafe { (&raw mut (*self.set).flows[0], &raw mut (*self.set).flows[1]) }
    }

    /// What is said of this flow there, if it is the one that is there.
    #[inline(always)]
    fn own(&self, flow: *mut Flow) -> Option<u64> {
        let said = said(flow);
        let [one, other] = self.name.sealed(said);
        // SAFETY: fields of a live map value, each read in one step.
        let is = unsafe {
            (&raw const (*flow).sealed[0]).read_volatile() == one
                && (&raw const (*flow).sealed[1]).read_volatile() == other
        };
        is.then_some(said)
    }
}

#[inline(always)]
fn said(flow: *mut Flow) -> u64 {
    // SAFETY: a field of a live map value, read in one step.
    unsafe { (&raw const (*flow).said).read_volatile() }
}

/// The server in what was said, if it still holds; else 0.
#[inline(always)]
fn valid(said: u64, now: u32) -> u32 {
    let holds = SETTINGS.get(0).map_or(0, |settings| settings.copies);
    if now.wrapping_sub(Flow::seen(said)) < holds {
        Flow::server(said)
    } else {
        0
    }
}
