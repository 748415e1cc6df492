//! systemd, as the first process of namespaces of its own: a container.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use ssi_keepalive::runner::end_all;
use ssi_vproc::procfs::mount_point;

use super::{Contender, Daemon};
use crate::keepalive::news::News;

/// Where it is: Debian has it on no PATH.
const PROGRAM: &str = "/lib/systemd/systemd";

/// In the cgroup that is its root, before it has namespaces.
const ENTER: &str = r#"echo $$ >"$1/cgroup.procs"
exec unshare --pid --mount --uts --ipc --cgroup --fork --kill-child sh -eu "$2" "$3""#;

/// As its first process, before systemd is. The machine's own units are out of its reach: one of
/// them would clean the machine's `/tmp`.
const BOOT: &str = r"mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system
for target in sysinit basic multi-user default; do
    ln -s /dev/null /run/systemd/system/$target.target
done
ln -s /dev/null /run/systemd/system/systemd-tmpfiles-setup.service
cp $1/units/* /run/systemd/system/
mount -t proc proc /proc
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec env -i container=ssi-bench PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=first.target --log-target=null --show-status=no
";

const TARGET: &str = "[Unit]\nDefaultDependencies=no\nWants=first.service\n";

/// It, with one unit.
#[derive(Debug, Default)]
pub(super) struct Systemd {
    daemon: Daemon,
    cgroup: Option<PathBuf>,
}

impl Contender for Systemd {
    fn name(&self) -> String {
        "systemd".to_owned()
    }

    fn start(&mut self, folder: &Path, news: &News) -> Result<()> {
        fs::metadata(PROGRAM).with_context(|| {
            format!("{PROGRAM} (Debian package systemd); `make toolchain` installs it")
        })?;
        let units = folder.join("units");
        fs::create_dir(&units)?;
        fs::write(units.join("first.target"), TARGET)?;
        let service = format!(
            "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n\
             [Service]\nExecStart={}\nRestart=always\nRestartSec=0\n\
             StandardOutput=null\nStandardError=null\n",
            news.program.display()
        );
        fs::write(units.join("first.service"), service)?;
        let boot = folder.join("boot");
        fs::write(&boot, BOOT)?;
        let cgroup2 = mount_point(&fs::read("/proc/self/mountinfo")?);
        let cgroup2 = cgroup2.context("no cgroup2 is mounted")?;
        let cgroup = cgroup2.join(format!("ssi-bench-{}-systemd", std::process::id()));
        fs::create_dir(&cgroup)?;
        let cgroup = self.cgroup.insert(cgroup);
        let mut command = Command::new("sh");
        command.args(["-euc", ENTER, "sh"]).arg(cgroup);
        self.daemon
            .start(command.arg(&boot).arg(folder), "util-linux")
    }

    /// What it runs has a number of its own in there.
    fn outside(&self, pid: i32) -> Result<i32> {
        let unshare = self.daemon.0.as_ref().context("it was started")?.id();
        let children = fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children"))?;
        let space = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid"));
        let inside = space(children.trim()).context("its first process is not there")?;
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Ok(number) = name.parse() else {
                continue;
            };
            if space(&name).is_ok_and(|space| space == inside) {
                let status = fs::read_to_string(format!("/proc/{name}/status"))?;
                if innermost(&status) == Some(pid) {
                    return Ok(number);
                }
            }
        }
        anyhow::bail!("process {pid} is not there")
    }
}

/// The last number of `NSpid:` (proc(5)): the one in the innermost namespace.
fn innermost(status: &str) -> Option<i32> {
    let mut lines = status.lines();
    let numbers = lines.find_map(|line| line.strip_prefix("NSpid:"))?;
    numbers.split_whitespace().next_back()?.parse().ok()
}

impl Drop for Systemd {
    fn drop(&mut self) {
        // The kernel ends everything in the namespace with its first process.
        drop(std::mem::take(&mut self.daemon));
        if let Some(cgroup) = self.cgroup.take()
            && let Err(error) = end_all(&cgroup)
        {
            eprintln!("ssi-bench: {}: {error}", cgroup.display());
        }
    }
}
