use std::io::{self, IsTerminal};
use std::time::Duration;

use clap::Args;
use ssi_api::cluster::{ClusterRequest, ClusterView, Token};
use ssi_api::control::{Reply, Request};

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node;
use crate::output::{self, Format};
use crate::units::{Clock, parse_duration};

/// Make a token for other nodes to join with
///
/// The token is all that standard output gets; until when it is valid, and what to type at
/// the other node, is said on standard error. Who has the token can join this cluster and
/// no other: treat it like a password.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi token
  ssi token --valid 15min
  ssi token | ssh blue2 ssi join 10.77.0.1 -"))]
pub(crate) struct Options {
    /// For how long: 90s, 15min, 1h, 2d
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_duration)]
    valid: Duration,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let request = Request::Cluster(ClusterRequest::Token {
        valid: options.valid.as_secs(),
    });
    let token = match client.request(request)? {
        Reply::Token(token) => token,
        other => return Err(client.unexpected(&other).into()),
    };
    if common.output == Format::Json {
        return Ok(output::print(&output::json(&[("token", &token)]))?);
    }
    output::print(&format!("{}\n", output::plain(&token.token)))?;
    let view = cluster::show(&mut client)?;
    let visible = io::stderr().is_terminal();
    eprintln!("{}", advice(&token, &view, &Clock::system(), visible));
    Ok(())
}

/// Until when the token is valid, and what to do with it. Where standard error is no
/// terminal it may end in a log, and the token is not repeated.
fn advice(token: &Token, view: &ClusterView, clock: &Clock, visible: bool) -> String {
    let host = node::this(view)
        .and_then(|this| this.addresses.first())
        .map_or_else(|| "HOST".to_owned(), ToString::to_string);
    format!(
        "valid until {} ({}); on the other node type: ssi join {host} {}",
        clock.date(token.expires),
        clock.until(token.expires),
        if visible { &token.token } else { "TOKEN" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{NOW, view};

    #[test]
    fn what_to_type_at_the_other_node() {
        let token = Token {
            token: "ssi1-abc".to_owned(),
            expires: NOW + 3_600,
        };
        let advice = |visible| advice(&token, &view(), &Clock::utc(NOW), visible);
        assert_eq!(
            advice(true),
            "valid until 2001-09-09 04:46:40 (1 h 0 min); on the other node type: \
             ssi join 10.77.0.2 ssi1-abc"
        );
        assert!(advice(false).ends_with("ssi join 10.77.0.2 TOKEN"));
    }
}
