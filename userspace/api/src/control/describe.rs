use serde::{Deserialize, Serialize};

/// One request, for `describe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// What it does.
    pub about: String,
    /// A whole line that asks for it.
    pub example: String,
}

/// Every request, with an example line that the daemon understands.
#[must_use]
pub fn describe() -> Vec<Described> {
    [
        ("this list", r#"{"request":"describe"}"#),
        (
            "the node: version, interfaces, virtual addresses, counters",
            r#"{"id":1,"request":"status"}"#,
        ),
        (
            "what this kernel offers, and what that means",
            r#"{"id":2,"request":"doctor"}"#,
        ),
        (
            "change virtual services and real servers: all commands or none",
            r#"{"id":3,"request":{"lvs":{"apply":{"commands":[{"command":"add-service","service":{"address":{"protocol":"tcp","addr":"192.0.2.1","port":80}},"spec":{"scheduler":"rr"}},{"command":"add-server","service":{"address":{"protocol":"tcp","addr":"192.0.2.1","port":80}},"server":{"addr":"192.0.2.10","port":80},"spec":{"method":"route","weight":1}}]}}}}"#,
        ),
        (
            "virtual services with their real servers; one with \"service\"",
            r#"{"id":4,"request":{"lvs":{"list":{}}}}"#,
        ),
        (
            "the connection tables, at most \"limit\" entries",
            r#"{"id":5,"request":{"lvs":{"connections":{"limit":1000}}}}"#,
        ),
        (
            "packets dropped and passed by reason",
            r#"{"id":6,"request":{"lvs":"counters"}}"#,
        ),
        (
            "connection timeouts in seconds",
            r#"{"id":7,"request":{"lvs":"timeouts"}}"#,
        ),
        (
            "the view of the cluster, and how this node stands in it",
            r#"{"id":8,"request":{"cluster":"show"}}"#,
        ),
        (
            "the last transitions of nodes",
            r#"{"id":9,"request":{"cluster":"history"}}"#,
        ),
        (
            "found a cluster of this node alone",
            r#"{"id":10,"request":{"cluster":{"init":{"name":"blue"}}}}"#,
        ),
        (
            "a token to join with, valid for so many seconds",
            r#"{"id":11,"request":{"cluster":{"token":{"valid":3600}}}}"#,
        ),
        (
            "join a cluster by way of one of its nodes",
            r#"{"id":12,"request":{"cluster":{"join":{"host":"192.0.2.1","token":"ssi1-…"}}}}"#,
        ),
        (
            "leave the cluster; \"rejoin\" comes back",
            r#"{"id":13,"request":{"cluster":"leave"}}"#,
        ),
        (
            "put a node out; likewise \"forget\" (one that is down) and \"fenced\" (one that is surely off)",
            r#"{"id":14,"request":{"cluster":{"evict":{"number":3}}}}"#,
        ),
        (
            "peers and lanes of internode communication",
            r#"{"id":15,"request":{"ics":"show"}}"#,
        ),
        (
            "how long a node takes to answer",
            r#"{"id":16,"request":{"ics":{"ping":{"node":2}}}}"#,
        ),
        (
            "the processes of all nodes, or of \"nodes\"; with \"args\", their arguments too",
            r#"{"id":17,"request":{"process":{"list":{"args":true,"nodes":[1,2]}}}}"#,
        ),
        (
            "how busy all nodes are, or \"nodes\", without their processes",
            r#"{"id":18,"request":{"process":{"loads":{}}}}"#,
        ),
        (
            "the pids of all nodes, or of \"nodes\", and nothing else of their processes",
            r#"{"id":19,"request":{"process":{"pids":{}}}}"#,
        ),
        (
            "what /proc says of a process: attributes, a file, a link, its descriptors",
            r#"{"id":20,"request":{"process":{"look":{"node":2,"pid":1234,"what":{"file":"status"}}}}}"#,
        ),
        (
            "send a signal: to processes, and to process groups, whose numbers are below 0; with \"sessions\" to all of sessions",
            r#"{"id":21,"request":{"process":{"signal":{"signal":15,"targets":[{"node":2,"pid":1234}]}}}}"#,
        ),
        (
            "change the niceness of processes; \"relative\": by so much",
            r#"{"id":22,"request":{"process":{"nice":{"nice":5,"targets":[{"node":2,"pid":1234}]}}}}"#,
        ),
        (
            "keep these processes alive; with \"check\" only look whether it makes sense",
            r#"{"id":23,"request":{"service":{"apply":{"files":[{"name":"web.toml","text":"[[process]]\nname = \"web\"\npath = \"/usr/sbin/nginx\"\n"}]}}}}"#,
        ),
        (
            "how supervised processes are, on all nodes; \"names\": which",
            r#"{"id":24,"request":{"service":{"list":{"names":["web"]}}}}"#,
        ),
        (
            "what the configuration says, as a file",
            r#"{"id":25,"request":{"service":{"text":{"names":["web"]}}}}"#,
        ),
        (
            "stop supervised processes; likewise \"start\", \"restart\", \"clear\" (errors) and \"remove\"",
            r#"{"id":26,"request":{"service":{"stop":{"names":["web"]}}}}"#,
        ),
        (
            "keep a running process alive from now on",
            r#"{"id":27,"request":{"service":{"adopt":{"name":"web","node":2,"pid":1234}}}}"#,
        ),
        (
            "what an instance has written",
            r#"{"id":28,"request":{"service":{"logs":{"name":"web","lines":10}}}}"#,
        ),
        (
            "the last changes of state of supervised processes",
            r#"{"id":29,"request":{"service":{"events":{}}}}"#,
        ),
        (
            "have a node run nothing; \"undo\" lets it again",
            r#"{"id":30,"request":{"service":{"drain":{"node":3}}}}"#,
        ),
        (
            "start nothing until further notice; \"undo\" goes on",
            r#"{"id":31,"request":{"service":{"quiesce":{}}}}"#,
        ),
        (
            "stat, statm, status and cmdline of all processes of a node with numbers above \"after\"",
            r#"{"id":32,"request":{"process":{"sweep":{"node":2,"after":0}}}}"#,
        ),
        (
            "how many connections of clients all nodes forward, or \"nodes\"",
            r#"{"id":33,"request":{"process":{"forwarded":{}}}}"#,
        ),
        (
            "how long tasks wait for processors on all nodes that measure it, or on \"nodes\"",
            r#"{"id":34,"request":{"process":{"waits":{}}}}"#,
        ),
    ]
    .map(|(about, example)| Described {
        about: about.to_owned(),
        example: example.to_owned(),
    })
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Call;

    #[test]
    fn every_example_is_a_request() {
        for Described { example, .. } in describe() {
            serde_json::from_str::<Call>(&example).unwrap_or_else(|e| panic!("{example}: {e}"));
        }
    }
}
