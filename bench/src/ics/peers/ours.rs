//! ICS, with each kind of security.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use hdrhistogram::Histogram;
use ssi_ics::core::frame::SharedKey;
use ssi_ics::core::{Failure, Priority};
use ssi_ics::runner::{Config, Ics, PeerInfo, Request, Security, View};
use tokio::runtime::Runtime;

use super::{Calls, PATIENCE, PIECE, SIZE, Sends, count, runtime};
use crate::ics::pair::{FAR, NEAR, Pair, Settings};

/// How connections are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ics) enum Kind {
    None,
    Mac,
    Tls,
}

impl Kind {
    pub(in crate::ics) const ALL: [Self; 3] = [Self::None, Self::Mac, Self::Tls];

    pub(in crate::ics) const fn name(self) -> &'static str {
        match self {
            Self::None => "ssi, plain",
            Self::Mac => "ssi, mac",
            Self::Tls => "ssi, TLS",
        }
    }

    const fn port(self) -> u16 {
        7210 + self as u16
    }
}

/// Both ends' numbers; the lower one dials.
const ONE: u16 = 1;
pub(in crate::ics) const OTHER: u16 = 2;

fn start(settings: &Settings, kind: Kind, node: u16) -> Result<Ics> {
    let own = if node == ONE {
        &settings.near
    } else {
        &settings.far
    };
    let security = match kind {
        Kind::None => Security::None,
        Kind::Mac => Security::Mac {
            key: SharedKey([7; 16]),
        },
        Kind::Tls => Security::Tls(own.identity()),
    };
    let host = if node == ONE { NEAR } else { FAR };
    let address = (host, kind.port()).into();
    let mut config = Config::new(node, [7; 16], address, security);
    // So that as many calls as one likes are really under way when a node goes down.
    config.limits.window = u16::MAX;
    let ics = Ics::start(config)?;
    ics.peers(view(settings, kind, 1, Some(3 - node)));
    Ok(ics)
}

/// A view of this epoch, in which nobody but this node is up, or the other one too.
pub(in crate::ics) fn view(settings: &Settings, kind: Kind, epoch: u64, up: Option<u16>) -> View {
    let peers = up.map(|node| {
        let (host, keys) = if node == ONE {
            (NEAR, &settings.near)
        } else {
            (FAR, &settings.far)
        };
        let info = PeerInfo {
            address: (host, kind.port()).into(),
            incarnation: 1,
            fingerprint: keys.identity().fingerprint(),
        };
        (node, info)
    });
    View {
        epoch,
        incarnation: 1,
        peers: peers.into_iter().collect(),
    }
}

/// Serves all kinds, for ever.
pub(in crate::ics) fn serve(settings: &Settings) -> Result<()> {
    runtime()?.block_on(async {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            let ics = start(settings, kind, OTHER)?;
            ics.register("echo", |request: Request| async move { Ok(request.body) })?;
            ics.register("never", |request: Request| async move {
                request.cancelled.wait().await;
                Err(Failure::Cancelled)
            })?;
            ics.register("sink", sink)?;
            all.push(ics);
        }
        std::future::pending().await
    })
}

async fn sink(mut request: Request) -> Result<Bytes, Failure> {
    let mut length = 0;
    if let Some(stream) = &mut request.stream {
        while let Some(bytes) = stream.next().await.map_err(|_| Failure::Cancelled)? {
            length += bytes.len() as u64;
        }
    }
    Ok(Bytes::copy_from_slice(&length.to_le_bytes()))
}

/// This end, connected.
pub(in crate::ics) struct End {
    pub(in crate::ics) runtime: Runtime,
    pub(in crate::ics) ics: Ics,
}

impl Drop for End {
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
        self.ics.stop();
    }
}

/// This end, with all lanes; it is started when it is first asked for.
pub(in crate::ics) fn end(pair: &Pair, kind: Kind) -> Result<Rc<End>> {
    if let Some(end) = pair.ends.borrow().get(&kind) {
        return Ok(Rc::clone(end));
    }
    let runtime = runtime()?;
    let ics = runtime.block_on(async {
        let ics = start(&pair.settings, kind, ONE)?;
        connected(&ics).await.context(kind.name())?;
        anyhow::Ok(ics)
    })?;
    let end = Rc::new(End { runtime, ics });
    pair.ends.borrow_mut().insert(kind, Rc::clone(&end));
    Ok(end)
}

/// Waits until all lanes are there.
pub(in crate::ics) async fn connected(ics: &Ics) -> Result<()> {
    let start = Instant::now();
    loop {
        let report = ics.report();
        let peer = report.peers.get(&OTHER);
        if peer.is_some_and(|peer| peer.lanes.iter().all(|lane| lane.connected)) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            bail!("no connection: {report:?}");
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Calls of a priority, one after the other.
pub(in crate::ics) async fn call(
    ics: &Ics,
    priority: Priority,
    calls: usize,
    took: &mut Histogram<u64>,
) -> Result<()> {
    let body = Bytes::from_static(&[7; SIZE]);
    for _ in 0..calls {
        let start = Instant::now();
        let call = ics.call(OTHER, "echo", 0, body.clone()).priority(priority);
        let reply = call.await?;
        count(took, start);
        if reply.len() != SIZE {
            bail!("another reply than it should be");
        }
    }
    Ok(())
}

/// A stream of so many bytes.
pub(in crate::ics) async fn send(ics: &Ics, bytes: u64) -> Result<()> {
    let piece = Bytes::from(vec![7; PIECE]);
    let call = ics.call(OTHER, "sink", 0, Bytes::new());
    let (mut stream, reply) = call.stream().await?;
    let mut left = bytes;
    while left > 0 {
        let step = left.min(PIECE as u64);
        stream.send(piece.slice(..step as usize)).await?;
        left -= step;
    }
    stream.finish().await?;
    if reply.wait().await?[..] != bytes.to_le_bytes() {
        bail!("not all of a stream arrived");
    }
    Ok(())
}

/// Calls of the lowest priority.
pub(in crate::ics) fn calls(end: Rc<End>) -> Calls {
    Box::new(move |calls, took| {
        let calling = call(&end.ics, Priority::LOWEST, calls, took);
        end.runtime.block_on(calling)
    })
}

/// Streams on the bulk lane.
pub(in crate::ics) fn sends(end: Rc<End>) -> Sends {
    Box::new(move |bytes| end.runtime.block_on(send(&end.ics, bytes)))
}
