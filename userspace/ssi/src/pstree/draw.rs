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
mod tests;
