//! One client: lines in, lines out.

use std::io;
use std::time::Duration;

use ssi_api::control::{
    Call, Failure, FailureKind, FrameError, MAX_LINE, Outcome, Reply, Response, VERSION, decode,
    encode,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Answers, Asker};
use crate::memory;

/// How long a client may say nothing between two requests.
const IDLE: Duration = Duration::from_secs(600);
/// How long it may take over a line once begun, and to read an answer.
const SLOW: Duration = Duration::from_secs(30);
/// A buffer larger than this is not kept for the next request.
const KEEP: usize = 64 << 10;

/// What came of waiting for a line.
enum Line {
    Whole,
    TooLong,
    /// The client went, or did nothing for too long.
    Gone,
}

/// Answers the client's requests until it goes.
pub(super) async fn serve(stream: UnixStream, answers: &Answers) {
    let asker = Asker::of(&stream);
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        let response = match next(&mut stream, &mut line).await {
            Ok(Line::Whole) => respond(&line, answers, asker).await,
            Ok(Line::TooLong) => {
                let long = format!("the request is longer than {MAX_LINE} bytes");
                let failure = Failure::new(FailureKind::TooLong, long);
                refuse(stream.into_inner(), failure).await;
                return;
            }
            Ok(Line::Gone) => return,
            Err(e) => {
                tracing::debug!("a client is lost: {e}");
                return;
            }
        };
        let large = line.capacity() > KEEP;
        if large {
            line = Vec::new();
        }
        let Ok(written) = write(stream.get_mut(), response).await else {
            return;
        };
        if large || written > KEEP {
            memory::give_back();
        }
    }
}

/// Tells a client why it is not served.
pub(super) async fn refuse(mut stream: UnixStream, failure: Failure) {
    // It may not even listen.
    let _ = write(&mut stream, Response::new(0, Err(failure))).await;
}

async fn respond(line: &[u8], answers: &Answers, asker: Asker) -> Response {
    let call: Call = match decode(line) {
        Ok(call) => call,
        Err(e) => {
            let malformed = format!("{e}; the requests are listed by {{\"request\":\"describe\"}}");
            return Response::new(0, Err(Failure::new(FailureKind::Malformed, malformed)));
        }
    };
    if call.version != VERSION {
        let version = format!(
            "version {} is not spoken here, only {VERSION}",
            call.version
        );
        let failure = Failure::new(FailureKind::Version, version);
        return Response::new(call.id, Err(failure));
    }
    Response::new(call.id, answers.answer(call.request, asker).await)
}

/// Writes a response; says how long it was.
async fn write(stream: &mut UnixStream, response: Response) -> io::Result<usize> {
    let line = match &response.outcome {
        // Tens of megabytes, perhaps: the daemon has other things to do meanwhile.
        Outcome::Ok(Reply::ClusterProcesses(_) | Reply::Swept(_)) => {
            let line = tokio::task::spawn_blocking(move || line(response));
            line.await.map_err(io::Error::other)??
        }
        _ => line(response)?,
    };
    timeout(SLOW, stream.write_all(&line)).await??;
    Ok(line.len())
}

fn line(response: Response) -> io::Result<Vec<u8>> {
    match encode(&response) {
        Err(FrameError::TooLong) => {
            let long = format!("the reply is longer than {MAX_LINE} bytes; ask for less");
            let failure = Failure::new(FailureKind::TooLong, long);
            encode(&Response::new(response.id, Err(failure)))
        }
        line => line,
    }
    .map_err(io::Error::other)
}

async fn next(stream: &mut BufReader<UnixStream>, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let mut first = true;
    let mut deadline = Instant::now() + IDLE;
    loop {
        let Ok(available) = timeout_at(deadline, stream.fill_buf()).await else {
            return Ok(Line::Gone);
        };
        let available = available?;
        if available.is_empty() {
            return Ok(Line::Gone);
        }
        let newline = available.iter().position(|&byte| byte == b'\n');
        let take = newline.unwrap_or(available.len());
        if line.len() + take > MAX_LINE {
            return Ok(Line::TooLong);
        }
        line.extend_from_slice(&available[..take]);
        stream.consume(newline.map_or(take, |at| at + 1));
        if newline.is_some() {
            return Ok(Line::Whole);
        }
        if first {
            deadline = Instant::now() + SLOW;
            first = false;
        }
    }
}
