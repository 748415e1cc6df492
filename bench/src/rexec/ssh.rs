//! OpenSSH, as quick as it can be: a connection that stays, no login messages, no PAM.

use std::process::Command;

use anyhow::Result;
use ssi_testbed::plan::{Machine, Net};

use super::{FAR, NEAR};
use crate::testbed::testbed;

/// Where its files are, on either node: /run is each node's own.
const FOLDER: &str = "/run/bench-ssh";
const PORT: u16 = 2222;

/// Starts sshd there, and connects from here. On that node root has the quickest shell, and
/// none of the files that it would read first.
pub(super) fn serve() -> Result<()> {
    let key = format!(
        "mkdir -p {FOLDER}; chmod 700 {FOLDER}; ssh-keygen -q -t ed25519 -N '' -f {FOLDER}/key; cat {FOLDER}/key.pub"
    );
    let key = testbed(&["exec", NEAR, "sh", "-ec", &key], "")?;
    let address = address();
    let serve = format!(
        "mkdir -p {FOLDER} /run/sshd; chmod 700 {FOLDER}; cat >{FOLDER}/keys
         ssh-keygen -q -t ed25519 -N '' -f {FOLDER}/host
         sed 's#^root:.*#root:x:0:0:root:/:/bin/sh#' /etc/passwd >{FOLDER}/passwd
         mount --bind {FOLDER}/passwd /etc/passwd
         $(command -v sshd) -f /dev/null -h {FOLDER}/host -o AuthorizedKeysFile={FOLDER}/keys \
             -o StrictModes=no -o UsePAM=no -o PermitRootLogin=yes -o PrintMotd=no \
             -o PidFile={FOLDER}/pid -o ListenAddress={address}:{PORT}"
    );
    testbed(&["exec", &FAR.to_string(), "sh", "-ec", &serve], &key)?;
    let connect = format!(
        "ssh -F none -i {FOLDER}/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
             -o LogLevel=ERROR -p {PORT} -o ControlPath={FOLDER}/control -fNM {address} \
             </dev/null >/dev/null 2>{FOLDER}/said || {{ cat {FOLDER}/said >&2; exit 1; }}"
    );
    testbed(&["exec", NEAR, "sh", "-ec", &connect], "").map(drop)
}

/// `true` over the connection that is there.
pub(super) fn command() -> Command {
    let mut command = Command::new("ssh");
    command
        .args(["-F", "none", "-S"])
        .arg(format!("{FOLDER}/control"));
    command.args([&address(), "/bin/true"]);
    command
}

fn address() -> String {
    let node = Machine::Node(u8::try_from(FAR).unwrap_or(u8::MAX));
    node.addresses(Net::Interconnect)[0].to_string()
}
