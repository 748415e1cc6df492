use std::process::Command;

use clap::Args;
use ssi_api::control::{ClientError, Feature, Reply, Request, Support};

use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::program;

/// What this kernel offers: feature, working mode, what is missing, why it matters
///
/// Works without ssid too (as root).
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi doctor
  ssi doctor -o json | jq '.features[] | select(.support == \"missing\")'"))]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options, common: &Common) -> Result<(), Fail> {
    let features = match common.connect() {
        Ok(mut client) => match client.request(Request::Doctor)? {
            Reply::Features(features) => features,
            other => return Err(client.unexpected(&other).into()),
        },
        Err(unreachable) => without_daemon(&unreachable)?,
    };
    let text = match common.output {
        Format::Json => output::json(&[("features", &features)]),
        Format::Table | Format::Wide => text(&features, output::colour()),
    };
    Ok(output::print(&text)?)
}

/// The daemon's program can look at the kernel without becoming the daemon.
fn without_daemon(unreachable: &ClientError) -> Result<Vec<Feature>, Fail> {
    let program = program::beside("ssid");
    let fail = |why: String| {
        Fail::Failed(format!(
            "{unreachable}; nor can the kernel be examined without it: {why}"
        ))
    };
    let output = Command::new(&program)
        .arg("--doctor")
        .output()
        .map_err(|e| fail(format!("cannot run {}: {e}", program.display())))?;
    if !output.status.success() {
        return Err(fail(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    eprintln!("ssi doctor: ssid is not running; this is what it would find");
    serde_json::from_slice(&output.stdout)
        .map_err(|e| fail(format!("{} said something else: {e}", program.display())))
}

fn text(features: &[Feature], colour: bool) -> String {
    let rows = features
        .iter()
        .map(|feature| {
            [
                feature.name.clone(),
                mark(feature.support).to_owned(),
                feature.mode.clone(),
                feature.missing.clone(),
                feature.matters.clone(),
            ]
        })
        .collect();
    let table = output::table(["FEATURE", "", "MODE", "MISSING", "WHY IT MATTERS"], rows);
    if !colour {
        return table;
    }
    let mut text = String::new();
    let mut lines = table.lines();
    text.extend(lines.next().map(|header| format!("{header}\n")));
    for (line, feature) in lines.zip(features) {
        let colour = match feature.support {
            Support::Full => "32",
            Support::Fallback => "33",
            Support::Missing => "31",
        };
        text.push_str(&line.replacen(
            mark(feature.support),
            &format!("\x1b[{colour}m{}\x1b[0m", mark(feature.support)),
            1,
        ));
        text.push('\n');
    }
    text
}

const fn mark(support: Support) -> &'static str {
    match support {
        Support::Full => "ok",
        Support::Fallback => "fallback",
        Support::Missing => "missing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_feature() {
        let features = [
            Feature {
                name: "BTF".to_owned(),
                support: Support::Missing,
                mode: "none".to_owned(),
                missing: "CONFIG_DEBUG_INFO_BTF".to_owned(),
                matters: "no tracing".to_owned(),
            },
            Feature {
                name: "XDP on eth0".to_owned(),
                support: Support::Full,
                mode: "native".to_owned(),
                missing: String::new(),
                matters: String::new(),
            },
        ];
        assert_eq!(
            text(&features, false),
            " FEATURE               MODE    MISSING                WHY IT MATTERS
 BTF          missing  none    CONFIG_DEBUG_INFO_BTF  no tracing
 XDP on eth0  ok       native
"
        );
        assert!(text(&features, true).contains("\x1b[32mok\x1b[0m"));
    }
}
