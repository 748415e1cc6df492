//! `ssi service show`.

use clap::Args;
use ssi_api::control::Reply;
use ssi_api::service::{InstanceView, ServiceRequest, ServiceText};

use super::{ask, fetch, instance, silent};
use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::units::duration;

/// Everything about processes: how they are, and their configuration
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi service show web
  ssi service show --text > all.toml     the configuration alone, of everything"))]
pub(super) struct Options {
    /// Processes or groups; none: all
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Only the configuration, as a file that can be applied
    #[arg(long)]
    text: bool,
}

pub(super) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let names = options.names.clone();
    let said = match ask(&mut client, ServiceRequest::Text { names })? {
        Reply::ServiceText(said) => said,
        other => return Err(client.unexpected(&other).into()),
    };
    if options.text {
        return Ok(output::print(&match common.output {
            Format::Json => output::json(&[("text", &said.text)]),
            _ => said.text,
        })?);
    }
    let view = fetch(&mut client, &options.names)?;
    let page = match common.output {
        Format::Json => output::json(&[("services", &view.instances), ("text", &said.text)]),
        _ => page(&view.instances, &said),
    };
    output::print(&page)?;
    silent(&view.missing);
    Ok(())
}

fn page(instances: &[InstanceView], said: &ServiceText) -> String {
    let mut text = String::new();
    for i in instances {
        let node = i
            .node
            .map_or_else(|| "-".to_owned(), |node| node.to_string());
        let pid = i.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let since = i.since.map(|since| duration(since / 1000));
        let mut line = |key: &str, value: &str| {
            text.push_str(&format!("{key:<7} {}\n", output::plain(value)));
        };
        line("name", &instance::name(i));
        line("state", &i.state);
        line("node", &node);
        line("pid", &pid);
        line("since", since.as_deref().unwrap_or("-"));
        line("errors", &i.errors.to_string());
        line("last", i.last.as_deref().unwrap_or("-"));
        line("why", &i.why);
        text.push('\n');
    }
    text.push_str(&said.text);
    text
}
