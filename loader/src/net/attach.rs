//! Onto the interfaces, by the best way that works.

use std::fmt;
use std::path::Path;

use aya::Ebpf;
use aya::programs::links::{FdLink, LinkOrder, PinnedLink};
use aya::programs::tc::{
    NlOptions, TcAttachOptions, TcAttachType, qdisc_add_clsact, qdisc_detach_program,
};
use aya::programs::xdp::XdpMode;
use serde::{Deserialize, Serialize};

use super::pins::{Hook, Pins};
use super::{Mode, Net, Program, interface, programs};
use crate::LoadError;

/// The way that worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Working {
    /// XDP in the driver.
    Native,
    /// XDP in the stack.
    Generic,
    /// tc by a tcx link (kernel 6.6).
    Tcx,
    /// tc by a filter on a clsact qdisc.
    Clsact,
}

impl fmt::Display for Working {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Native => "native",
            Self::Generic => "generic",
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        })
    }
}

/// An interface that the packet path is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub interface: String,
    /// What was asked for.
    pub asked: Mode,
    /// What worked.
    pub working: Working,
    /// What was tried before and didn't, each with the kernel's reason.
    pub refused: Vec<(Working, String)>,
}

impl Net {
    /// Attaches to an interface, or replaces the programs that an earlier daemon attached
    /// there, in one step: no packet goes unhandled.
    ///
    /// # Errors
    /// There is no such interface, or no way of attaching worked.
    pub fn attach(&mut self, interface: &str, mode: Mode) -> Result<&Attachment, LoadError> {
        if !interface::exists(interface) {
            return Err(LoadError::Attach {
                interface: interface.to_owned(),
                reason: "there is no such interface; `ip link` lists them".to_owned(),
            });
        }
        let mut refused = Vec::new();
        for &way in ways(mode, interface) {
            match self.attach_by(interface, way) {
                Ok(()) => {
                    self.attach_egress(interface)?;
                    self.attachments
                        .retain(|known| known.interface != interface);
                    self.attachments.push(Attachment {
                        interface: interface.to_owned(),
                        asked: mode,
                        working: way,
                        refused,
                    });
                    self.look_at_links()?;
                    return Ok(self.attachments.last().expect("just pushed"));
                }
                Err(reason) => refused.push((way, reason)),
            }
        }
        let reason = refused
            .iter()
            .map(|(way, reason)| format!("{way}: {reason}"))
            .collect::<Vec<_>>()
            .join("; ");
        Err(LoadError::Attach {
            interface: interface.to_owned(),
            reason,
        })
    }

    /// Detaches from every interface that [`Self::attach`] was not called for, and removes
    /// what daemons of other ABI versions left. Call it once all are attached.
    pub fn detach_others(&mut self) {
        let Some(pins) = &self.pins else {
            return;
        };
        let mut kept = Vec::new();
        for attachment in &self.attachments {
            let entry = match attachment.working {
                Working::Native | Working::Generic => Hook::Xdp,
                Working::Tcx | Working::Clsact => Hook::Ingress,
            };
            kept.push((attachment.interface.clone(), entry));
            kept.push((attachment.interface.clone(), Hook::Egress));
        }
        pins.detach_all_but(&kept);
    }

    fn attach_by(&mut self, interface: &str, way: Working) -> Result<(), String> {
        let Self { ebpf, pins, .. } = self;
        let pins = pins.as_ref();
        match way {
            Working::Native => attach_xdp(ebpf, pins, interface, XdpMode::Driver),
            Working::Generic => attach_xdp(ebpf, pins, interface, XdpMode::Skb),
            Working::Tcx => attach_tcx(ebpf, pins, interface, Hook::Ingress),
            Working::Clsact => attach_clsact(ebpf, pins, interface, Hook::Ingress),
        }
    }

    fn attach_egress(&mut self, interface: &str) -> Result<(), LoadError> {
        let Self { ebpf, pins, .. } = self;
        let pins = pins.as_ref();
        attach_tcx(ebpf, pins, interface, Hook::Egress)
            .or_else(|tcx| {
                attach_clsact(ebpf, pins, interface, Hook::Egress)
                    .map_err(|clsact| format!("egress: tcx: {tcx}; clsact: {clsact}"))
            })
            .map_err(|reason| LoadError::Attach {
                interface: interface.to_owned(),
                reason,
            })
    }
}

