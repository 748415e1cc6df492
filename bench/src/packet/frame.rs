//! The frames that the driver makes.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use etherparse::PacketBuilder;
use ssi_abi::drive::{HEAD, Plan};

use super::rig::PORT;

/// Which flows the frames are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flows {
    /// All of one.
    One,
    /// In turn of 65,536, again and again.
    Many,
    /// In turn of 65,536, each once after a pause.
    Quiet,
    /// Each of a new one.
    New,
}

impl Flows {
    pub(crate) const fn mask(self) -> u32 {
        match self {
            Self::One => 0,
            Self::Many | Self::Quiet => 0xffff,
            Self::New => u32::MAX,
        }
    }

    /// Packets of a sample, where those of one flow are `repeat`.
    pub(crate) const fn packets(self, repeat: u32) -> u32 {
        match self {
            Self::One | Self::New => repeat,
            // Each flow comes round several times, as on a busy director.
            Self::Many => repeat * 10,
            Self::Quiet => self.mask() + 1,
        }
    }
}

/// Bytes of a frame: as few as hold the longest headers.
const LENGTH: usize = HEAD;
/// Of whom a frame is, where no flow says otherwise.
const CLIENT4: [u8; 4] = [10, 64, 0, 9];
const CLIENT6: [u8; 16] = [0xfd, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 64, 0, 9];
const CLIENT_PORT: u16 = 0x8009;
/// MAC addresses of the frame.
pub(crate) const TO: [u8; 6] = [2, 0, 0, 0, 0, 1];
const FROM: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// A TCP segment to a virtual address: the frame, and how to make it again.
pub(crate) fn segment(vip: IpAddr, syn: bool, flows: Flows) -> Result<(Vec<u8>, Plan)> {
    let ethernet = PacketBuilder::ethernet2(FROM, TO);
    let (ip, headers, address) = match vip {
        IpAddr::V4(vip) => (ethernet.ipv4(CLIENT4, vip.octets(), 64), 54, 26),
        IpAddr::V6(vip) => (ethernet.ipv6(CLIENT6, vip.octets(), 64), 74, 34),
    };
    let tcp = ip.tcp(CLIENT_PORT, PORT, 1, 64_240);
    let tcp = if syn { tcp.syn() } else { tcp.ack(1) };
    let mut frame = Vec::with_capacity(LENGTH);
    tcp.write(&mut frame, &vec![0; LENGTH - headers])
        .context("cannot build a frame")?;
    if frame.len() != LENGTH {
        bail!("a frame of {} bytes, not {LENGTH}", frame.len());
    }
    let mut plan = Plan {
        length: LENGTH as u32,
        mask: flows.mask(),
        address,
        port: headers as u32 - 20,
        ..Plan::default()
    };
    for (word, bytes) in plan.head.iter_mut().zip(frame.chunks_exact(8)) {
        *word = u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
    }
    Ok((frame, plan))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_finds_client_and_port_where_the_plan_says() {
        for vip in [
            IpAddr::from([10, 88, 0, 1]),
            IpAddr::from([0xfd88, 0, 0, 0, 0, 0, 0, 1]),
        ] {
            let (frame, plan) = segment(vip, true, Flows::Many).expect("builds");
            let (address, port) = (plan.address as usize, plan.port as usize);
            assert_eq!(frame[address..address + 4], CLIENT4);
            assert_eq!(frame[port..port + 2], CLIENT_PORT.to_be_bytes());
            assert_eq!(plan.head[0].to_ne_bytes(), frame[..8]);
        }
    }
}
