//! How it is used.

use super::common::disturb::{boot, crash};
use super::common::host::Host;
use super::common::{Cluster, view};
use super::witness::{
    Run, assert_once, beat, in_state, list, next, nodes_of, only, process, put, runs, shown, until,
};

pub(crate) fn mistakes(cluster: &Cluster) {
    let text = "[[process]]\nname = \"bad\"\npath = \"/nowhere/bad\"\nuser = \"nobody-is-called-so\"\nfavoured = 9\n";
    let file = put("bad.toml", text);
    let file = file.display().to_string();
    let said = cluster.host(2).output(&["ssi", "service", "apply", &file]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let lines = String::from_utf8_lossy(&said.stderr).into_owned();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for (line, number) in lines.iter().zip([3, 4, 5]) {
        assert!(line.starts_with(&format!("{file}:{number}: ")), "{line}");
    }
    assert!(list(cluster.host(1)).is_empty());
    let said = cluster
        .host(1)
        .output(&["ssi", "service", "stop", "nothing"]);
    let why = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        why.contains("there is no process or group \"nothing\""),
        "{why}"
    );
}

pub(crate) fn users(cluster: &Cluster) {
    let file = put("users.toml", &process("users", ""));
    let file = file.display().to_string();
    // As for the group that may use it.
    let host = cluster.host(2);
    host.run(&["chmod", "666", "/run/ssi/ssid.sock"]);
    let user = |args: &[&str]| {
        let user = [
            "setpriv",
            "--reuid=65534",
            "--clear-groups",
            "ssi",
            "service",
        ];
        host.output(&[&user, args].concat())
    };
    for args in [
        &["apply", &file][..],
        &["stop", "users"],
        &["show", "users"],
        &["logs", "users"],
        &["adopt", "users", "77"],
    ] {
        let said = user(args);
        let why = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(1), "{args:?}: {why}");
        assert!(why.contains("only root may"), "{args:?}: {why}");
    }
    assert!(list(cluster.host(1)).is_empty());
    for args in [["list"], ["events"]] {
        assert!(user(&args).status.success(), "{args:?}");
    }
    host.run(&["chmod", "600", "/run/ssi/ssid.sock"]);
}

pub(crate) fn applied(cluster: &Cluster) {
    only(cluster, 2, &process("web", "favoured = 3"));
    let web = in_state(cluster.host(1), "web", "ok");
    assert_eq!(web["node"], 3, "{web:#?}");
    let run = next("web:0", &[]);
    assert_eq!(run.node, "node3");
    assert_eq!(web["pid"], run.pid, "{web:#?}");
    // Every node says the same.
    for node in cluster.nodes() {
        let shown = in_state(cluster.host(node), "web", "ok");
        assert_eq!((&shown["pid"], &shown["node"]), (&web["pid"], &web["node"]));
    }
    let said = cluster.host(4).run(&["ssi", "service", "show", "web"]);
    assert!(
        said.contains("name = \"web\"") && said.contains("state   ok"),
        "{said}"
    );
    let events = cluster.host(4).run(&["ssi", "service", "events", "web"]);
    assert!(events.contains("ok"), "{events}");
}

pub(crate) fn verbs(cluster: &Cluster) {
    only(cluster, 1, &process("verb", "favoured = 2"));
    let first = next("verb:0", &[]);
    cluster.host(3).run(&["ssi", "service", "stop", "verb"]);
    let stopped = in_state(cluster.host(1), "verb", "shutdown");
    let why = stopped["why"].as_str().unwrap_or_default();
    assert!(why.contains("ssi service start verb"), "{why}");
    // Killing its node's ssid doesn't make it forget.
    cluster.kill_daemon(2);
    cluster.wait_for_daemon(2);
    in_state(cluster.host(1), "verb", "shutdown");
    cluster.host(4).run(&["ssi", "service", "start", "verb"]);
    in_state(cluster.host(1), "verb", "ok");
    let second = next("verb:0", std::slice::from_ref(&first));
    cluster.host(1).run(&["ssi", "service", "restart", "verb"]);
    let third = next("verb:0", &[first, second]);
    assert_eq!(third.node, "node2");
    assert_once("verb:0");
}

