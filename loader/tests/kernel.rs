//! The packet path in a real kernel. Needs root and BPF; runs in a network namespace and
//! with a bpffs of its own.

mod common;

use std::path::Path;

use common::isolated;
use rustix::thread::UnshareFlags;
use ssi_abi::server::Server;
use ssi_abi::service::ServiceKey;
use ssi_abi::{Addr, counter, filter};
use ssi_loader::{Mode, Net, Options, Program, Sizes, TestOptions, Working, unload};

fn options(root: &Path) -> Options {
    Options {
        pins: Some(root.to_owned()),
        sizes: Sizes {
            conns4: 4096,
            conns6: 4096,
            table_entries: 1 << 17,
        },
    }
}

fn ip(args: &str) {
    let status = std::process::Command::new("ip")
        .args(args.split(' '))
        .status()
        .expect("iproute2");
    assert!(status.success(), "ip {args}");
}

#[test]
fn a_restart_finds_maps_and_attachments_and_replaces_the_programs() {
    isolated(UnshareFlags::NEWNET, |root| {
        ip("link add dev veth0 type veth peer name veth1");
        let others = links().len();
        let key = ServiceKey {
            addr: Addr::v4(7),
            port: 80,
            protocol: 6,
            pad: 0,
        };
        {
            let mut net = Net::open(&options(root)).expect("loads");
            assert!(!net.adopted().maps);
            net.maps().service_index.insert(&key, &5).expect("writes");
            let runs = [(70_000, vec![1, 2, 3]), (5, vec![9])];
            net.maps().table.write(&runs).expect("writes");
            net.maps().loads.set_base(9, 4, -4);
            let attached = net.attach("veth0", Mode::Auto).expect("attaches");
            assert_eq!(attached.working, Working::Tcx);
            net.attach("veth1", Mode::Native).expect("attaches");
        }
        let before = links();
        assert_eq!(
            before.len(),
            others + 4,
            "two entries and two egress: {before:?}"
        );
        let mut net = Net::open(&options(root)).expect("loads again");
        assert!(net.adopted().maps);
        assert_eq!(net.adopted().sizes, []);
        assert_eq!(net.maps().service_index.get(&key).expect("reads"), Some(5));
        let read = |first| net.maps().table.read(first, 3).expect("reads");
        assert_eq!(read(70_000), [1, 2, 3]);
        assert_eq!(read(4), [0, 9, 0]);
        assert_eq!(net.maps().loads.get(9).active_base, 4);
        net.attach("veth0", Mode::Auto).expect("attaches again");
        net.attach("veth1", Mode::Native).expect("attaches again");
        assert_eq!(links(), before, "the links are the same");
        drop(net);
        assert_eq!(links(), before, "and outlive us");

        let mut net = Net::open(&options(root)).expect("loads");
        net.attach("veth0", Mode::Auto).expect("attaches");
        net.detach_others();
        drop(net);
        assert_eq!(links().len(), others + 2, "veth1 is no longer ours");

        assert!(unload(root).expect("unloads"));
        assert_eq!(links().len(), others);
        assert!(!root.join("ssi").exists());
        assert!(!unload(root).expect("nothing to do"));
    });
}

