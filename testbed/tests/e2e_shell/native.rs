//! What a shell has of its node, and what passes between it and whoever started it.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use crate::common::Cluster;
use crate::common::pty::Person;
use crate::{numbers, output, shell};

pub(crate) fn own(cluster: &Cluster) {
    let host = cluster.host(1);
    assert_eq!(shell(host, "cat <(echo one) <(echo two)"), "one\ntwo\n");
    assert_eq!(shell(host, "echo in | cat /dev/stdin"), "in\n");
    assert_eq!(shell(host, "echo out > /dev/stdout"), "out\n");
    assert_eq!(shell(host, "exec 5< <(echo five); cat /dev/fd/5"), "five\n");
    let own = shell(
        host,
        "echo $$ $BASHPID; ps -o pid= -p $$; readlink /proc/self; :",
    );
    let own = numbers(&own);
    assert_eq!((own[0], own[0]), (own[1], own[2]), "{own:?}");
    assert!(own[3] != own[0], "readlink is another: {own:?}");
    let many = shell(
        host,
        "for n in 1 2 3; do readlink /proc/self & wait $!; echo $!; done",
    );
    let many = numbers(&many);
    assert!(many.chunks(2).all(|pair| pair[0] == pair[1]), "{many:?}");
    assert!(shell(host, "readlink /proc/$$/exe; :").ends_with("/bash\n"));
    assert_eq!(
        shell(host, "cd /usr; readlink /proc/$$/cwd /proc/self/cwd; :"),
        "/usr\n/usr\n"
    );
    assert_eq!(
        shell(host, "readlink /proc/thread-self | cut -d/ -f2"),
        "task\n"
    );
    let here = host.run(&["cat", "/proc/sys/kernel/hostname", "/proc/version"]);
    assert_eq!(
        shell(host, "cat /proc/sys/kernel/hostname /proc/version"),
        here
    );
    assert!(shell(host, "cat /proc/meminfo").starts_with("MemTotal:"));
    assert!(shell(host, "uptime; free; cat /proc/mounts | head -3").contains("load average"));
    assert!(shell(host, "ls /proc/net/ /proc/self/fd").contains("tcp"));
    // Settings are the node's.
    let old = shell(host, "cat /proc/sys/net/ipv4/ip_default_ttl");
    shell(host, "echo 99 > /proc/sys/net/ipv4/ip_default_ttl");
    let now = host.run(&["cat", "/proc/sys/net/ipv4/ip_default_ttl"]);
    shell(
        host,
        &format!("echo {old} > /proc/sys/net/ipv4/ip_default_ttl"),
    );
    assert_eq!(now, "99\n");
    assert_eq!(shell(host, "echo $SSI_SHELL"), "1\n");
    // A shell in a shell is the same.
    assert_eq!(
        shell(host, "ssi shell -c 'kill -0 8388609 && echo there'"),
        "there\n"
    );
    // What is mounted is mounted for all.
    let mounts = host.run(&[
        "sh",
        "-c",
        "readlink /proc/self/ns/mnt; grep -c . /proc/mounts",
    ]);
    shell(host, "true");
    let after = host.run(&[
        "sh",
        "-c",
        "readlink /proc/self/ns/mnt; grep -c . /proc/mounts",
    ]);
    assert_eq!(mounts, after);
}

pub(crate) fn ends(cluster: &Cluster) {
    let host = cluster.host(1);
    assert_eq!(output(host, "exit 7").status.code(), Some(7));
    let line = host.output(&["ssi", "shell", "-c", "exit 8"]);
    assert_eq!(line.status.code(), Some(8));
    let none = host.output(&["ssi", "shell", "/no/such"]);
    assert_eq!(none.status.code(), Some(127), "{none:?}");
    let directory = host.output(&["ssi", "shell", "/etc"]);
    assert_eq!(directory.status.code(), Some(126), "{directory:?}");
    let alone = host.output(&["ssi", "--socket", "/run/none/s", "shell", "true"]);
    assert_eq!(alone.status.code(), Some(125), "{alone:?}");
    let killed = host.output(&["sh", "-c", "ssi shell sh -c 'kill -USR1 $$'; echo $?"]);
    let status = 128 + 10;
    assert_eq!(
        String::from_utf8_lossy(&killed.stdout),
        format!("{status}\n")
    );
    // A signal to it is the command's.
    let begun = Instant::now();
    let term = host.sh(
        "ssi shell sh -c 'trap \"echo heard; exit 3\" TERM; echo ready >/tmp/ready; while :; do sleep 0.05; done' &
         until [ -e /tmp/ready ]; do sleep 0.02; done; rm /tmp/ready
         kill $!; wait $! || echo $?",
    );
    assert_eq!(term, "heard\n3\n");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let none = host.output(&["ssi", "shell", "sleep", "0"]);
    assert_eq!((none.status.code(), none.status.signal()), (Some(0), None));
}

pub(crate) fn terminal(cluster: &Cluster) {
    let mut person = Person::at(cluster.host(1));
    person.asks("ssi shell bash --norc --noprofile -i", "here> ");
    // Its own, by its terminal.
    let own = person.asks("ps; echo end-$SSI_SHELL", "end-1");
    assert!(own.contains("bash") && own.contains(" ps"), "{own}");
    assert_eq!(own.matches("bash").count(), 2, "{own}");
    person.sees("here> ");
    // What is typed has the letters apart, what is said has not.
    let sleeps = "sh -c 'echo u''p; exec sleep 1000'";
    person.asks(sleeps, "up");
    person.keys("\x1a");
    person.sees("Stopped");
    person.asks("jobs; echo a-$SSI_SHELL", "a-1");
    person.asks("kill %1; wait; echo b-$SSI_SHELL", "b-1");
    person.asks(sleeps, "up");
    person.keys("\x03");
    person.asks("echo c-$SSI_SHELL", "c-1");
    // It stops itself: whoever started it goes on, and comes back to it.
    person.asks("suspend", "Stopped");
    person.asks("echo d-$SSI_SHELL-d", "d--d");
    person.asks("fg", "ssi shell");
    person.asks("echo e-$SSI_SHELL", "e-1");
    person.asks("exit 4", "here> ");
    person.asks("echo f-$?-$SSI_SHELL", "f-4-");
    // A command in the foreground, by keys.
    person.asks(&format!("ssi shell {sleeps}"), "up");
    person.keys("\x1a");
    person.sees("Stopped");
    person.asks("fg", "sleep 1000'");
    // It says so before it does it.
    let there = "until ps -eo stat=,args= | grep -q '^S[^ ]*+ *sleep 1000'; do sleep 0.02; done";
    cluster.host(1).run(&["timeout", "10", "sh", "-c", there]);
    person.keys("\x03");
    person.asks("echo g-$?", "g-130");
}
