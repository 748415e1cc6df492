//! Branches as lines of text.

use std::rc::Rc;

use super::label::Picture;

/// What lines are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyphs {
    only: &'static str,
    first: &'static str,
    middle: &'static str,
    last: &'static str,
    past: &'static str,
}

const UNICODE: Glyphs = Glyphs {
    only: "───",
    first: "─┬─",
    middle: " ├─",
    last: " └─",
    past: " │ ",
};

const ASCII: Glyphs = Glyphs {
    only: "---",
    first: "-+-",
    middle: " |-",
    last: " `-",
    past: " | ",
};

impl Glyphs {
    /// As the locale says (locale(7): the first of these that is set), unless it was said.
    pub(super) fn choose(ascii: bool, unicode: bool) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let locale = locale.unwrap_or_default().to_ascii_uppercase();
        let speaks = locale.contains("UTF-8") || locale.contains("UTF8");
        match unicode || speaks && !ascii {
            true => UNICODE,
            false => ASCII,
        }
    }
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawing {
    pub(super) glyphs: Glyphs,
    /// Each has a line of its own.
    pub(super) lines: bool,
    /// Where lines are cut.
    pub(super) width: Option<usize>,
}

/// A branch that is still to be drawn. They are on a stack of ours: chains of processes may be
/// longer than the thread's would bear.
struct Todo {
    branch: usize,
    times: usize,
    /// What its line begins with; none: it goes on with the line of its parent.
    line: Option<Rc<str>>,
    /// What joins it to its parent.
    joint: &'static str,
    /// What the lines of its descendants begin with.
    below: Rc<str>,
    /// Brackets that end with its last line.
    brackets: usize,
}

impl Drawing {
    /// The text.
    pub(super) fn draw(&self, picture: &Picture) -> String {
        let mut text = String::new();
        let mut line = String::new();
        let mut todo = vec![Todo {
            branch: picture.branches.len() - 1,
            times: 1,
            line: None,
            joint: "",
            below: "".into(),
            brackets: 0,
        }];
        while let Some(it) = todo.pop() {
            if let Some(start) = &it.line {
                self.end(&mut line, &mut text);
                line.push_str(start);
            }
            line.push_str(it.joint);
            let branch = &picture.branches[it.branch];
            let (label, brackets) = match it.times {
                1 => (branch.label.clone(), it.brackets),
                times => (format!("{times}*[{}", branch.label), it.brackets + 1),
            };
            line.push_str(&label);
            if branch.children.is_empty() {
                line.extend(std::iter::repeat_n(']', brackets));
            }
            let indent = match self.lines {
                true => 1,
                false => label.chars().count(),
            };
            let base: Rc<str> = format!("{}{:indent$}", it.below, "").into();
            let count = branch.children.len();
            for (at, (child, times)) in branch.children.iter().enumerate().rev() {
                let last = at + 1 == count;
                let (joint, inline) = match (at, last) {
                    (0, true) if !self.lines => (self.glyphs.only, true),
                    (0, false) if !self.lines => (self.glyphs.first, true),
                    (_, true) => (self.glyphs.last, false),
                    (_, false) => (self.glyphs.middle, false),
                };
                let past = if last { "   " } else { self.glyphs.past };
                todo.push(Todo {
                    branch: *child,
                    times: *times,
                    line: (!inline).then(|| base.clone()),
                    joint,
                    below: format!("{base}{past}").into(),
                    brackets,
                });
            }
        }
        self.end(&mut line, &mut text);
        text
    }

    fn end(&self, line: &mut String, text: &mut String) {
        let width = self.width.unwrap_or(usize::MAX);
        text.extend(line.chars().take(width));
        text.push('\n');
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::process::{ClusterProcesses, NodeProcesses, ProcessView, ProcessesView};

    use super::super::Whom;
    use super::super::forest::Forest;
    use super::super::label::{Style, label};
    use super::*;

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
        let node = |number, processes| NodeProcesses {
            number,
            name: format!("blue{number}"),
            said: ProcessesView {
                source: String::new(),
                at: 0,
                booted: 0,
                memory: 0,
                load: None,
                processes,
            },
        };
        ClusterProcesses {
            here: 1,
            nodes: vec![
                node(1, vec![process(1, 0, 0, "init")]),
                node(
                    2,
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
}