pub(crate) fn waits(cluster: &Cluster) {
    // Without a test it would be ready before its program has done anything.
    let ready = "ready = { command = [\"/bin/grep\", \"-q\", \"^db:0 \", \
                 \"/srv/ssi-keepalive-witness/seen\"] }";
    let text = process("db", &format!("favoured = 1\n{ready}"))
        + &process("app", "favoured = 2\nafter = [\"db\"]");
    only(cluster, 3, &text);
    let (db, app) = (next("db:0", &[]), next("app:0", &[]));
    assert_eq!((db.node.as_str(), app.node.as_str()), ("node1", "node2"));
    assert!(db.first < app.first, "{db:?} {app:?}");
    cluster
        .host(3)
        .run(&["ssi", "service", "stop", "app", "db"]);
    in_state(cluster.host(3), "db", "shutdown");
    cluster.host(3).run(&["ssi", "service", "start", "app"]);
    until("app waits for db", || {
        shown(cluster.host(3), "app", 0).is_some_and(|app| {
            let why = app["why"].as_str().unwrap_or_default();
            app["state"] == "start" && why.contains("waits for db")
        })
    });
    cluster.host(3).run(&["ssi", "service", "start", "db"]);
    in_state(cluster.host(3), "app", "ok");
}

pub(crate) fn grouped(cluster: &Cluster) {
    let text = process("heart", "")
        + &process("limb", "")
        + "[[group]]\nname = \"body\"\n\
        members = [\"heart\", \"limb\"]\ncritical = [\"heart\"]\nfavoured = 2\nbackup = [4]\n";
    only(cluster, 1, &text);
    in_state(cluster.host(3), "heart", "ok");
    in_state(cluster.host(3), "limb", "ok");
    let (heart, limb) = (next("heart:0", &[]), next("limb:0", &[]));
    let kill = |run: &Run| {
        cluster
            .host(2)
            .run(&["kill", "-KILL", &run.pid.to_string()])
    };

    // One that is not critical comes back by itself.
    kill(&limb);
    next("limb:0", &[limb]);
    in_state(cluster.host(3), "limb", "ok");
    assert_eq!(runs("heart:0").len(), 1, "it was disturbed");

    // With one that is, all begin again, and nobody before the last one has ended.
    kill(&heart);
    let old_limb = runs("limb:0");
    let heart = next("heart:0", &[heart]);
    let limb = next("limb:0", &old_limb);
    let last = runs("limb:0")[old_limb.len() - 1].last;
    assert!(
        last < heart.first && last < limb.first,
        "{:#?}",
        runs("limb:0")
    );
    in_state(cluster.host(3), "limb", "ok");

    // They go together.
    let before = (runs("heart:0"), runs("limb:0"));
    crash(&[2]);
    let (heart, limb) = (next("heart:0", &before.0), next("limb:0", &before.1));
    assert_eq!(
        (heart.node.as_str(), limb.node.as_str()),
        ("node4", "node4")
    );
    boot(&[2]);
    view::settled(&[1, 2, 3, 4]);
    for name in ["heart:0", "limb:0"] {
        assert_once(name);
    }
}

pub(crate) fn adopted(cluster: &Cluster) {
    let path = beat();
    let path = path.display();
    let script = format!(
        "SSI_SERVICE=old SSI_INSTANCE=0 setsid {path} >/dev/null 2>&1 </dev/null & echo $!"
    );
    let pid = cluster.host(2).sh(&script).trim().to_owned();
    let first = next("old:0", &[]);
    let text = process("old", "enabled = false");
    only(cluster, 1, &text);
    cluster
        .host(1)
        .run(&["ssi", "service", "adopt", "old", &pid, "--node", "2"]);
    let old = in_state(cluster.host(3), "old", "ok");
    assert_eq!(
        (&old["node"], old["pid"].to_string()),
        (&2.into(), pid.clone())
    );
    cluster.host(2).sh(&format!("kill -9 {pid}"));
    let second = next("old:0", std::slice::from_ref(&first));
    assert_eq!(second.node, "node2");
    let refused = cluster
        .host(2)
        .output(&["ssi", "service", "adopt", "old", "2"]);
    assert!(!refused.status.success());
    assert_once("old:0");
}

