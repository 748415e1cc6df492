//! Daemons that are restarted while their nodes live on.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ssi_ics::core::CallError;
use tokio::runtime::{Builder, Runtime};

use crate::net::{Net, echo};
use crate::refused::{fingerprint, mac, tls};

/// How often one node has noticed that the other's daemon was restarted.
fn noticed(net: &Net, node: u16, other: u16) -> u64 {
    net.ics(node).report().peers[&other].stats.restarts
}

async fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// One end's daemon is restarted, with and without protection, the one that dials and the
/// one that listens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_daemon_is_met_again_in_the_same_view() {
    let nets = [
        || Net::new(|_| ssi_ics::runner::Security::None, |_| [0; 32]),
        || Net::new(mac, |_| [0; 32]),
        || Net::new(tls, fingerprint),
    ];
    for new in nets {
        for restarted in [1, 2] {
            let mut net = new();
            for node in 1..=2 {
                net.start(node, 1).await;
            }
            net.view();
            net.wait_connected().await;
            let other = 3 - restarted;
            let call = net.ics(other).call(restarted, "never", 0, Bytes::new());
            let pending = tokio::spawn(call.into_future());
            let call = net.ics(restarted).call(other, "never", 0, Bytes::new());
            let lost = tokio::spawn(call.into_future());
            until(|| net.ics(other).report().peers[&restarted].stats.serving == 1).await;
            net.ics(restarted).stop();
            assert!(lost.await.unwrap().is_err());
            net.start(restarted, 1).await;
            assert!(!pending.is_finished(), "a broken connection is no reason");
            net.view_again(restarted);
            let ended = pending.await.unwrap();
            assert_eq!(ended, Err(CallError::Restarted { node: restarted }));
            net.wait_connected().await;
            // The handler was told.
            let stats = || net.ics(other).report().peers[&restarted].stats;
            assert_eq!((stats().serving, stats().pending), (0, 0));
            echo(net.ics(other), restarted, b"again").await;
            echo(net.ics(restarted), other, b"again").await;
            assert_eq!(noticed(&net, other, restarted), 1);
            assert_eq!(noticed(&net, restarted, other), 0);
            assert_eq!(stats().broken, 0);
        }
    }
}

/// A node whose runner has a runtime of its own, so that it can be killed: its sockets are
/// closed by the kernel, and no more is said.
async fn start_apart(net: &mut Net, node: u16) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().unwrap();
    {
        let _inside = runtime.enter();
        net.start(node, 1).await;
    }
    net.view_again(node);
    runtime
}

/// Both daemons are killed again and again, one or both at a time, in the midst of calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_midst_of_calls_both_ends_go_on() {
    let mut net = Net::new(|_| ssi_ics::runner::Security::None, |_| [0; 32]);
    let mut runtimes = [None, None];
    for node in 1..=2_u16 {
        runtimes[usize::from(node) - 1] = Some(start_apart(&mut net, node).await);
    }
    net.view();
    for round in 0..12 {
        net.wait_connected().await;
        let mut calls = Vec::new();
        for node in 1..=2_u16 {
            for _ in 0..200 {
                let call = net.ics(node).call(3 - node, "slow", 5, Bytes::new());
                calls.push((node, tokio::spawn(call.into_future())));
            }
        }
        tokio::time::sleep(Duration::from_millis(round)).await;
        let killed = [&[1][..], &[2], &[1, 2], &[2, 1]][round as usize % 4];
        for node in killed {
            if let Some(runtime) = runtimes[usize::from(*node) - 1].take() {
                runtime.shutdown_background();
            }
            // The bulk lane's thread is not the runtime's.
            net.ics(*node).stop();
        }
        for node in killed {
            runtimes[usize::from(*node) - 1] = Some(start_apart(&mut net, *node).await);
        }
        for (node, call) in calls {
            if killed.contains(&node) {
                // Its daemon is gone, and nobody waits for it.
                call.abort();
                continue;
            }
            let ended = tokio::time::timeout(Duration::from_secs(30), call).await;
            // A runtime ends its tasks before its sockets, so that some handlers say so.
            let possible = [
                CallError::Restarted { node: 3 - node },
                CallError::Failed("the handler broke off".into()),
            ];
            match ended.unwrap().unwrap() {
                Ok(_) => {}
                Err(error) => assert!(possible.contains(&error), "{error}"),
            }
        }
    }
    net.wait_connected().await;
    echo(net.ics(1), 2, b"at last").await;
    echo(net.ics(2), 1, b"at last").await;
    for (ics, _) in net.nodes.values() {
        ics.stop();
    }
    for runtime in runtimes.into_iter().flatten() {
        runtime.shutdown_background();
    }
}
