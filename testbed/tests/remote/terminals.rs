//! Through real terminals, as a person sees it.

use std::thread;
use std::time::Duration;

use crate::common::Cluster;
use crate::common::host::Host;
use crate::common::pty::Person;
use crate::until;

pub(crate) fn shell(_: &Cluster) {
    let mut person = Person::at(Host::Node(1));
    person.types("ssi onnode 2 env PS1='far''> ' bash --norc --noprofile -i");
    person.sees("far> ");
    assert!(!person.is_cooked());
    person.asks("hostname", "node2\r\n");
    person.asks("stty size", "24 80\r\n");
    person.asks("echo $TERM", "xterm\r\n");
    person.resizes(50, 132);
    person.asks("stty size; kill -0 $$", "50 132\r\n");
    // ^C is the remote foreground's.
    person.types("sleep 1000; echo said $?");
    until(Host::Node(2), "pgrep -f 'sleep 100[0]'");
    person.keys("\x03");
    person.sees("^C");
    person.sees("far> ");
    person.asks("echo and $?", "and 130\r\n");
    // Its own job control.
    person.types("sleep 1001");
    until(Host::Node(2), "pgrep -f 'sleep 100[1]'");
    person.keys("\x1a");
    person.sees("Stopped");
    person.asks("jobs", "Stopped");
    person.asks("bg", "sleep 1001 &");
    person.asks("jobs", "Running");
    person.asks("kill %1; wait %1; echo ended $?", "ended 143\r\n");
    person.asks("exit 6", "here> ");
    person.asks("echo left with $?", "left with 6\r\n");
    assert!(person.is_cooked());
}

pub(crate) fn jobs(_: &Cluster) {
    let mut person = Person::at(Host::Node(1));
    person.types("ssi onnode 2 cat");
    until(Host::Node(2), "pgrep -x cat");
    person.asks("one", "one\r\none\r\n");
    person.keys("\x1a");
    person.sees("Stopped");
    person.sees("here> ");
    assert!(person.is_cooked());
    until(
        Host::Node(2),
        "grep -q 'State:.T' /proc/$(pgrep -x cat)/status",
    );
    person.asks("jobs", "Stopped");
    // In the background, who reads the terminal is stopped: there as here.
    person.asks("bg", "ssi onnode 2 cat &");
    let waits = "grep -q 'State:.T' /proc/$(pgrep -x cat)/status";
    thread::sleep(Duration::from_millis(300));
    until(Host::Node(2), waits);
    person.asks("jobs", "Stopped");
    person.types("fg");
    person.sees("ssi onnode 2 cat");
    until(
        Host::Node(2),
        "! grep -q 'State:.T' /proc/$(pgrep -x cat)/status",
    );
    person.asks("two", "two\r\ntwo\r\n");
    // Stopped and continued from elsewhere.
    let surrogate = Host::Node(1).sh("pgrep -f 'ssi onnode 2 ca[t]'");
    let surrogate = surrogate.lines().next().unwrap_or_default().to_owned();
    Host::Node(1).run(&["kill", "-TSTP", &surrogate]);
    person.sees("Stopped");
    person.types("fg");
    person.sees("ssi onnode 2 cat");
    person.asks("three", "three\r\nthree\r\n");
    person.keys("\x04");
    person.sees("here> ");
    person.asks("echo $?", "0\r\n");
    // One that computes goes on in the background, and comes back without being stopped.
    person.types("ssi onnode 2 bash -c 'while ! read -t 0.1 x; do :; done; echo got $x'");
    until(Host::Node(2), "pgrep -f 'while ! rea[d]'");
    person.asks("x", "got x");
    person.sees("here> ");
    // A pipeline of both.
    person.asks("ssi onnode 2 seq 3 | ssi onnode 3 tac", "3\r\n2\r\n1\r\n");
    person.asks(
        "ssi onnode 2 sleep 1002 & sleep 0.5; kill %1; wait; echo done",
        "done\r\n",
    );
}

pub(crate) fn background(_: &Cluster) {
    let mut person = Person::at(Host::Node(1));
    // Nobody else reads what is typed then.
    person.types("ssi onnode -T 2 tee /var/tmp/typed & sleep 3");
    until(Host::Node(2), "pgrep -x tee");
    person.types("");
    person.sees("Stopped");
    person.types("fg");
    person.sees("ssi onnode -T 2 tee");
    person.types("two");
    until(Host::Node(2), "grep -qx two /var/tmp/typed");
    person.keys("\x04");
    person.sees("here> ");
    person.asks("echo $?", "0\r\n");
    Host::Node(2).sh("rm /var/tmp/typed");
}

pub(crate) fn vi(_: &Cluster) {
    let mut person = Person::at(Host::Node(1));
    person.types("ssi onnode 2 vi /var/tmp/NEWFILE");
    person.sees("NEWFILE");
    until(Host::Node(2), "pgrep -f 'v[i].*NEWFILE'");
    person.keys("ihello\x1b");
    thread::sleep(Duration::from_millis(300));
    person.keys("\x1a");
    person.sees("Stopped");
    person.sees("here> ");
    assert!(person.is_cooked());
    person.types("fg");
    person.sees("hello");
    assert!(!person.is_cooked());
    let pid = Host::Node(2).sh("pgrep -f 'v[i].*NEWFILE' | tail -n 1");
    let process = format!("2/{}", pid.trim());
    Host::Node(3).run(&["ssi", "kill", "-KILL", &process]);
    person.sees("Killed");
    person.sees("here> ");
    person.asks("echo status $?", "status 137\r\n");
    assert!(person.is_cooked());
    person.types("ssi onnode 3 top -d 1");
    person.sees("PID");
    person.keys("q");
    person.sees("here> ");
    Host::Node(2).sh("rm -f /var/tmp/.NEWFILE*");
}

pub(crate) fn hangup(_: &Cluster) {
    let mut person = Person::at(Host::Node(1));
    person.types("ssi onnode 2 env PS1='far''> ' bash --norc --noprofile -i");
    person.sees("far> ");
    person.types("sleep 1003 & sleep 1004");
    until(Host::Node(2), "pgrep -f 'sleep 100[4]'");
    // The terminal is closed.
    drop(person);
    until(Host::Node(1), "! pgrep -f 'ssi onnod[e]'");
    until(
        Host::Node(2),
        "! pgrep -f 'sleep 100[34]|PS1=fa[r]|norc --noprofil[e]'",
    );
    told_once();
}

/// A shell that is told again before it has told its jobs ends, and they go on.
fn told_once() {
    let counts = "trap 'told=$((told+1)); echo $told > /var/tmp/told' HUP; echo at''work; \
        until [ $SECONDS -ge 3 ]; do sleep 0.1; done; rm -f /var/tmp/counts";
    Host::Node(2).sh("rm -f /var/tmp/told; touch /var/tmp/counts");
    let mut person = Person::at(Host::Node(1));
    let quoted = counts.replace('$', "\\$");
    person.types(&format!("ssi onnode 2 bash -c \"{quoted}\""));
    person.sees("atwork");
    drop(person);
    until(Host::Node(2), "! test -e /var/tmp/counts");
    assert_eq!(
        Host::Node(2).sh("cat /var/tmp/told; rm /var/tmp/told"),
        "1\n"
    );
}
