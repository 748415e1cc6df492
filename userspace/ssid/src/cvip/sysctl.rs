//! Kernel settings that a shared address needs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::net::if_::if_nametoindex;

use super::ledger::Ledger;

/// One setting below `/proc/sys`: changed to `value` where `when` says so of the present
/// one.
struct Setting {
    path: String,
    when: fn(u32) -> bool,
    value: u32,
}

fn settings(interfaces: &[String]) -> Vec<Setting> {
    let v4 = |interface: &str, name: &str| format!("net/ipv4/conf/{interface}/{name}");
    // For these two, the kernel takes the larger of `all` and the interface's own.
    let mut settings = vec![
        // Answer ARP only for addresses of the interface asked: not for the CVIP on lo.
        Setting {
            path: v4("all", "arp_ignore"),
            when: |now| now < 1,
            value: 1,
        },
        // Never give the CVIP as our own address in an ARP request.
        Setting {
            path: v4("all", "arp_announce"),
            when: |now| now < 2,
            value: 2,
        },
    ];
    let all_strict = read(&v4("all", "rp_filter")).is_ok_and(|all| all == 1);
    for interface in interfaces {
        // A packet out of a tunnel comes in on the interconnect, from a client that is
        // reached elsewhere: strict reverse-path filtering (1) would drop it. The kernel
        // takes the larger of `all` and this one, and loose is 2.
        settings.push(Setting {
            path: v4(interface, "rp_filter"),
            when: if all_strict {
                |now| now < 2
            } else {
                |now| now == 1
            },
            value: 2,
        });
    }
    settings
}

/// Changes the settings, after noting what they were.
pub(super) fn prepare(interfaces: &[String], ledger: &mut Ledger) -> Result<()> {
    for interface in interfaces {
        if if_nametoindex(interface.as_str()).is_err() {
            bail!("there is no interface {interface} (network.interfaces); `ip link` lists them");
        }
    }
    for setting in settings(interfaces) {
        let file = file(&setting.path);
        let before =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let before = before.trim();
        if before.parse().is_ok_and(setting.when) {
            ledger.note_setting(&setting.path, before)?;
            write(&file, &setting.value.to_string())?;
        }
    }
    Ok(())
}

/// Puts the settings back.
pub(super) fn restore(ledger: &mut Ledger) -> Result<()> {
    for (setting, before) in ledger.settings() {
        let file = file(setting);
        // An interface that is gone has no settings.
        if file.exists() {
            write(&file, before)?;
        }
    }
    ledger.forget_settings()
}

fn read(setting: &str) -> Result<u32> {
    let file = file(setting);
    fs::read_to_string(&file)
        .map_err(anyhow::Error::from)
        .and_then(|text| Ok(text.trim().parse()?))
        .with_context(|| format!("cannot read {}", file.display()))
}

fn write(file: &Path, value: &str) -> Result<()> {
    fs::write(file, value).with_context(|| format!("cannot write {value} to {}", file.display()))
}

fn file(path: &str) -> PathBuf {
    Path::new("/proc/sys").join(path)
}
