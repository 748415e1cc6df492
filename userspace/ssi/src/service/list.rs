//! `ssi service list`.

use std::time::Duration;

use clap::Args;
use ssi_api::service::{InstanceView, ServicesView};

use super::{fetch, instance, silent};
use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::units::duration;
use crate::watch::{self, Frame};

/// What is kept alive: where it runs, since when, errors, and why it is as it is
///
/// States: start (being started, or waits for what must be ready first), ok, dead (failed; the
/// rest of it is being killed), respawn (failed, is being started again), down (failed too
/// often), shutdown (somebody wanted it so), daemonize (going into the background), nowhere (no
/// node can take it), unknown (its node doesn't say, or it is about to be given to one).
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("failed, or a node did not answer", "\
  ssi service list
  ssi service list web shop        processes, or groups
  ssi service list -w              again and again
  ssi -o wide service list         programs and arguments, too"))]
pub(super) struct Options {
    /// Processes or groups; none: all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Watch: again and again; Ctrl-C ends it
    #[arg(short, long)]
    watch: bool,
}

pub(super) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    if options.watch {
        let redraw = output::to_terminal() && common.output != Format::Json;
        return watch::watch(Duration::from_secs(1), redraw, || {
            let view = fetch(&mut common.connect()?, &options.names)?;
            Ok(Frame(match common.output {
                Format::Json => output::json_line(&[("services", &view.instances)]),
                _ => text(&view, common.output == Format::Wide),
            }))
        });
    }
    let view = fetch(&mut common.connect()?, &options.names)?;
    let page = match common.output {
        Format::Json => output::json(&[
            ("here", &view.here),
            ("services", &view.instances),
            ("drained", &view.drained),
            ("quiesced", &view.quiesced),
            ("missing", &view.missing),
        ]),
        _ => text(&view, common.output == Format::Wide),
    };
    output::print(&page)?;
    silent(&view.missing);
    if view.missing.is_empty() {
        Ok(())
    } else {
        Err(Fail::No)
    }
}

fn text(view: &ServicesView, wide: bool) -> String {
    let mut text = String::new();
    if view.quiesced {
        text.push_str("! nothing is started until `ssi service quiesce --undo`\n");
    }
    if !view.drained.is_empty() {
        let nodes: Vec<String> = view.drained.iter().map(u16::to_string).collect();
        let nodes = nodes.join(", ");
        text.push_str(&format!(
            "! drained: {nodes}; `ssi drain --undo NODE` lets a node run things again\n"
        ));
    }
    if view.instances.is_empty() {
        text.push_str("nothing is kept alive; `ssi service apply FILE` changes that\n");
        return text;
    }
    let rows = view.instances.iter();
    text.push_str(&if wide {
        output::table(
            [
                "NAME", "GROUP", "STATE", "NODE", "PID", "SINCE", "ERRORS", "LAST", "PROGRAM",
                "WHY",
            ],
            rows.map(wide_row).collect(),
        )
    } else {
        output::table(
            ["NAME", "STATE", "NODE", "PID", "SINCE", "ERRORS", "WHY"],
            rows.map(row).collect(),
        )
    });
    text
}

fn row(i: &InstanceView) -> [String; 7] {
    [
        instance::name(i),
        i.state.clone(),
        or_dash(i.node),
        or_dash(i.pid),
        i.since.map_or_else(dash, |since| duration(since / 1000)),
        i.errors.to_string(),
        i.why.clone(),
    ]
}

fn wide_row(i: &InstanceView) -> [String; 10] {
    let [name, state, node, pid, since, errors, why] = row(i);
    let group = i.group.clone().unwrap_or_else(dash);
    let last = i.last.clone().unwrap_or_else(dash);
    let program = [std::slice::from_ref(&i.path), &i.args].concat().join(" ");
    [
        name, group, state, node, pid, since, errors, last, program, why,
    ]
}

fn dash() -> String {
    "-".to_owned()
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(dash, |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_an_instance() {
        let web = InstanceView {
            name: "web".to_owned(),
            state: "ok".to_owned(),
            node: Some(2),
            pid: Some(1234),
            since: Some(61_000),
            errors: 1,
            why: "it runs".to_owned(),
            ..InstanceView::default()
        };
        let next = InstanceView {
            instance: 1,
            state: "nowhere".to_owned(),
            node: None,
            pid: None,
            since: None,
            errors: 0,
            why: "no node".to_owned(),
            ..web.clone()
        };
        let view = ServicesView {
            instances: vec![web, next],
            drained: vec![3],
            ..ServicesView::default()
        };
        assert_eq!(
            text(&view, false),
            "\
! drained: 3; `ssi drain --undo NODE` lets a node run things again
 NAME   STATE    NODE  PID   SINCE      ERRORS  WHY
 web    ok       2     1234  1 min 1 s  1       it runs
 web:1  nowhere  -     -     -          0       no node
"
        );
    }
}
