use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use ssi_api::cluster::{ClusterRequest, ClusterView};

use crate::args::Common;
use crate::ask::Consent;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::patience::patiently;
use crate::program;

/// Run a witness for a cluster of two: a vote, but no node
///
/// Two nodes that lose each other can't tell which of them shall go on. A witness on a
/// third machine, however small, has a vote and the log of the view, and decides it. It
/// runs in the foreground until it is stopped.
///
/// With --drop, said on a node of the cluster, the witness has no vote any more.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi witness 10.77.0.1 ssi1-…                on a third machine, with a token of ssi token
  ssi witness 10.77.0.1 - --listen 10.9.9.9:7118 --state /var/lib/ssi-witness <token
  ssi witness --drop                          on a node: it doesn't vote any more"))]
pub(crate) struct Options {
    /// Name or address of a node, with :PORT if it isn't the usual one
    #[arg(required_unless_present = "drop")]
    host: Option<String>,
    /// What ssi token printed there; - reads it from standard input
    #[arg(required_unless_present = "drop")]
    token: Option<String>,
    /// Where to listen for the nodes [default: port 7118 of every address]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where to keep the log of the view [default: as ssid has it]
    #[arg(long, value_name = "DIRECTORY")]
    state: Option<PathBuf>,
    /// The cluster's witness does not vote any more
    #[arg(long, conflicts_with_all = ["host", "token", "listen", "state"])]
    drop: bool,
    #[command(flatten)]
    consent: Consent,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    if options.drop {
        return drop_witness(options.consent, common);
    }
    let ssid = program::beside("ssid");
    let failed = Command::new(&ssid).args(arguments(options)).exec();
    Err(Fail::Failed(format!(
        "cannot run {}: {failed}; the witness is a part of ssid, is that installed?",
        ssid.display()
    )))
}

/// What `ssid` is called with.
fn arguments(options: &Options) -> Vec<OsString> {
    let mut arguments = vec!["--witness".into()];
    arguments.extend(options.host.iter().map(OsString::from));
    arguments.extend(options.token.iter().map(OsString::from));
    if let Some(listen) = &options.listen {
        arguments.extend(["--listen".into(), listen.to_string().into()]);
    }
    if let Some(state) = &options.state {
        arguments.extend(["--state".into(), state.into()]);
    }
    arguments
}

fn drop_witness(consent: Consent, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    consent.ask(&what(&cluster::show(&mut client)?)?)?;
    patiently("ssi witness: still waiting for the master", common, || {
        cluster::done(&mut client, ClusterRequest::DropWitness)
    })
}

fn what(view: &ClusterView) -> Result<String, Fail> {
    let witness = view
        .witness
        .as_ref()
        .ok_or_else(|| Fail::Failed(format!("cluster {} has no witness", view.name)))?;
    let alone = if view.voters.len() < 3 {
        "; two nodes that lose each other then wait until one of them is surely off \
         (ssi fenced)"
    } else {
        ""
    };
    Ok(format!(
        "the witness at {} does not vote any more in cluster {}{alone}",
        witness.address, view.name
    ))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::alias::words;
    use crate::args::Args;
    use crate::cluster::testing::view;
    use crate::command::Cmd;

    fn given(line: &str) -> Result<Vec<OsString>, clap::Error> {
        match Args::try_parse_from(words(line))?.command {
            Some(Cmd::Witness(options)) => Ok(arguments(&options)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ssid_gets_the_same_arguments() {
        assert_eq!(
            given("ssi witness blue1 t --state /var/w --listen [::]:7118").unwrap(),
            words("--witness blue1 t --listen [::]:7118 --state /var/w")
        );
        assert_eq!(
            given("ssi witness blue1 -").unwrap(),
            words("--witness blue1 -")
        );
        assert!(given("ssi witness blue1").is_err());
        assert!(given("ssi witness --drop blue1 t").is_err());
        assert!(given("ssi witness --drop --yes").is_ok());
    }

    #[test]
    fn what_dropping_it_means() {
        let mut view = view();
        let said = what(&view).unwrap();
        assert!(said.starts_with("the witness at 10.9.9.9:7118 does not vote any more"));
        assert!(said.ends_with("(ssi fenced)"), "{said}");
        view.voters.push(3);
        assert!(!what(&view).unwrap().contains("fenced"));
        view.witness = None;
        assert!(what(&view).is_err());
    }
}
