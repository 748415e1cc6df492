//! What the packet path is told of the view.

use std::collections::HashMap;
use std::sync::Arc;

use ssi_abi::Addr;
use ssi_abi::member::{Key, Member};
use ssi_loader::LoadError;
use ssi_loader::map::Maps;

use crate::core::{NodeId, Time, View};

/// The packet path of this node, as far as membership goes.
#[derive(Clone, Debug)]
pub struct Kernel {
    maps: Arc<Maps>,
    /// The life that the kernel goes by.
    own: Option<NodeId>,
}

impl Kernel {
    /// Of a loaded packet path. A daemon that was restarted goes on with the life that it
    /// finds there.
    #[must_use]
    pub fn new(maps: Arc<Maps>, own: Option<NodeId>) -> Self {
        Self { maps, own }
    }

    /// Lets in exactly the members of a view, as this life of this node; nobody and
    /// nothing if it is no member. When it returns, whoever is out is shut out.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn install(&mut self, view: &View, own: Option<NodeId>) -> Result<(), LoadError> {
        let Some(own) = own.filter(|own| view.has(*own)) else {
            self.maps.own.leave();
            self.own = None;
            return self.let_in(&HashMap::new());
        };
        let others = view.present().filter(|member| member.id != own);
        let wanted: HashMap<Addr, NodeId> = others
            .flat_map(|member| {
                let addresses = member.candidate.addresses.iter();
                addresses.map(|address| (Addr::from(*address), member.id))
            })
            .collect();
        self.let_in(&wanted)?;
        if self.own != Some(own) {
            self.maps
                .own
                .join(u32::from(own.number.get()), own.incarnation);
            self.own = Some(own);
        }
        self.maps.own.set_keys(view.probe_keys.map(|key| Key {
            id: u32::from(key.id),
            pad: 0,
            k0: key.words[0],
            k1: key.words[1],
        }));
        Ok(())
    }

    /// What the programs wrote of members that stay is kept; others go first.
    fn let_in(&self, wanted: &HashMap<Addr, NodeId>) -> Result<(), LoadError> {
        let members = &self.maps.members;
        let mut missing = wanted.clone();
        for (address, known) in members.dump()? {
            let stays = wanted.get(&address).is_some_and(|id| {
                let number = u32::from(id.number.get());
                (known.node, known.incarnation) == (number, id.incarnation)
            });
            if stays {
                missing.remove(&address);
            } else {
                members.remove(&address)?;
            }
        }
        for (address, id) in missing {
            let member = Member {
                node: u32::from(id.number.get()),
                incarnation: id.incarnation,
                ..Member::default()
            };
            members.insert(&address, &member)?;
        }
        Ok(())
    }

    /// Until when it holds this node's lease.
    #[must_use]
    pub fn lease(&self) -> Time {
        Time(self.maps.own.lease_until())
    }

    /// There is a lease until then, or longer if there is already: it is gone by from now
    /// on.
    pub fn hold(&self, until: Time) {
        self.maps.own.extend_lease(until.0);
        self.maps.own.enforce_lease(true);
    }

    /// The lease ends then, if it was to last longer.
    pub fn lower(&self, until: Time) {
        if self.lease() > until {
            self.maps.own.set_lease(until.0);
        }
    }

    /// Everything has stopped: this node may speak, though it has no lease.
    pub fn let_go(&self) {
        self.maps.own.enforce_lease(false);
    }
}
