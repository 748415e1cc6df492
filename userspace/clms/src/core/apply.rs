//! What an entry of the log makes of the view.

use std::sync::Arc;

use super::command::{Command, MOST_TOLD, ProbeKey, Refused, Wish};
use super::member::{Candidate, Member, Why};
use super::view::{Master, Ownership};
use super::witness::MOST_NODES;
use super::{NodeId, Number, State, View};

impl View {
    /// Applies an entry: the epoch goes up by one, or the entry is refused and nothing at
    /// all changes.
    ///
    /// # Errors
    /// Why it changes nothing.
    pub fn apply(&mut self, command: &Command) -> Result<(), Refused> {
        let founds = matches!(command, Command::Found { .. } | Command::TakeOver { .. });
        if self.epoch == 0 && !founds {
            return Err(Refused::NotFounded);
        }
        let next = self.epoch + 1;
        match command {
            Command::Found {
                cluster,
                identity,
                max_nodes,
                number,
                candidate,
                probe_key,
            } => {
                if self.epoch != 0 {
                    return Err(Refused::Founded);
                }
                if *max_nodes > MOST_NODES {
                    return Err(Refused::TooMany);
                }
                cluster.clone_into(&mut self.cluster);
                self.identity = *identity;
                self.max_nodes = *max_nodes;
                let id = NodeId {
                    number: *number,
                    incarnation: 1,
                };
                self.members
                    .insert(*number, member(id, State::Up, next, candidate));
                self.voters = vec![*number];
                self.voters_since = next;
                self.probe_keys[0] = ProbeKey {
                    id: 1,
                    words: *probe_key,
                };
            }
            Command::Join { nodes } => self.all(nodes, |view, wish| view.join(wish, next))?,
            Command::TakeOver {
                view,
                number,
                candidate,
                probe_key,
            } => {
                if self.epoch != 0 {
                    return Err(Refused::Founded);
                }
                *self = view.taken_over(*number, candidate, *probe_key)?;
                return Ok(());
            }
            Command::Witness { witness } => self.set_witness(witness.as_ref())?,
            Command::Return {
                number,
                candidate,
                epoch,
            } => {
                if *epoch != self.epoch {
                    return Err(Refused::Stale(self.epoch));
                }
                self.come_back(*number, candidate, next)?;
            }
            Command::Step { nodes, to } => {
                self.all(nodes, |view, node| view.step(*node, *to, next))?;
            }
            Command::Remove { nodes, probe_key } => self.remove(nodes, *probe_key, next)?,
            Command::Master { node, term } => {
                if !self.has(*node) {
                    return Err(Refused::NoSuchNode(*node));
                }
                let master = Some(Master {
                    node: *node,
                    term: *term,
                });
                if self.master == master {
                    return Err(Refused::Nothing);
                }
                self.master = master;
            }
            Command::Voters { voters, witness } => self.set_voters(voters, *witness, next)?,
            Command::Assign { resource, owner } => self.assign(resource, *owner, next)?,
            Command::Forget { number } => {
                let known = self
                    .members
                    .get(number)
                    .ok_or(Refused::NoSuchNumber(*number))?;
                if known.state != State::Down {
                    return Err(Refused::NotDown {
                        number: *number,
                        state: known.state,
                    });
                }
                if self.voters.contains(number) {
                    // The log still asks it, and a node that joins with its number would have
                    // a vote and none of what the log has.
                    return Err(Refused::Votes(*number));
                }
                self.members.remove(number);
            }
            Command::Tell { body, .. } => {
                if body.len() > MOST_TOLD {
                    let bytes = body.len() as u64;
                    return Err(Refused::TooLong { bytes });
                }
            }
        }
        self.epoch = next;
        Ok(())
    }

    /// Whether a node can join now.
    ///
    /// # Errors
    /// Why not.
    pub fn can_join(&self, wish: &Wish) -> Result<(), Refused> {
        self.clone().join(wish, self.epoch + 1)
    }

    /// Does something with each of many, or nothing at all.
    fn all<T>(
        &mut self,
        many: &[T],
        each: impl Fn(&mut Self, &T) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        if many.is_empty() {
            return Err(Refused::Nothing);
        }
        let mut after = self.clone();
        for one in many {
            each(&mut after, one)?;
        }
        *self = after;
        Ok(())
    }

