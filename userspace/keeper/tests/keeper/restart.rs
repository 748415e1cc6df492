//! Daemons that follow each other.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::daemon::{Daemon, Place, connect, echoes};

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 119, 1, last], 7117))
}

/// Twenty daemons are killed while four others connect as fast as they can.
pub fn no_connection_is_refused() {
    let (place, address) = (Place::new(), address(1));
    let mut daemon = Daemon::start(place.path(), address, 2);
    assert!(!daemon.found);
    let stop = AtomicBool::new(false);
    let dial = || {
        let (mut connected, mut served) = (0_u32, 0_u32);
        while !stop.load(Ordering::Relaxed) {
            let stream = connect(address).expect("it is never refused");
            connected += 1;
            // One that the daemon had already accepted goes with it.
            served += u32::from(echoes(&stream));
        }
        (connected, served)
    };
    std::thread::scope(|scope| {
        let dialling: Vec<_> = (0..4).map(|_| scope.spawn(dial)).collect();
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(30));
            daemon.kill();
            std::thread::sleep(Duration::from_millis(20));
            daemon = Daemon::start(place.path(), address, 2);
            assert!(daemon.found);
        }
        stop.store(true, Ordering::Relaxed);
        for thread in dialling {
            let (connected, served) = thread.join().expect("was never refused");
            assert!(
                connected > 20 && served > connected / 2,
                "{served} of {connected}"
            );
        }
    });
}

/// Who connects while no daemon runs is served by the next one.
pub fn who_waits_is_served() {
    let (place, address) = (Place::new(), address(2));
    Daemon::start(place.path(), address, 2).kill();
    let waiting: Vec<_> = (0..20)
        .map(|_| connect(address).expect("it is not refused"))
        .collect();
    let daemon = Daemon::start(place.path(), address, 2);
    assert!(daemon.found);
    assert!(waiting.iter().all(echoes));
}

/// Sockets that are of no use are let go.
pub fn another_count_is_bound_anew() {
    let (place, address) = (Place::new(), address(3));
    Daemon::start(place.path(), address, 2).kill();
    let daemon = Daemon::start(place.path(), address, 1);
    assert!(!daemon.found);
    assert!(echoes(&connect(address).expect("connects")));
    daemon.kill();
    assert!(Daemon::start(place.path(), address, 1).found);
    // Another address: what was held at the first is closed.
    let elsewhere = self::address(4);
    let daemon = Daemon::start(place.path(), elsewhere, 1);
    assert!(!daemon.found);
    assert!(echoes(&connect(elsewhere).expect("connects")));
    let refused = connect(address).expect_err("nobody listens");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}
