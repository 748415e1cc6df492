//! Streams.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ssi_ics::core::CallError;
use ssi_ics::runner::{Cut, SendFileError};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_sent_from_where_they_stand() {
    let net = Net::of(2).await;
    let ics = net.ics(1);
    let mut file = tempfile::tempfile().unwrap();
    let all = pattern(3_000_001);
    file.write_all(&all).unwrap();
    file.seek(SeekFrom::Start(5)).unwrap();
    let (mut stream, reply) = ics.call(2, "sum", 0, Bytes::new()).stream().await.unwrap();
    stream.send(all.slice(..5)).await.unwrap();
    assert_eq!(stream.send_file(file).await.unwrap(), 2_999_996);
    stream.finish().await.unwrap();
    let sum = reply.wait().await.unwrap();
    assert_eq!(&sum[..8], checksum(0, &all).to_le_bytes());
    assert_eq!(&sum[8..], 3_000_001_u64.to_le_bytes());
    let (mut stream, _reply) = ics.call(2, "sum", 0, Bytes::new()).stream().await.unwrap();
    let directory = std::fs::File::open("/").unwrap();
    let refused = stream.send_file(directory).await;
    assert!(
        matches!(refused, Err(SendFileError::Read(_))),
        "{refused:?}"
    );
}

/// A thousand streams whose handlers hardly read: what is held is bounded by the credits, at
/// both ends, and everything else goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_readers_cost_bounded_memory() {
    let net = Net::of(2).await;
    let ics = net.ics(1).clone();
    let limits = net.config(1).limits;
    let (window, chunks) = (u64::from(limits.window), u64::from(limits.chunks));
    let piece = pattern(2 << 20);
    let streams: Vec<_> = (0..1000)
        .map(|_| {
            let (ics, piece) = (ics.clone(), piece.clone());
            tokio::spawn(async move {
                let call = ics.call(2, "sum", u16::MAX, Bytes::new());
                let (mut stream, reply) = call.stream().await.unwrap();
                let _ = stream.send(piece).await;
                reply.wait().await
            })
        })
        .collect();
    let start = Instant::now();
    let mut most = 0;
    while start.elapsed() < Duration::from_millis(500) || most < window * chunks * (60 << 10) {
        let stats = ics.report().peers[&2].stats;
        let bulk = stats.lanes[6];
        most = most.max(net.ics(2).report().peers[&1].stats.lanes[6].received_bytes);
        // Chunks that are under way, and calls that wait; no more than that at either end.
        assert!(bulk.kept_bytes <= window * chunks * (66 << 10), "{bulk:?}");
        assert!(most <= window * chunks * (66 << 10), "{most}");
        assert!(bulk.credits_used <= window && bulk.waiting <= limits.waiting.calls as u64);
        assert!(net.ics(2).report().peers[&1].stats.serving <= window);
        assert!(start.elapsed() < Duration::from_secs(30), "{bulk:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(ics.report().peers[&2].stats.lanes[6].throttled > 0);
    let call = ics.call(2, "echo", 0, Bytes::from_static(b"through"));
    assert_eq!(
        call.deadline(Duration::from_secs(30)).await.unwrap(),
        "through"
    );
    for stream in streams {
        stream.abort();
    }
}