    fn join(&mut self, wish: &Wish, next: u64) -> Result<(), Refused> {
        let candidate = &wish.candidate;
        let had = self
            .members
            .values()
            .find(|known| known.candidate.key == candidate.key)
            .map(|known| known.id.number);
        if let (Some(wanted), Some(had)) = (wish.number, had)
            && wanted != had
        {
            return Err(Refused::HasNumber(had));
        }
        let number = match wish.number.or(had) {
            Some(number) => number,
            None => Number::up_to(self.max_nodes)
                .find(|number| !self.members.contains_key(number))
                .ok_or(Refused::Full {
                    max: self.max_nodes,
                })?,
        };
        if number.get() > self.max_nodes {
            return Err(Refused::TooLarge {
                number,
                max: self.max_nodes,
            });
        }
        let incarnation = match self.members.get(&number) {
            None => 1,
            Some(known) if known.candidate.key != candidate.key => {
                return Err(Refused::NumberTaken(number));
            }
            Some(known) if !known.state.leads_to(State::ComingUp) => {
                return Err(Refused::NotDown {
                    number,
                    state: known.state,
                });
            }
            Some(known) => known.id.incarnation + 1,
        };
        let id = NodeId {
            number,
            incarnation,
        };
        self.members
            .insert(number, member(id, State::ComingUp, next, candidate));
        Ok(())
    }

    fn come_back(
        &mut self,
        number: Number,
        candidate: &Candidate,
        next: u64,
    ) -> Result<(), Refused> {
        let known = self.members.get(&number);
        let known = known.ok_or(Refused::NoSuchNumber(number))?;
        if known.candidate.key != candidate.key {
            return Err(Refused::NumberTaken(number));
        }
        if known.candidate.life == candidate.life && known.state.is_member() {
            return Err(Refused::Nothing);
        }
        let id = NodeId {
            number,
            incarnation: known.id.incarnation + 1,
        };
        self.members
            .insert(number, member(id, State::ComingUp, next, candidate));
        Ok(())
    }

    fn step(&mut self, node: NodeId, to: State, next: u64) -> Result<(), Refused> {
        let known = self
            .members
            .get_mut(&node.number)
            .filter(|known| known.id == node)
            .map(Arc::make_mut)
            .ok_or(Refused::NoSuchNode(node))?;
        // Joining and removing say more than a step does.
        let allowed = known.state.leads_to(to) && !matches!(to, State::ComingUp | State::KCleanup);
        if !allowed {
            return Err(Refused::NoSuchStep {
                node,
                from: known.state,
                to,
            });
        }
        known.state = to;
        known.since = next;
        Ok(())
    }

    pub(super) fn remove(
        &mut self,
        nodes: &[(NodeId, Why)],
        probe_key: [u64; 2],
        next: u64,
    ) -> Result<(), Refused> {
        if let Some((stranger, _)) = nodes.iter().find(|(id, _)| !self.has(*id)) {
            return Err(Refused::NoSuchNode(*stranger));
        }
        if nodes.is_empty() {
            return Err(Refused::Nothing);
        }
        for (id, why) in nodes {
            if let Some(known) = self.members.get_mut(&id.number).map(Arc::make_mut) {
                known.state = State::KCleanup;
                known.since = next;
                known.why = Some(*why);
            }
        }
        self.probe_keys[1] = self.probe_keys[0];
        self.probe_keys[0] = ProbeKey {
            id: self.probe_keys[0].id.checked_add(1).unwrap_or(1),
            words: probe_key,
        };
        Ok(())
    }

    fn assign(&mut self, resource: &str, owner: Option<NodeId>, next: u64) -> Result<(), Refused> {
        if let Some(new) = owner
            && !self.has(new)
        {
            return Err(Refused::NoSuchNode(new));
        }
        let held = self.owners.get(resource).copied();
        let old = held.and_then(|held| held.owner);
        if old == owner && (held.is_some() || owner.is_none()) {
            return Err(Refused::Nothing);
        }
        if let (Some(old), Some(_)) = (old, owner)
            && self.has(old)
        {
            // A member gives back before somebody else gets it.
            return Err(Refused::Held {
                resource: resource.to_owned(),
                owner: old,
            });
        }
        let held = Ownership {
            owner,
            before: old.or(held.and_then(|held| held.before)),
            since: next,
        };
        self.owners.insert(resource.to_owned(), held);
        Ok(())
    }
}

fn member(id: NodeId, state: State, since: u64, candidate: &Candidate) -> Arc<Member> {
    Arc::new(Member {
        id,
        state,
        since,
        why: None,
        candidate: candidate.clone(),
    })
}
