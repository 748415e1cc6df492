//! What an operator reads.

use std::time::Duration;

use super::world::World;
use crate::core::{Event, Exit, Order};

fn world(lines: &str) -> World {
    let mut world = World::new(&format!(
        "[[process]]\nname = \"web\"\npath = \"/web\"\n{lines}"
    ));
    world.place_all();
    world
}

#[test]
fn every_state_says_why() {
    let mut w = world("");
    w.pass(Duration::from_secs(61));
    assert_eq!(w.why("web"), "running since 61 s ago");
    w.dies("web", Exit::Code(1));
    assert_eq!(
        w.why("web"),
        "running since 0 s ago; one error so far; last exit code 1"
    );
    w.dies("web", Exit::Signal(11));
    assert_eq!(
        w.why("web"),
        "started again in 96 ms; 2 errors so far; last signal 11 (SIGSEGV)"
    );
    for _ in 0..8 {
        w.pass(Duration::from_secs(11));
        w.dies("web", Exit::Code(1));
    }
    assert_eq!(
        w.why("web"),
        "10 errors within 300 s; last exit code 1; `ssi service clear web` starts it again"
    );
    w.tell(Event::Order(Order::Clear(vec!["web".into()])));
    w.manners.ignore_term = true;
    w.tell(Event::Order(Order::Stop(vec!["web".into()])));
    assert_eq!(
        w.why("web"),
        "it is being ended (SIGTERM sent; SIGKILL follows in 2 s) and was told to stop"
    );
    w.pass(Duration::from_secs(2));
    assert_eq!(
        w.why("web"),
        "stopped by an operator; `ssi service start web` starts it"
    );

    let w = world("enabled = false");
    assert!(w.why("web").starts_with("enabled = false"));
    let w = world("ready = { port = 80 }");
    assert_eq!(
        w.why("web"),
        "started 0 s ago; nothing accepts connections at port 80 yet, for which it has 60 s"
    );
    let w = world("ready = \"notify\"");
    assert_eq!(
        w.why("web"),
        "started 0 s ago; it says READY=1 within 60 s, or is restarted"
    );
    let mut w = world("down = [3]");
    w.dies("web", Exit::Code(3));
    assert_eq!(
        w.why("web"),
        "exit code 3 says that it is not to be restarted; `ssi service clear web` starts it again"
    );
    let mut w = world("favoured = 1\nbackup = [2]\nreject = [4]");
    w.dies("web", Exit::Code(4));
    assert!(
        w.why("web")
            .starts_with("exit code 4 says that it can't run on this node")
    );
    let mut w = world("");
    w.tell(Event::Order(Order::Quiesce(true)));
    w.dies("web", Exit::Code(1));
    assert_eq!(w.why("web"), "supervision is quiesced, nothing is started");
    let mut w = world("");
    w.manners.cant_start = true;
    w.dies("web", Exit::Code(1));
    assert!(
        w.why("web").contains("it can't be started: no such file"),
        "{}",
        w.why("web")
    );
}
