//! An order as a command line that reads back as the same order.

use super::super::Selection;
use super::{Form, Order, Part, Registration, Scope, Which};

impl Order {
    /// The command line, without the program's name.
    #[must_use]
    pub fn to_args(&self) -> Vec<String> {
        let mut args = Vec::new();
        match self {
            Self::Register { file, options } => {
                options.put(&mut args);
                put(&mut args, "-r", file.display());
            }
            Self::Adopt { file, pid, options } => {
                options.put(&mut args);
                put(&mut args, "-R", file.display());
                args.push(pid.to_string());
            }
            Self::Clear { which, kill } => {
                flag(&mut args, *kill, "-k");
                args.push("-x".to_owned());
                which.put(&mut args, ["-D", "-P", "-g", "-S"]);
            }
            Self::Remove { which, kill } => {
                flag(&mut args, *kill, "-k");
                which.put(&mut args, ["-d", "-p", "-g", "-s"]);
            }
            Self::Quiesce => args.push("-q".to_owned()),
            Self::Quit { kill } => {
                flag(&mut args, *kill, "-k");
                args.push("-Q".to_owned());
            }
            Self::List { form, part } => {
                let form = match form {
                    Form::Human => "human",
                    Form::Machine => "machine",
                };
                args.push("-L".to_owned());
                put(&mut args, "-v", form);
                flag(&mut args, *part == Some(Part::Processes), "processes");
                flag(&mut args, *part == Some(Part::Keepalive), "keepalive");
            }
            Self::ClearAll => args.push("-X".to_owned()),
            Self::Size(size) => put(&mut args, "-z", size),
        }
        args
    }
}

impl Which {
    fn put(&self, args: &mut Vec<String>, [by_path, by_pid, by_group, by_slot]: [&str; 4]) {
        match self {
            Self::Path { path, args: theirs } => {
                flag(args, theirs.is_some(), "-a");
                put(args, by_path, path.display());
                args.extend(theirs.iter().flatten().cloned());
            }
            Self::Pid(pid) => put(args, by_pid, pid),
            Self::Group(name) => put(args, by_group, name),
            Self::Slot(slot) => put(args, by_slot, slot),
        }
    }
}

impl Registration {
    fn put(&self, args: &mut Vec<String>) {
        match &self.scope {
            Some(Scope::ClusterWide) => put(args, "-i", "cluster_wide"),
            Some(Scope::Nodes(nodes)) => {
                let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
                put(args, "-i", nodes.join(","));
            }
            None => {}
        }
        if let Some(times) = self.times {
            put(args, "-n", times);
        }
        if let Some(node) = self.favoured {
            put(args, "-F", node);
        }
        for node in &self.backups {
            put(args, "-B", node);
        }
        if let Some(selection) = self.selection {
            let name = match selection {
                Selection::FNode => "F_node",
                Selection::LastNode => "last_node",
                Selection::RoundRobin => "round_robin",
                Selection::LeastLoaded => "least_loaded",
            };
            put(args, "-Z", name);
        }
        flag(args, self.floating, "-U");
        flag(args, self.o, "-o");
        flag(args, self.match_args, "-a");
        for code in &self.down {
            put(args, "-c", format!("down={code}"));
        }
        for code in &self.reject {
            put(args, "-c", format!("reject={code}"));
        }
    }
}

fn put(args: &mut Vec<String>, option: &str, value: impl ToString) {
    args.push(option.to_owned());
    args.push(value.to_string());
}

fn flag(args: &mut Vec<String>, given: bool, option: &str) {
    if given {
        args.push(option.to_owned());
    }
}