pub(crate) fn spawndaemon(cluster: &Cluster) {
    only(cluster, 1, "");
    let file = put("spawned.toml", &process("spawned", ""));
    let file = file.display().to_string();
    let host = cluster.host(1);
    host.run(&["ssi", "spawndaemon", "-F", "4", "-B", "2", "-r", &file]);
    let run = next("spawned:0", &[]);
    assert_eq!(run.node, "node4");
    let said = host.run(&["ssi", "spawndaemon", "-L", "-v", "machine"]);
    assert!(said.contains(":spawned:ok:4:"), "{said}");
    let wrong = host.output(&["ssi", "spawndaemon", "-U", "-F", "1", "-r", &file]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let path = beat().display().to_string();
    host.run(&["ssi", "spawndaemon", "-k", "-d", &path]);
    until("nothing is kept alive", || list(host).is_empty());
    until("it has ended", || {
        let before = runs("spawned:0");
        std::thread::sleep(std::time::Duration::from_millis(100));
        runs("spawned:0") == before
    });
}

/// What verbs do if more is said.
pub(crate) fn more(cluster: &Cluster) {
    only(cluster, 1, "");
    let host = cluster.host(2);
    let text = process("more", "favoured = \"all\"");
    let file = put("more.toml", &text).display().to_string();
    let service = |words: &[&str]| host.run(&[&["ssi", "service"], words].concat());
    service(&["apply", "--check", &file]);
    assert!(list(host).is_empty(), "it was applied");
    service(&["apply", &file]);
    let running = || {
        let all = list(host);
        let pids = all
            .iter()
            .filter(|i| i["state"] == "ok")
            .filter_map(|i| i["pid"].as_u64());
        pids.collect::<Vec<u64>>()
    };
    until("one on each", || running().len() == 4);
    let before = running();
    service(&["restart", "--at-once", "more"]);
    until("all are others", || {
        let now = running();
        now.len() == 4 && now.iter().zip(&before).all(|(now, before)| now != before)
    });
    // It has run twice on its node, and nowhere else.
    let at = in_state(host, "more", "ok")["node"].to_string();
    let other = if at == "1" { "2" } else { "1" };
    until("it has said two lines", || {
        let said = service(&["logs", "--node", &at, "more"]);
        said.matches("line of more:0 ").count() == 2
    });
    let said = service(&["logs", "--node", other, "more"]);
    assert!(!said.contains("line of"), "{said}");

    // What is removed and kept goes on, and nobody looks after it.
    let here = runs("more:1").pop().expect("it ran");
    service(&["remove", "--keep", "more"]);
    until("nothing is kept alive", || list(host).is_empty());
    let now = || runs("more:1").pop().expect("it ran");
    let seen = now();
    assert_eq!(seen.word, here.word, "another one was started");
    until("it goes on", || now().last > seen.last);
    cluster.everywhere(|host| {
        host.sh("pkill -f 'ssi-keepalive-witness/[b]eat'");
    });
}

/// What of `spawndaemon` changes what runs, each order once.
pub(crate) fn orders(cluster: &Cluster) {
    only(cluster, 1, "");
    let host = cluster.host(1);
    let file = |name: &str, more: &str| {
        let path = put(&format!("{name}.toml"), &process(name, more));
        path.display().to_string()
    };
    let run = |line: &str| {
        let words: Vec<&str> = ["ssi", "spawndaemon"]
            .into_iter()
            .chain(line.split(' '))
            .collect();
        host.run(&words)
    };
    let nodes = |name: &str| nodes_of(host, name);

    // So many on each of some nodes; so many that move between them; anywhere.
    let (each, moves, wide) = (
        file("each", ""),
        file("moves", ""),
        file("wide", "favoured = \"all\""),
    );
    run(&format!("-i 2,3 -n 2 -r {each}"));
    run(&format!("-i 2,3 -Z round_robin -c reject=9 -r {moves}"));
    run(&format!("-i cluster_wide -n 3 -r {wide}"));
    until("each twice on two nodes", || nodes("each") == [2, 2, 3, 3]);
    until("two between two nodes", || {
        let nodes = nodes("moves");
        nodes.len() == 2 && nodes.iter().all(|node| [2, 3].contains(node))
    });
    until("three anywhere", || nodes("wide").len() == 3);
    let shown = run("-L");
    assert!(
        shown.contains("SLOT") && shown.contains("running"),
        "{shown}"
    );

    // Nothing starts while all is quiet.
    run("-q");
    assert!(run("-L -v machine keepalive").starts_with("keepalive:quiesced:"));
    let quiet = file("quiet", "favoured = 1");
    run(&format!("-U -r {quiet}"));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(
        nodes("quiet").is_empty(),
        "it was started while all was quiet"
    );
    host.run(&["ssi", "service", "quiesce", "--undo"]);
    until("it starts", || nodes("quiet").len() == 1);

    // What gave up begins again.
    let fails =
        "[[process]]\nname = \"fails\"\npath = \"/bin/false\"\nerror_limit = 1\nfavoured = 1\n";
    let fails = put("fails.toml", fails).display().to_string();
    run(&format!("-r {fails}"));
    for order in ["-x -D /bin/false", "-X"] {
        in_state(host, "fails", "down");
        let before = events(host, "fails");
        run(order);
        until("it was tried again", || events(host, "fails") > before + 1);
    }
    in_state(host, "fails", "down");
    let slot = list(host).iter().position(|i| i["name"] == "fails");
    run(&format!("-s {}", slot.expect("it is listed")));
    until("it is gone", || {
        list(host).iter().all(|i| i["name"] != "fails")
    });

    // Kept alive no longer, and left alone.
    let quiet = in_state(host, "quiet", "ok");
    let at = u8::try_from(quiet["node"].as_u64().expect("a node")).expect("a node");
    let pid = quiet["pid"].as_u64().expect("it runs");
    cluster
        .host(at)
        .run(&["ssi", "spawndaemon", "-p", &pid.to_string()]);
    until("it is gone", || {
        list(host).iter().all(|i| i["name"] != "quiet")
    });
    cluster.host(at).run(&["kill", &pid.to_string()]);

    // One that runs already.
    let path = beat();
    let script = format!(
        "SSI_SERVICE=taken SSI_INSTANCE=0 setsid {} >/dev/null 2>&1 </dev/null & echo $!",
        path.display()
    );
    let pid = host.sh(&script).trim().to_owned();
    let taken = file("taken", "");
    run(&format!("-F 1 -R {taken} {pid}"));
    assert_eq!(in_state(host, "taken", "ok")["pid"].to_string(), pid);

    assert!(run("-z 99").contains("no table"));
    run("-k -Q");
    until("nothing is kept alive", || list(host).is_empty());
    for name in ["each:0", "moves:0", "wide:0", "taken:0"] {
        assert_once(name);
    }
}

/// How many changes of state are remembered.
fn events(host: Host, name: &str) -> usize {
    host.run(&["ssi", "service", "events", name])
        .lines()
        .count()
}

pub(crate) fn large(cluster: &Cluster) {
    let text: String = (0..1500)
        .map(|n| process(&format!("many{n}"), "enabled = false"))
        .collect();
    only(cluster, 3, &text);
    let said = cluster.host(2).run(&["ssi", "service", "show", "--text"]);
    assert!(said.len() > 256 << 10, "{} bytes", said.len());
    assert!(said.contains("name = \"many1499\""));
    only(cluster, 1, "");
    until("nothing is kept alive", || list(cluster.host(2)).is_empty());
}
