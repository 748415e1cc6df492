use ssi_api::process::{ClusterProcesses, ProcessView};

use super::super::Whom;
use super::super::forest::Forest;
use super::super::label::{Style, label};
use super::*;
use crate::process::testing::node;

fn all() -> ClusterProcesses {
    let process = |pid, ppid, uid, comm: &str| ProcessView {
        pid,
        ppid,
        uid,
        start: u64::from(pid),
        comm: comm.to_owned(),
        args: vec![comm.to_owned(), format!("-{pid}")],
        ..ProcessView::default()
    };
    ClusterProcesses {
        here: 1,
        nodes: vec![
            node(1, 0, vec![process(1, 0, 0, "init")]),
            node(
                2,
                0,
                vec![
                    process(1, 0, 0, "init"),
                    process(2, 1, 0, "sshd"),
                    process(3, 2, 7, "bash"),
                    process(4, 3, 7, "vi"),
                    process(5, 2, 7, "bash"),
                    process(6, 5, 7, "vi"),
                    process(7, 1, 0, "cron"),
                ],
            ),
        ],
        ..ClusterProcesses::default()
    }
}

const PLAIN: Style = Style {
    pids: false,
    users: false,
    args: false,
    by_number: false,
    compact: true,
};

fn drawn(whom: &Whom, style: Style, width: Option<usize>) -> String {
    let all = all();
    let drawing = Drawing {
        glyphs: UNICODE,
        lines: style.args,
        width,
    };
    drawing.draw(&label(&Forest::grow(&all, whom, false), "blue", style))
}

#[test]
fn as_pstree_draws() {
    assert_eq!(
        drawn(&Whom::All, PLAIN, None),
        "\
blue─┬─1 blue1───init
     └─2 blue2───init─┬─cron
                      └─sshd───2*[bash───vi]
"
    );
    let ascii = Drawing {
        glyphs: ASCII,
        lines: false,
        width: Some(20),
    };
    let all = all();
    assert_eq!(
        ascii.draw(&label(
            &Forest::grow(&all, &Whom::User(7), false),
            "blue",
            PLAIN
        )),
        "blue---2 blue2---2*[\n"
    );
    let users = Style {
        users: true,
        pids: true,
        compact: false,
        ..PLAIN
    };
    let user = crate::process::user::name(7);
    assert_eq!(
        drawn(
            &Whom::Process("2/2".parse().expect("a process")),
            users,
            None
        ),
        format!(
            "blue───2 blue2───sshd(2/2)─┬─bash(2/3,{user})───vi(2/4)\n\
             {:27}└─bash(2/5,{user})───vi(2/6)\n",
            ""
        )
    );
}

#[test]
fn with_arguments_each_has_a_line() {
    let style = Style {
        args: true,
        compact: false,
        by_number: true,
        ..PLAIN
    };
    assert_eq!(
        drawn(&Whom::All, style, None),
        "\
blue
  ├─1 blue1
  │   └─init -1
  └─2 blue2
      └─init -1
          ├─sshd -2
          │   ├─bash -3
          │   │   └─vi -4
          │   └─bash -5
          │       └─vi -6
          └─cron -7
"
    );
}

#[test]
fn a_long_chain_and_a_circle_are_borne() {
    let mut all = all();
    all.nodes.truncate(1);
    let chain = |pid: u32| ProcessView {
        pid,
        ppid: pid - 1,
        start: u64::from(pid),
        comm: "x".to_owned(),
        ..ProcessView::default()
    };
    all.nodes[0].said.processes = (1..3_000).map(chain).collect();
    all.nodes[0].said.processes[0].ppid = 2;
    let drawing = Drawing {
        glyphs: ASCII,
        lines: false,
        width: None,
    };
    let text = drawing.draw(&label(
        &Forest::grow(&all, &Whom::All, false),
        "blue",
        PLAIN,
    ));
    assert_eq!(text.matches('x').count(), 2_999);
    assert_eq!(text.lines().count(), 1);
}