/// Ids of all BPF links of the machine; tests that look at them take turns.
fn links() -> Vec<u32> {
    let out = std::process::Command::new("bpftool")
        .args(["-j", "link"])
        .output()
        .expect("bpftool");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let id = |rest: &str| {
        rest.split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    };
    let mut ids: Vec<u32> = text.split("\"id\":").skip(1).filter_map(id).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn another_size_than_the_pinned_one_is_reported_and_the_pinned_one_kept() {
    isolated(UnshareFlags::NEWNET, |root| {
        drop(Net::open(&options(root)).expect("loads"));
        let mut other = options(root);
        other.sizes.conns4 = 8192;
        let net = Net::open(&other).expect("loads");
        assert_eq!(net.adopted().sizes, [("CONNS4", 4096, 8192)]);
        assert_eq!(net.maps().conns4.capacity(), 4096);
        drop(net);
        unload(root).expect("unloads");
    });
}

#[test]
fn an_interface_that_was_made_anew_gets_its_programs_again() {
    isolated(UnshareFlags::NEWNET, |root| {
        ip("link add dev veth0 type veth peer name veth1");
        let mut net = Net::open(&options(root)).expect("loads");
        net.attach("veth0", Mode::Native).expect("attaches");
        ip("link del dev veth0");
        ip("link add dev veth0 type veth peer name veth1");
        let attached = net.attach("veth0", Mode::Native).expect("attaches");
        assert_eq!(attached.working, Working::Native);
        let error = net
            .attach("veth7", Mode::Auto)
            .expect_err("no such interface");
        assert!(error.to_string().contains("veth7"), "{error}");
        drop(net);
        unload(root).expect("unloads");
    });
}

#[test]
fn xdp_knows_the_interfaces_address_also_when_it_changes() {
    isolated(UnshareFlags::NEWNET, |root| {
        ip("link add dev veth0 address 02:00:00:00:00:01 type veth peer name veth1");
        let mut net = Net::open(&options(root)).expect("loads");
        net.attach("veth0", Mode::Native).expect("attaches");
        let known = |net: &Net| -> Vec<[u8; 6]> {
            let links = net.maps().links.dump().expect("reads").into_iter();
            let links = links.filter(|link| link.ifindex != 0);
            links.map(|link| link.mac).collect()
        };
        assert_eq!(known(&net), [[2, 0, 0, 0, 0, 1]]);
        ip("link set dev veth0 address 02:00:00:00:00:02");
        net.look_at_links().expect("lists the interfaces");
        assert_eq!(known(&net), [[2, 0, 0, 0, 0, 2]]);
        drop(net);
        unload(root).expect("unloads");
    });
}

#[test]
fn batches_write_and_read_twenty_thousand_records() {
    let net = Net::open(&Options::default()).expect("loads");
    let maps = net.maps();
    let indices: Vec<u32> = (1..=20_000).collect();
    let servers: Vec<Server> = indices
        .iter()
        .map(|&i| Server {
            weight: i,
            service: 1,
            ..Server::default()
        })
        .collect();
    maps.servers.set_many(&indices, &servers).expect("writes");
    let dump = maps.servers.dump().expect("reads");
    assert!(dump[1..=20_000].iter().zip(&servers).all(|(a, b)| a == b));
    assert_eq!(dump[0], Server::default());

    let keys: Vec<ServiceKey> = (0..20_000_u16)
        .map(|port| ServiceKey {
            addr: Addr::v4(1),
            port,
            protocol: 6,
            pad: 0,
        })
        .collect();
    maps.service_index
        .insert_many(&keys, &indices)
        .expect("writes");
    assert_eq!(maps.service_index.dump().expect("reads").len(), 20_000);
    maps.service_index.remove(&keys[3]).expect("removes");
    maps.service_index
        .remove_many(&keys)
        .expect("missing keys are no error");
    assert_eq!(maps.service_index.dump().expect("reads").len(), 0);
}

#[test]
fn a_packet_that_is_none_of_ours_passes_and_a_short_one_is_counted() {
    let mut net = Net::open(&Options::default()).expect("loads");
    let mut packet = vec![0; 64];
    packet[12] = 8;
    packet[14] = 0x45;
    packet[17] = 50;
    for (program, pass) in [(Program::Xdp, 2), (Program::Tc, 0), (Program::Egress, 0)] {
        let outcome = net
            .test_run(program, &packet, TestOptions::default())
            .expect("runs");
        assert_eq!(
            (outcome.verdict, &outcome.packet),
            (pass, &packet),
            "{program:?}"
        );
    }
    let addr = Addr::v4(0);
    net.maps()
        .addrs
        .set(filter::word(&addr), &filter::VIRTUAL)
        .expect("writes");
    let outcome = net
        .test_run(Program::Xdp, &packet[..33], TestOptions::default())
        .expect("runs");
    assert_eq!(outcome.verdict, 1, "dropped");
    assert_eq!(
        net.maps().counters.get(counter::TRUNCATED).expect("reads"),
        1
    );
}

#[test]
fn hz_is_one_of_the_kernels_choices() {
    assert!([100, 250, 300, 1000].contains(&ssi_loader::kernel::hz()));
}