/// The ways to try, best first.
fn ways(mode: Mode, interface: &str) -> &'static [Working] {
    match mode {
        Mode::Auto if interface::is_device(interface) => &[
            Working::Native,
            Working::Tcx,
            Working::Clsact,
            Working::Generic,
        ],
        Mode::Auto => &[Working::Tcx, Working::Clsact, Working::Generic],
        Mode::Native => &[Working::Native],
        Mode::Generic => &[Working::Generic],
        Mode::Tc => &[Working::Tcx, Working::Clsact],
    }
}

fn attach_xdp(
    ebpf: &mut Ebpf,
    pins: Option<&Pins>,
    interface: &str,
    mode: XdpMode,
) -> Result<(), String> {
    let program = programs::xdp(ebpf).map_err(words)?;
    let path = pins.map(|pins| {
        pins.inherit(interface, Hook::Xdp);
        pins.link(interface, Hook::Xdp)
    });
    if let Some(link) = path.as_deref().and_then(pinned) {
        // A link whose interface was removed and made again is dead; its pin is of no use.
        if let Ok(link) = link.try_into()
            && program.attach_to_link(link).is_ok()
        {
            return Ok(());
        }
        forget(path.as_deref());
    }
    let id = program.attach(interface, mode).map_err(words)?;
    if let Some(path) = path {
        let link = program.take_link(id).map_err(words)?;
        pin(FdLink::try_from(link).map_err(words)?, &path)?;
    }
    Ok(())
}

const fn tc_program(hook: Hook) -> (Program, TcAttachType) {
    match hook {
        Hook::Egress => (Program::Egress, TcAttachType::Egress),
        _ => (Program::Tc, TcAttachType::Ingress),
    }
}

fn attach_tcx(
    ebpf: &mut Ebpf,
    pins: Option<&Pins>,
    interface: &str,
    hook: Hook,
) -> Result<(), String> {
    let (which, direction) = tc_program(hook);
    let program = programs::tc(ebpf, which).map_err(words)?;
    let path = pins.map(|pins| {
        pins.inherit(interface, hook);
        pins.link(interface, hook)
    });
    if let Some(link) = path.as_deref().and_then(pinned) {
        if let Ok(link) = link.try_into()
            && program.attach_to_link(link).is_ok()
        {
            return Ok(());
        }
        forget(path.as_deref());
    }
    let options = TcAttachOptions::TcxOrder(LinkOrder::default());
    let id = program
        .attach_with_options(interface, direction, options)
        .map_err(words)?;
    if let Some(path) = path {
        let link = program.take_link(id).map_err(words)?;
        pin(FdLink::try_from(link).map_err(words)?, &path)?;
    }
    Ok(())
}

/// The priority of our filters, behind those of most others.
fn filter() -> NlOptions {
    NlOptions {
        priority: 0x5551,
        ..NlOptions::default()
    }
}

fn attach_clsact(
    ebpf: &mut Ebpf,
    pins: Option<&Pins>,
    interface: &str,
    hook: Hook,
) -> Result<(), String> {
    let (which, direction) = tc_program(hook);
    // It may be there already, ours or another's.
    let _ = qdisc_add_clsact(interface);
    let program = programs::tc(ebpf, which).map_err(words)?;
    let _ = qdisc_detach_program(interface, direction, which.name());
    let id = program
        .attach_with_options(interface, direction, TcAttachOptions::Netlink(filter()))
        .map_err(words)?;
    if let Some(pins) = pins {
        let link = program.take_link(id).map_err(words)?;
        // The filter stays with the qdisc; only dropping the link would remove it.
        std::mem::forget(link);
        pins.note_clsact(interface, hook).map_err(words)?;
    }
    Ok(())
}

fn pinned(path: &Path) -> Option<FdLink> {
    PinnedLink::from_pin(path).ok().map(FdLink::from)
}

fn forget(path: Option<&Path>) {
    if let Some(path) = path {
        // If it stays, pinning anew says so.
        let _ = std::fs::remove_file(path);
    }
}

fn pin(link: FdLink, path: &Path) -> Result<(), String> {
    link.pin(path).map(drop).map_err(words)
}

/// An error with all its causes in one line.
fn words(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
