//! What the programs count besides services and servers: indices in `COUNTERS`.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident = $index:literal, $text:literal;)+) => {
        $($(#[$doc])* pub const $name: u32 = $index;)+

        /// The name of each counter, by index, for people.
        pub const NAMES: &[&str] = &[$($text),+];

        const _: () = {
            let indices = [$($index),+];
            let mut i = 0;
            while i < indices.len() {
                assert!(indices[i] == i as u32, "indices count up from 0");
                i += 1;
            }
        };
    };
}

counters! {
    /// Dropped: shorter than its headers say.
    TRUNCATED = 0, "truncated";
    /// Dropped: a header field that cannot be (version, header length, offsets).
    MALFORMED = 1, "malformed";
    /// Dropped: more extension headers than we follow.
    HEADERS = 2, "too many extension headers";
    /// Dropped: no server of the service takes connections.
    NO_SERVER = 3, "no server";
    /// Dropped: the server's MAC address is not known yet.
    NO_NEIGHBOUR = 4, "no neighbour";
    /// Dropped: no route to the server.
    NO_ROUTE = 5, "no route";
    /// Dropped: the packet could not be made larger, smaller or written.
    NO_ROOM = 6, "no room";
    /// Dropped: time to live used up.
    TTL = 7, "time to live exceeded";
    /// Dropped: the connection's server is down or was removed.
    SERVER_GONE = 8, "server gone";
    /// Answered with "fragmentation needed" or "packet too big".
    TOO_BIG = 9, "too big, sender told";
    /// Dropped: too big, and no answer was possible.
    TOO_BIG_DROPPED = 10, "too big, dropped";
    /// A fragment that came before its first one, handed to userspace.
    HELD = 11, "fragment held";
    /// Dropped: the ring for held fragments was full.
    HOLD_FULL = 12, "fragment dropped, hold full";
    /// A packet of no known connection, passed to the local stack.
    NO_CONNECTION = 13, "no connection";
    /// The connection tables refused an entry.
    TABLE_FULL = 14, "connection table full";
    /// An established packet passed on to its slot's previous owner.
    SECOND_CHANCE = 15, "second chance";
    /// A tunnelled packet from a peer, opened.
    DECAPSULATED = 16, "decapsulated";
    /// A tunnelled packet for a virtual address from somebody who is no peer; left alone.
    STRANGER = 17, "tunnel from a stranger";
    /// An ICMP error given to the server that owns its flow.
    ICMP_RELATED = 18, "ICMP error forwarded";
    /// A probe sent back.
    PROBE_REFLECTED = 19, "probe reflected";
    /// A probe of the master brought a lease.
    LEASE_GRANTED = 20, "lease granted";
    /// Dropped: a probe of wrong length, or of no version or kind that we know.
    PROBE_MALFORMED = 21, "probe malformed";
    /// Dropped: a probe tagged with a key that we don't have.
    PROBE_KEY = 22, "probe with an unknown key";
    /// Dropped: a probe whose tag isn't that of its contents.
    PROBE_TAG = 23, "probe with a wrong tag";
    /// Dropped: a probe from an address of no member, or from a member that isn't (or isn't
    /// yet, to our knowledge) who it says, or meant for another node.
    PROBE_STRANGER = 24, "probe of a stranger";
    /// Dropped: a probe from, or meant for, an earlier life of a node.
    PROBE_OLD = 25, "probe of an old incarnation";
    /// Dropped: a probe that has come before, or after a later one.
    PROBE_REPLAYED = 26, "probe replayed";
    /// Dropped: to the cluster's port, from somebody who is no member or was fenced.
    FENCED = 27, "fenced";
    /// Dropped: this node's lease is over, so it neither hears nor speaks nor directs.
    LEASE_ENDED = 28, "lease ended";
}

/// Entries in `COUNTERS`.
pub const COUNT: usize = 32;
const _: () = assert!(NAMES.len() <= COUNT);
