//! quinn: QUIC, always with TLS 1.3. Calls go over one stream that stays, which spares each
//! the opening of its own.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use quinn::{ClientConfig, Connection, Endpoint, RecvStream, SendStream, ServerConfig};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Calls, PIECE, SIZE, Sends, count, runtime, until};
use crate::ics::pair::{FAR, NEAR, Pair, Settings};

const PORT: u16 = 7206;
/// The name that certificates are made out to.
const NAME: &str = "ssi";

/// What a stream is for, its first byte.
const ECHO: u8 = 0;
const SINK: u8 = 1;

/// Serves, for ever.
pub(in crate::ics) fn serve(settings: &Settings) -> Result<()> {
    runtime()?.block_on(async {
        let chain = vec![CertificateDer::from(settings.far.certificate.clone())];
        let key = PrivatePkcs8KeyDer::from(settings.far.key.clone());
        let config = ServerConfig::with_single_cert(chain, PrivateKeyDer::from(key))?;
        let endpoint = Endpoint::server(config, (FAR, PORT).into())?;
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(async move {
                // A connection that goes is no failure.
                if let Ok(connection) = incoming.await {
                    while let Ok((send, receive)) = connection.accept_bi().await {
                        tokio::spawn(talk(send, receive));
                    }
                }
            });
        }
        Ok(())
    })
}

async fn talk(mut send: SendStream, mut receive: RecvStream) -> Result<()> {
    let mut what = [0];
    receive.read_exact(&mut what).await?;
    if what == [ECHO] {
        let mut bytes = [0; SIZE];
        loop {
            receive.read_exact(&mut bytes).await?;
            send.write_all(&bytes).await?;
        }
    }
    let mut length = 0_u64;
    while let Some(chunk) = receive.read_chunk(PIECE, true).await? {
        length += chunk.bytes.len() as u64;
    }
    send.write_all(&length.to_le_bytes()).await?;
    Ok(send.finish()?)
}

async fn connect(pair: &Pair) -> Result<Connection> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(pair.settings.far.certificate.clone()))?;
    let config = ClientConfig::with_root_certificates(Arc::new(roots))?;
    let endpoint = Endpoint::client((NEAR, 0).into())?;
    until(async || -> Result<Connection> {
        let connecting = endpoint.connect_with(config.clone(), (FAR, PORT).into(), NAME)?;
        Ok(connecting.await?)
    })
    .await
}

pub(in crate::ics) fn calls(pair: &Pair) -> Result<Calls> {
    let runtime = runtime()?;
    let (connection, mut send, mut receive) = runtime.block_on(async {
        let connection = connect(pair).await?;
        let (mut send, receive) = connection.open_bi().await?;
        send.write_all(&[ECHO]).await?;
        anyhow::Ok((connection, send, receive))
    })?;
    Ok(Box::new(move |calls, took| {
        runtime.block_on(async {
            let mut bytes = [7; SIZE];
            for _ in 0..calls {
                let start = Instant::now();
                send.write_all(&bytes).await?;
                receive.read_exact(&mut bytes).await?;
                count(took, start);
            }
            connection.close_reason().map_or(Ok(()), Err)?;
            Ok(())
        })
    }))
}

/// One stream after the other.
pub(in crate::ics) fn sends(pair: &Pair) -> Result<Sends> {
    let runtime = runtime()?;
    let connection = runtime.block_on(connect(pair))?;
    let piece = vec![7; PIECE];
    Ok(Box::new(move |bytes| {
        runtime.block_on(async {
            let (mut send, mut receive) = connection.open_bi().await?;
            send.write_all(&[SINK]).await?;
            let mut left = bytes;
            while left > 0 {
                let step = left.min(PIECE as u64);
                send.write_all(&piece[..step as usize]).await?;
                left -= step;
            }
            send.finish()?;
            let said = receive.read_to_end(8).await?;
            (said[..] == bytes.to_le_bytes())
                .then_some(())
                .context("not all arrived")
        })
    }))
}
