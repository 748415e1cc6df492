//! Runs one case through one entry, and says what is wrong.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use ssi_abi::conn::{ConnKey4, ConnKey6};
use ssi_abi::server::{server_generation, server_index};
use ssi_abi::{Addr, counter};

use crate::bench::{Bench, Stage, meaning, sum};
use crate::builder::{Body, Packet};
use crate::case::{Case, Change, Check, Entry, Send, Step, Verdict};
use crate::show;
use crate::topology::Real;
use crate::verify;

/// Runs a case; the error is for people.
pub fn run(bench: &mut Bench, case: &Case, entry: Entry) -> Result<(), String> {
    let mut stage = bench.stage(case.world.clone());
    for (at, step) in case.steps.iter().enumerate() {
        let place = |what: String| format!("step {}: {what}", at + 1);
        match step {
            Step::Send(send) => packet(&mut stage, send, entry).map_err(place)?,
            Step::Change(change) => carry_out(&mut stage, change),
            Step::Check(check) => look(&mut stage, check).map_err(place)?,
        }
    }
    Ok(())
}

fn packet(stage: &mut Stage<'_>, send: &Send, entry: Entry) -> Result<(), String> {
    let frame = send.packet.bytes();
    let before = stage.bench.counters();
    let outcome = stage.bench.run(entry, send.way, &frame);
    let counted: Vec<_> = stage
        .bench
        .counters()
        .iter()
        .zip(before)
        .map(|(a, b)| a - b)
        .collect();
    let mut wrong = String::new();
    let verdict = meaning(entry, send.way, outcome.verdict);
    // tc has one number for all interfaces.
    let wanted = match (entry, send.verdict) {
        (Entry::Tc, Verdict::Back) => Verdict::Out,
        (_, other) => other,
    };
    if verdict != Ok(wanted) {
        let _ = writeln!(wrong, "{:?} wanted, {verdict:?} got", send.verdict);
    }
    let mut expected = vec![0; counter::NAMES.len()];
    for counter in &send.counters {
        expected[*counter as usize] += 1;
    }
    for ((name, got), wanted) in counter::NAMES.iter().zip(counted).zip(expected) {
        if got != wanted {
            let _ = writeln!(wrong, "counter \"{name}\": {wanted} wanted, {got} got");
        }
    }
    if send.verdict != Verdict::Drop && verdict != Ok(Verdict::Drop) {
        let out = send
            .out
            .as_ref()
            .map_or_else(|| frame.clone(), Packet::bytes);
        if out != outcome.packet {
            let _ = write!(
                wrong,
                "another packet:\n{}",
                show::difference(&out, &outcome.packet)
            );
        }
        if let (Ok(()), Err(reason)) = (
            verify::checksums(&frame),
            verify::checksums(&outcome.packet),
        ) {
            let _ = writeln!(wrong, "{reason}");
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn carry_out(stage: &mut Stage<'_>, change: &Change) {
    match *change {
        Change::Add(server) => stage.add(server),
        Change::Weight(server, weight) => stage.weight(server, weight),
        Change::Remove(server) => stage.remove(server),
        Change::Down(server) => stage.down(server),
        Change::Load(server, active, inactive) => {
            let index = stage.index(server);
            stage.bench.maps().loads.set_base(index, active, inactive);
        }
        Change::Overload(server) => stage.overload(server),
        Change::Age(seconds) => stage.age(seconds),
        Change::PushOut => stage.push_out(),
        Change::Connect(client, port, addr, its) => connect(stage, client, port, addr, its),
        Change::Wait(client, port, addr, its) => wait(client, port, addr, its),
        Change::DirectedElsewhere => stage.directed_elsewhere(),
        Change::Listen(addr, port) => {
            let listener = TcpListener::bind((addr, port)).expect("the address is this machine's");
            stage.sockets.push(Box::new(listener));
        }
        Change::FilterBits(addr, bits) => stage.filter_bits(addr.into(), bits),
    }
}

fn connect(stage: &mut Stage<'_>, client: IpAddr, port: u16, addr: IpAddr, its: u16) {
    let (socket, accepted, listener) = connection(client, port, addr, its);
    // A reset at the end of the case leaves nothing behind.
    socket.set_linger(Some(Duration::ZERO)).expect("sets");
    // The client's end, with its reset, goes first.
    stage.sockets.push(Box::new(socket));
    stage.sockets.push(Box::new(accepted));
    stage.sockets.push(Box::new(listener));
}

fn wait(client: IpAddr, port: u16, addr: IpAddr, its: u16) {
    let (mut socket, accepted, _listener) = connection(client, port, addr, its);
    drop(accepted);
    let end = socket.read(&mut [0]).expect("reads");
    assert_eq!(end, 0, "the server has closed it");
}

/// A connection on this machine: client's end, server's end, and who listens.
fn connection(
    client: IpAddr,
    port: u16,
    addr: IpAddr,
    its: u16,
) -> (Socket, TcpStream, TcpListener) {
    let listener = TcpListener::bind((addr, its)).expect("the address is this machine's");
    let from = SocketAddr::new(client, port);
    let socket = Socket::new(Domain::for_address(from), Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(true).expect("sets");
    socket
        .bind(&from.into())
        .expect("the address is this machine's");
    socket
        .connect(&SocketAddr::new(addr, its).into())
        .expect("somebody listens");
    let (accepted, _) = listener.accept().expect("somebody connected");
    (socket, accepted, listener)
}

fn look(stage: &mut Stage<'_>, check: &Check) -> Result<(), String> {
    match check {
        Check::Known(packet, server, state) => known(stage, packet, *server, *state),
        Check::Unknown(packet) => match entry(stage, packet) {
            None => Ok(()),
            Some(found) => Err(format!("the flow is remembered: {found:?}")),
        },
        Check::Remembered(wanted) => {
            let maps = stage.bench.maps();
            let (v4, v6) = (maps.conns4.dump(), maps.conns6.dump());
            same(
                "remembered",
                v4.expect("reads").len() + v6.expect("reads").len(),
                *wanted,
            )
        }
        Check::Load(server, active, inactive) => {
            let load = stage.bench.maps().loads.get(stage.index(*server));
            let total = (
                load.active + load.active_base,
                load.inactive + load.inactive_base,
            );
            same("load", total, (*active, *inactive))
        }
        Check::Stats(server, wanted) => {
            let index = stage.index(*server);
            let stats = stage.bench.maps().server_stats.get(index).expect("reads");
            same("the server's statistics", sum(&stats), *wanted)
        }
        Check::Service(wanted) => {
            let index = stage
                .bench
                .model
                .service_index(&stage.first_service())
                .expect("it is there");
            let stats = stage.bench.maps().service_stats.get(index).expect("reads");
            same("the service's statistics", sum(&stats), *wanted)
        }
        Check::Held(wanted) => held(stage, wanted),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: T, wanted: T) -> Result<(), String> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{what}: {wanted:?} wanted, {got:?} got"))
}

fn known(stage: &Stage<'_>, packet: &Packet, server: Real, state: u8) -> Result<(), String> {
    let Some((reference, found)) = entry(stage, packet) else {
        return Err("the flow is not remembered".to_owned());
    };
    let index = stage.index(server);
    let record = stage.bench.maps().servers.get(index).expect("reads");
    same("the flow's server", server_index(reference), index)?;
    same(
        "its generation",
        server_generation(reference),
        record.generation,
    )?;
    same("the flow's state", found, state)
}

/// What is remembered of a packet's flow: server and state.
fn entry(stage: &Stage<'_>, packet: &Packet) -> Option<(u32, u8)> {
    let (protocol, source_port, destination_port) = match &packet.ip.body {
        Body::Tcp(tcp) => (6, tcp.source.to_be(), tcp.destination.to_be()),
        Body::Udp(udp) => (17, udp.source.to_be(), udp.destination.to_be()),
        other => panic!("{other:?} is no flow's"),
    };
    let (source, destination) = (
        Addr::from(packet.ip.source),
        Addr::from(packet.ip.destination),
    );
    let maps = stage.bench.maps();
    if source.is_v4() {
        let key = ConnKey4 {
            source: source.as_v4(),
            destination: destination.as_v4(),
            source_port,
            destination_port,
            protocol,
            pad: [0; 3],
        };
        return maps
            .conns4
            .get(&key)
            .expect("reads")
            .map(|conn| (conn.server, conn.state));
    }
    let key = ConnKey6 {
        source: source.words,
        destination: destination.words,
        source_port,
        destination_port,
        protocol,
        pad: [0; 3],
    };
    maps.conns6
        .get(&key)
        .expect("reads")
        .map(|conn| (conn.server, conn.state))
}

fn held(stage: &mut Stage<'_>, wanted: &[Packet]) -> Result<(), String> {
    let outside = stage.bench.interfaces.outside;
    for (at, packet) in wanted.iter().enumerate() {
        let Some(held) = stage.bench.held.take() else {
            return Err(format!("{at} frames held, {} wanted", wanted.len()));
        };
        let (frame, wanted) = (&held.frame[..held.len as usize], packet.bytes());
        if frame != wanted {
            return Err(format!(
                "another frame held:\n{}",
                show::difference(&wanted, frame)
            ));
        }
        same("interface of the held frame", held.ifindex, outside)?;
    }
    match stage.bench.held.take() {
        None => Ok(()),
        Some(_) => Err(format!("more than {} frames held", wanted.len())),
    }
}
