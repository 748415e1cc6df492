//! Whom the packet path would not let through, the way around it doesn't either.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ssi_abi::counter;
use ssi_abi::member::member_flag;

use crate::nodes::{Nodes, with_nodes};

/// Both ends in.
fn joined(nodes: &Nodes, lane: u16) -> [TcpStream; 2] {
    let [one, two] = nodes.connect(lane);
    nodes.join(0, &one);
    nodes.join(1, &two);
    [one, two]
}

fn refused(nodes: &Nodes, one: &mut TcpStream, reason: u32) {
    let count = || nodes.nets[0].maps().counters.get(reason).expect("reads");
    let before = count();
    let error = one.write_all(b"nobody may hear this").expect_err("refused");
    assert_eq!(error.raw_os_error(), Some(libc::EACCES), "{error}");
    assert_eq!(count(), before + 1);
}

fn heard(two: &mut TcpStream, words: &[u8]) {
    let mut came = vec![0; words.len()];
    two.read_exact(&mut came).expect("reads");
    assert_eq!(came, words);
}

#[test]
fn nothing_goes_to_a_node_that_is_fenced() {
    with_nodes(|nodes| {
        let [mut one, mut two] = joined(nodes, 0);
        one.write_all(b"before").expect("writes");
        heard(&mut two, b"before");
        nodes.fence(member_flag::FENCED);
        refused(nodes, &mut one, counter::FENCED);
        nodes.fence(0);
        // The kernel stays with what was once refused; another connection is free of it.
        one.write_all(b"too late").expect_err("refused for good");
        let [mut one, mut two] = joined(nodes, 1);
        one.write_all(b"after").expect("writes");
        heard(&mut two, b"after");
    });
}

#[test]
fn nothing_goes_without_a_lease() {
    with_nodes(|nodes| {
        let [mut one, _two] = joined(nodes, 0);
        let own = &nodes.nets[0].maps().own;
        own.set_lease(1);
        own.enforce_lease(true);
        refused(nodes, &mut one, counter::LEASE_ENDED);
        own.set_lease(u64::MAX);
        own.enforce_lease(false);
        let [mut one, mut two] = joined(nodes, 1);
        one.write_all(b"again").expect("writes");
        heard(&mut two, b"again");
    });
}
