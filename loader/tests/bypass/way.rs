//! What is written to one end is read at the other, whole and in order.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ssi_loader::unload_bypass;

use crate::nodes::{CLUSTER, Nodes, once, with_nodes};

fn pass(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) {
    from.write_all(bytes).expect("writes");
    let mut came = vec![0; bytes.len()];
    to.read_exact(&mut came).expect("reads");
    assert!(came == bytes, "{} bytes", bytes.len());
}

/// Both ends in, one after the other, in the order of hellos.
fn joined(nodes: &Nodes, lane: u16) -> [TcpStream; 2] {
    let [mut one, mut two] = nodes.connect(lane);
    pass(&mut one, &mut two, b"hello");
    pass(&mut two, &mut one, b"hello");
    nodes.join(0, &one);
    pass(&mut one, &mut two, b"still through the stack");
    nodes.join(1, &two);
    pass(&mut two, &mut one, b"around it already");
    [one, two]
}

#[test]
fn no_packet_is_made_and_what_is_sent_is_counted() {
    with_nodes(|nodes| {
        let [mut one, mut two] = joined(nodes, 6);
        // What was acknowledged late is over.
        std::thread::sleep(std::time::Duration::from_millis(100));
        let (packets, said) = (nodes.packets(), nodes.said(6));
        for size in [1, 64, 4096, 65_536] {
            let bytes: Vec<u8> = (0..size).map(|at| ((at * 7) >> 2) as u8).collect();
            pass(&mut one, &mut two, &bytes);
            pass(&mut two, &mut one, &bytes);
        }
        assert_eq!(nodes.packets(), packets);
        let bytes = nodes.said(6).out_bytes - said.out_bytes;
        assert_eq!(bytes, 1 + 64 + 4096 + 65_536);
    });
}

#[test]
fn a_slow_reader_gets_everything_in_order() {
    with_nodes(|nodes| {
        let [mut one, mut two] = joined(nodes, 1);
        let total = 8 << 20;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let bytes: Vec<u8> = (0..total).map(|at: usize| (at % 251) as u8).collect();
                for piece in bytes.chunks(10_000) {
                    one.write_all(piece).expect("writes");
                }
            });
            let mut read = 0;
            let mut piece = vec![0; 60_000];
            loop {
                let count = two.read(&mut piece).expect("reads");
                if count == 0 {
                    break;
                }
                for byte in &piece[..count] {
                    assert_eq!(*byte, (read % 251) as u8, "at {read}");
                    read += 1;
                }
                if read % 7 == 0 {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                }
            }
            assert_eq!(read, total, "all of it, and then the end");
        });
    });
}

#[test]
fn one_end_alone_stays_in_the_stack() {
    with_nodes(|nodes| {
        let [mut one, mut two] = nodes.connect(2);
        nodes.join(0, &one);
        let packets = nodes.packets();
        for _ in 0..10 {
            pass(&mut one, &mut two, b"there");
            pass(&mut two, &mut one, b"and back");
        }
        assert!(nodes.packets() >= packets + 10);
        // Of ends that are closed, nothing stays: the same ports can be had again.
        let [one, two] = joined(nodes, 3);
        drop((one, two));
        std::thread::sleep(std::time::Duration::from_millis(50));
        joined(nodes, 4);
    });
}

#[test]
fn nothing_is_left_when_it_is_unloaded() {
    once(|nodes| {
        let shared = nodes.root().join("shared");
        let pins = || std::fs::read_dir(&shared).expect("a directory").count();
        assert_eq!(pins(), 1);
        assert!(!unload_bypass(&shared, [0; 16]).expect("another cluster's"));
        assert!(unload_bypass(&shared, CLUSTER).expect("unloads"));
        assert!(!unload_bypass(&shared, CLUSTER).expect("twice does no harm"));
        assert_eq!(pins(), 0);
        // Who runs goes on.
        let [mut one, mut two] = joined(nodes, 5);
        pass(&mut one, &mut two, b"as before");
    });
}
