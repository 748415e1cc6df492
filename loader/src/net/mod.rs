//! The packet path in the kernel: loaded, attached, pinned.

mod attach;
mod deliver;
mod interface;
mod links;
mod maps;
mod options;
mod pins;
mod programs;
mod run;
mod steer;

use std::path::Path;
use std::sync::Arc;

use aya::programs::{ProgramError, SkReuseport, Xdp};
use aya::{Ebpf, EbpfLoader};
use ssi_abi::flow;

pub use attach::{Attachment, Working};
pub(crate) use maps::{missing, raw};
pub use options::{Mode, Options, Sizes};
pub use pins::unload;
pub use run::{Program, TestOptions, TestOutcome};

use crate::bypass::{self, Bypass};
use crate::map::{Held, Maps};
use crate::{LoadError, object};
use pins::Pins;

/// What was found when the packet path was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Whether pinned maps of an earlier daemon were taken over.
    pub maps: bool,
    /// Maps whose pinned size is not the one asked for: name, pinned, asked. The pinned
    /// one stays until `ssid --unload`.
    pub sizes: Vec<(&'static str, u32, u32)>,
}

/// The packet path. Dropping it leaves everything that is pinned in place: packets go on
/// being handled.
#[derive(Debug)]
pub struct Net {
    ebpf: Ebpf,
    maps: Arc<Maps>,
    held: Option<Held>,
    pins: Option<Pins>,
    attachments: Vec<Attachment>,
    adopted: Adopted,
    /// Why the kernel doesn't tell lanes apart, if it doesn't.
    no_steering: Option<String>,
}

impl Net {
    /// Creates the maps, or takes over the pinned ones. Nothing is attached yet; what an
    /// earlier daemon attached goes on as it is.
    ///
    /// Needs kernel 5.12 (atomics that return the old value).
    ///
    /// # Errors
    /// [`LoadError`]: no rights, no BPF object in this build, no bpffs.
    pub fn open(options: &Options) -> Result<Self, LoadError> {
        let object = object::net()?;
        let pins = options.pins.as_deref().map(Pins::prepare).transpose()?;
        let adopted_maps = pins.as_ref().is_some_and(Pins::has_maps);
        let paths = pins
            .as_ref()
            .map(|pins| maps::NAMES.map(|name| (name, pins.map(name))));
        let mut loader = EbpfLoader::new();
        for (name, path) in paths.iter().flatten() {
            loader.map_pin_path(name, path.as_path());
        }
        for (name, size) in options.sizes.entries() {
            loader.map_max_entries(name, size);
        }
        let sets = flow::sets(options.sizes.conns4);
        loader.map_max_entries("FLOWS4", sets);
        loader.override_global("FLOW_SETS4", &sets, true);
        let mut ebpf = loader
            .load(object)
            .map_err(|error| LoadError::refused("the BPF maps", &error))?;
        // What it does can be done without; see `Net::steer`.
        let steering = object::program(&mut ebpf, steer::PROGRAM).and_then(SkReuseport::load);
        let no_steering = steering
            .err()
            .map(|error| LoadError::refused("", &error).reason());
        let (maps, held) = maps::open(&ebpf)?;
        let sizes = options.sizes.differences(&maps);
        Ok(Self {
            ebpf,
            maps: Arc::new(maps),
            held: Some(held),
            pins,
            attachments: Vec::new(),
            adopted: Adopted {
                maps: adopted_maps,
                sizes,
            },
            no_steering,
        })
    }

    /// Every map.
    #[must_use]
    pub fn maps(&self) -> &Arc<Maps> {
        &self.maps
    }

    /// Opens the way around the network stack to the nodes that share this kernel.
    ///
    /// `shared`: a directory of a bpffs that they have in common; `cluster`: which of the
    /// clusters in it. Needs kernel 4.18, and that this packet path is pinned.
    ///
    /// # Errors
    /// The kernel refused it (`CONFIG_BPF_STREAM_PARSER`): connections work without.
    pub fn bypass(&self, shared: &Path, cluster: [u8; 16]) -> Result<Bypass, LoadError> {
        let Some(pins) = &self.pins else {
            return Err(LoadError::Refused {
                what: "the bypass".to_owned(),
                reason: "the packet path is not pinned".to_owned(),
            });
        };
        let common = bypass::COMMON.map(|name| (name, pins.map(name)));
        Bypass::open(shared, cluster, common)
    }

    /// The program on XDP, for a tail call to it.
    pub(crate) fn xdp(&mut self) -> Result<&mut Xdp, ProgramError> {
        programs::xdp(&mut self.ebpf)
    }

    /// The ring of held fragments; it has one reader, so it can be had once.
    pub fn take_held(&mut self) -> Option<Held> {
        self.held.take()
    }

    /// What was found at opening.
    #[must_use]
    pub fn adopted(&self) -> &Adopted {
        &self.adopted
    }

    /// Where the programs are attached, in the order of the calls.
    #[must_use]
    pub fn attachments(&self) -> &[Attachment] {
        &self.attachments
    }
}
