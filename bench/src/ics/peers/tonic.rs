//! tonic: gRPC over HTTP/2, without protobuf: bodies are bytes, so that no encoding is
//! measured.

use std::convert::Infallible;

use anyhow::{Context as _, Result};
use bytes::{Buf as _, BufMut as _, Bytes};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::{BoxFuture, Context, Poll, Service, http};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};

use super::{Calls, SIZE, count, runtime, until};
use crate::ics::pair::FAR;

const PORT: u16 = 7204;

/// Bytes as they are.
#[derive(Clone, Copy, Debug, Default)]
struct Plain;

impl Codec for Plain {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Plain {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

#[derive(Clone, Debug)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "bench.Echo";
}

impl UnaryService<Bytes> for Echo {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

impl Service<http::Request<tonic::body::Body>> for Echo {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        Box::pin(async move { Ok(tonic::server::Grpc::new(Plain).unary(Echo, request).await) })
    }
}

/// Serves, for ever.
pub(in crate::ics) fn serve() -> Result<()> {
    let served = Server::builder()
        .tcp_nodelay(true)
        .add_service(Echo)
        .serve((FAR, PORT).into());
    Ok(runtime()?.block_on(served)?)
}

pub(in crate::ics) fn calls() -> Result<Calls> {
    let runtime = runtime()?;
    let endpoint = Endpoint::from_shared(format!("http://{FAR}:{PORT}"))?.tcp_nodelay(true);
    let channel = runtime.block_on(until(async || endpoint.connect().await))?;
    let mut client = tonic::client::Grpc::new(channel);
    let path = PathAndQuery::from_static("/bench.Echo/Echo");
    Ok(Box::new(move |calls, took| {
        runtime.block_on(async {
            let body = Bytes::from_static(&[7; SIZE]);
            for _ in 0..calls {
                let start = std::time::Instant::now();
                client.ready().await?;
                let request = Request::new(body.clone());
                let reply = client.unary(request, path.clone(), Plain).await?;
                count(took, start);
                let reply: Bytes = reply.into_inner();
                (reply.len() == SIZE)
                    .then_some(())
                    .context("another reply")?;
            }
            Ok(())
        })
    }))
}
