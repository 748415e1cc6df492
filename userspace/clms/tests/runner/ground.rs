//! A machine whose packet path is in this process: it reflects probes and keeps the lease as
//! the kernel's programs do.

use std::io;
use std::sync::atomic::Ordering;

use ssi_clms::core::{NodeId, Time, Timing, View};
use ssi_clms::runner::{Ask, Beat, Ground, Heard, Reflection, clock};
use tokio::sync::mpsc;

use crate::net::Net;

pub(crate) struct Inside {
    net: Net,
    me: u16,
    back: mpsc::UnboundedSender<Heard>,
    came: mpsc::UnboundedReceiver<Heard>,
    next: Option<Heard>,
}

impl Inside {
    pub(crate) fn new(net: Net, me: u16) -> Self {
        let (back, came) = mpsc::unbounded_channel();
        net.places().entry(me).or_default().datagrams = Some(back.clone());
        Self {
            net,
            me,
            back,
            came,
            next: None,
        }
    }
}

impl Ground for Inside {
    fn now(&self) -> Time {
        clock::now()
    }

    fn install(&mut self, view: &View, own: Option<NodeId>) -> io::Result<()> {
        let mut places = self.net.places();
        let place = places.entry(self.me).or_default();
        (place.view, place.own) = (view.clone(), own);
        Ok(())
    }

    fn lease(&self) -> Time {
        self.net
            .places()
            .get(&self.me)
            .map_or(Time(0), |place| place.lease)
    }

    fn hold(&mut self, until: Time) {
        let mut places = self.net.places();
        let place = places.entry(self.me).or_default();
        place.lease = place.lease.max(until);
    }

    fn lower(&mut self, until: Time) {
        let mut places = self.net.places();
        let place = places.entry(self.me).or_default();
        place.lease = place.lease.min(until);
    }

    fn let_go(&mut self) {}

    fn probe(&mut self, _: &View, own: NodeId, ask: Ask) {
        let mut places = self.net.places();
        let now = clock::now();
        let there = places.get_mut(&ask.to.number.get());
        let Some(there) = there.filter(|there| {
            there.handle.is_some() && there.own == Some(ask.to) && there.view.has(own)
        }) else {
            return;
        };
        let holds = there.lease > now;
        if let Some(grant) = ask.grant
            && holds
        {
            there.lease = there.lease.max(Time(grant) + Timing::default().lease);
        }
        // The node may be about to stop.
        let _ = self.back.send(Heard::Reflection(Reflection {
            from: ask.to,
            nonce: ask.nonce,
            clock: now.0,
            holds,
            supervisor: ask.supervisor,
        }));
    }

    fn beat(&mut self, _: &View, own: NodeId, beat: Beat) {
        if self.net.deaf.load(Ordering::Relaxed) {
            return;
        }
        let mut places = self.net.places();
        let there = places.get_mut(&beat.to.number.get());
        let Some(there) = there.filter(|there| {
            there.handle.is_some() && there.own == Some(beat.to) && there.view.has(own)
        }) else {
            return;
        };
        let (from, nonce) = (own, beat.nonce);
        let heard = if beat.reply {
            there.agreed += 1;
            Heard::Agreed { from, nonce }
        } else {
            Heard::Heartbeat {
                from,
                nonce,
                heartbeat: beat.heartbeat,
            }
        };
        if let Some(datagrams) = &there.datagrams {
            // The node may be about to stop.
            let _ = datagrams.send(heard);
        }
    }

    async fn heard(&mut self) {
        if self.next.is_none() {
            self.next = self.came.recv().await;
        }
    }

    fn next(&mut self, _: &View) -> Option<Heard> {
        self.next.take().or_else(|| self.came.try_recv().ok())
    }
}
