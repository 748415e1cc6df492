//! What answers for a process, or doesn't, over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ssi_keepalive::core::{Failure, State};

use super::stage::{Stage, play, process};

/// Answers every request with what was said last, until this program ends; its port.
fn answers(says: &Arc<Mutex<&'static str>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let says = says.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Who asks may be gone by then.
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(says.lock().unwrap().as_bytes());
        }
    });
    port
}

pub(crate) fn what_answers_decides() {
    let says = Arc::new(Mutex::new("HTTP/1.1 503 Not Yet\r\n\r\n"));
    let port = answers(&says);
    let more = format!(
        "ready = {{ http = \"http://127.0.0.1:{port}/up\" }}\n\
         health = {{ test = {{ http = \"http://127.0.0.1:{port}/up\" }}, every = 0.1, failures = 2 }}"
    );
    let stage = Stage::new(&process("s", "exec sleep 1000", &more));
    play(async {
        let mut play = stage.open();
        play.until("it is not ready", |play| {
            play.status("s").why.contains("doesn't answer well yet")
        })
        .await;
        let late = Instant::now() + Duration::from_secs(1);
        play.until("a second", |_| Instant::now() >= late).await;
        assert_eq!(play.status("s").state, State::Start);
        *says.lock().unwrap() = "HTTP/1.1 204 No Content\r\n\r\n";
        play.state("s", State::Ok).await;
        let pid = play.pid("s");
        for (times, answer, why) in [
            (1, "SSH-2.0-x\r\n", "doesn't speak HTTP"),
            (2, "HTTP/1.1 500 Oh\r\n\r\n", "status 500"),
        ] {
            *says.lock().unwrap() = answer;
            play.until("it is restarted", |play| play.errors("s") == times)
                .await;
            let last = play.status("s").record.last;
            assert!(
                matches!(&last, Some(Failure::Unhealthy(said)) if said.contains(why)),
                "{last:?}"
            );
            *says.lock().unwrap() = "HTTP/1.1 204 No Content\r\n\r\n";
            play.until("another one", |play| ![0, pid].contains(&play.pid("s")))
                .await;
            play.state("s", State::Ok).await;
        }
    });
}
