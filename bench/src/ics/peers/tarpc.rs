//! tarpc over TCP, with bincode.

use std::time::Instant;

use anyhow::{Result, ensure};
use futures::StreamExt as _;
use tarpc::server::{BaseChannel, Channel as _};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::{Framed, LengthDelimitedCodec};
use tarpc::{client, context, serde_transport};
use tokio::net::{TcpListener, TcpStream};

use super::{Calls, SIZE, count, runtime, until};
use crate::ics::pair::FAR;

const PORT: u16 = 7205;

/// What is called.
#[tarpc::service]
trait Echo {
    /// Gives back what it gets.
    async fn echo(body: Vec<u8>) -> Vec<u8>;
}

#[derive(Clone)]
struct Server;

impl Echo for Server {
    async fn echo(self, _: context::Context, body: Vec<u8>) -> Vec<u8> {
        body
    }
}

fn framed(stream: TcpStream) -> Result<Framed<TcpStream, LengthDelimitedCodec>> {
    stream.set_nodelay(true)?;
    Ok(Framed::new(stream, LengthDelimitedCodec::new()))
}

/// Serves, for ever.
pub(in crate::ics) fn serve() -> Result<()> {
    runtime()?.block_on(async {
        let listener = TcpListener::bind((FAR, PORT)).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            let transport = serde_transport::new(framed(stream)?, Bincode::default());
            let channel = BaseChannel::with_defaults(transport);
            let requests = channel.execute(Server.serve());
            tokio::spawn(requests.for_each(|request| async move {
                tokio::spawn(request);
            }));
        }
    })
}

pub(in crate::ics) fn calls() -> Result<Calls> {
    let runtime = runtime()?;
    let client = runtime.block_on(async {
        let stream = until(async || TcpStream::connect((FAR, PORT)).await).await?;
        let transport = serde_transport::new(framed(stream)?, Bincode::default());
        anyhow::Ok(EchoClient::new(client::Config::default(), transport).spawn())
    })?;
    Ok(Box::new(move |calls, took| {
        runtime.block_on(async {
            for _ in 0..calls {
                let start = Instant::now();
                let reply = client.echo(context::current(), vec![7; SIZE]).await?;
                count(took, start);
                ensure!(reply.len() == SIZE, "another reply");
            }
            Ok(())
        })
    }))
}
