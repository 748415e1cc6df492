//! Streams.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ssi_ics::core::CallError;
use ssi_ics::runner::Cut;

use crate::net::{Net, checksum, priority};

fn pattern(length: usize) -> Bytes {
    (0..length)
        .map(|at| ((at * 31) >> 3) as u8)
        .collect::<Vec<u8>>()
        .into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_megabytes_while_urgent_calls_go_on() {
    let net = Net::of(2).await;
    let ics = net.ics(1);
    let piece = pattern(5 << 20);
    let want = (0..20).fold(0, |sum, _| checksum(sum, &piece));
    let (mut stream, reply) = ics.call(2, "sum", 0, Bytes::new()).stream().await.unwrap();
    let start = Instant::now();
    let sending = tokio::spawn(async move {
        for _ in 0..20 {
            stream.send(piece.clone()).await.unwrap();
        }
        stream.finish().await.unwrap();
    });
    let mut urgent = 0;
    while !sending.is_finished() {
        let call = ics.call(2, "echo", 0, Bytes::from_static(b"urgent"));
        let call = call.priority(priority(3)).deadline(Duration::from_secs(30));
        assert_eq!(call.await.unwrap(), "urgent");
        urgent += 1;
    }
    sending.await.unwrap();
    let sum = reply.wait().await.unwrap();
    assert_eq!(&sum[..8], want.to_le_bytes());
    assert_eq!(&sum[8..], (100_u64 << 20).to_le_bytes());
    assert!(urgent > 10, "{urgent} in {:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_holds_its_writer_back() {
    let net = Net::of(2).await;
    let ics = net.ics(1);
    let (mut stream, reply) = ics
        .call(2, "sum", 1000, Bytes::new())
        .stream()
        .await
        .unwrap();
    let sent = stream.send(pattern(8 << 20));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), sent)
            .await
            .is_err()
    );
    let kept = ics.report().peers[&2].stats.lanes[6].kept_bytes;
    assert!(kept <= (17 << 16), "{kept}");
    // Given up halfway, it is never taken for complete.
    drop(stream);
    assert_eq!(reply.wait().await, Err(CallError::Cancelled));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_stream_and_one_that_nobody_reads() {
    let net = Net::of(2).await;
    let ics = net.ics(1);
    let (stream, reply) = ics.call(2, "sum", 0, Bytes::new()).stream().await.unwrap();
    stream.finish().await.unwrap();
    assert_eq!(reply.wait().await.unwrap(), &[0; 16][..]);
    let call = ics.call(2, "echo", 0, Bytes::from_static(b"no"));
    let (mut stream, reply) = call.stream().await.unwrap();
    assert_eq!(stream.send(pattern(50 << 20)).await, Err(Cut));
    assert_eq!(reply.wait().await.unwrap(), "no");
}
