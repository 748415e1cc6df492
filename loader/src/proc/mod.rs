//! Process tracking in the kernel: loaded, attached, pinned.

mod enter;
mod events;
mod latencies;
mod layout;
mod pins;
mod snapshot;
mod supervised;

use std::path::PathBuf;

use aya::programs::tp_btf::BtfTracePointLink;
use aya::programs::{BtfTracePoint, Iter};
use aya::{Btf, Ebpf, EbpfLoader};
use ssi_abi::proc::{ABSENT, RING_BYTES, Task};

use crate::kernel;
use crate::map::PerCpu;
use crate::net::raw;
use crate::{LoadError, object};

pub use enter::{enter, leave};
pub use events::Events;
pub use latencies::Latencies;
use pins::Pins;
use snapshot::Reader;
pub use supervised::{Entry, Supervised};

/// Programs of events, and the tracepoints that they hang on.
const EVENTS: [(&str, &str); 3] = [
    ("ssi_fork", "sched_process_fork"),
    ("ssi_exec", "sched_process_exec"),
    ("ssi_exit", "sched_process_exit"),
];
const SWITCH: (&str, &str) = ("ssi_switch", "sched_switch");
const ITERATORS: [&str; 2] = ["ssi_place", "ssi_tasks"];

/// How to track processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcOptions {
    /// A bpffs to pin events in, so that they go on being recorded while nobody reads; it is
    /// mounted if it isn't. `None`: everything ends with the [`Proc`].
    pub pins: Option<PathBuf>,
    /// Bytes of the ring of events: a power of two of at least a page. A ring that is pinned
    /// keeps its size.
    pub ring_bytes: u32,
}

impl Default for ProcOptions {
    fn default() -> Self {
        Self {
            pins: None,
            ring_bytes: RING_BYTES as u32,
        }
    }
}

/// Process tracking. What it tracks is what the pid namespace sees of whoever opened it, by
/// the numbers of that namespace.
///
/// Dropping it leaves everything that is pinned in place: events go on being recorded.
#[derive(Debug)]
pub struct Proc {
    ebpf: Ebpf,
    events: Option<Events>,
    lost: PerCpu<u64>,
    latencies: Latencies,
    pins: Option<Pins>,
    adopted: bool,
    reader: Reader,
    accounts_waits: bool,
    /// Detaches the program when it goes.
    queue: Option<BtfTracePointLink>,
}

impl Proc {
    /// Creates the maps, or takes over the pinned ones, and loads the programs. Nothing is
    /// attached yet; what an earlier daemon attached goes on as it is.
    ///
    /// Needs kernel 5.8 (iterators over tasks, ring buffers) and `CONFIG_DEBUG_INFO_BTF`:
    /// the programs are told there where this kernel keeps what they read.
    ///
    /// # Errors
    /// [`LoadError`]: no rights, no BPF object in this build, no BTF, a field that this kernel
    /// has not, refused by the verifier, no bpffs.
    pub fn open(options: &ProcOptions) -> Result<Self, LoadError> {
        let object = object::proc()?;
        let layout = kernel::Btf::of_kernel()
            .ok_or_else(|| "no BTF (CONFIG_DEBUG_INFO_BTF)".to_owned())
            .and_then(|btf| layout::find(&btf))
            .map_err(|reason| LoadError::Refused {
                what: "process tracking".to_owned(),
                reason,
            })?;
        let pins = options.pins.as_deref().map(Pins::prepare).transpose()?;
        let adopted = pins.as_ref().is_some_and(Pins::has_maps);
        let paths = pins.as_ref().map(Pins::maps);
        let mut ebpf = {
            let mut loader = EbpfLoader::new();
            loader
                .override_global("LAYOUT", &layout, true)
                .map_max_entries("EVENTS", options.ring_bytes);
            for (name, path) in paths.iter().flatten() {
                loader.map_pin_path(name, path.as_path());
            }
            loader
                .load(object)
                .map_err(|error| LoadError::refused("the maps of process tracking", &error))?
        };
        // The loader has the same with it, some 20 MB, so one goes before the other comes.
        let btf =
            Btf::from_sys_fs().map_err(|error| LoadError::refused("the kernel's BTF", &error))?;
        for name in ITERATORS {
            object::program::<Iter>(&mut ebpf, name)
                .and_then(|program| program.load("task", &btf))
                .map_err(|error| LoadError::refused(format!("program {name}"), &error))?;
        }
        for (name, tracepoint) in EVENTS.into_iter().chain([SWITCH]) {
            object::program::<BtfTracePoint>(&mut ebpf, name)
                .and_then(|program| program.load(tracepoint, &btf))
                .map_err(|error| LoadError::refused(format!("program {name}"), &error))?;
        }
        let mut place = Vec::new();
        Reader::default().read(object::program::<Iter>(&mut ebpf, "ssi_place"), &mut place)?;
        Ok(Self {
            events: Some(Events::take(&mut ebpf)?),
            lost: PerCpu::new(raw(&ebpf, "LOST")?),
            latencies: Latencies::new(PerCpu::new(raw(&ebpf, "LATENCIES")?)),
            ebpf,
            pins,
            adopted,
            reader: Reader::default(),
            accounts_waits: layout.task_run_delay != ABSENT,
            queue: None,
        })
    }

    /// Whether the ring of an earlier daemon was taken over, with what it has recorded.
    #[must_use]
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// Begins to record events; what an earlier daemon attached is replaced, and no event is
    /// missed. An event may be told twice while both are there.
    ///
    /// # Errors
    /// The kernel refused an attachment, or the pin.
    pub fn attach(&mut self) -> Result<(), LoadError> {
        for (name, tracepoint) in EVENTS {
            let refused =
                |error: &(dyn std::error::Error + 'static)| LoadError::refused(tracepoint, error);
            let program =
                object::program::<BtfTracePoint>(&mut self.ebpf, name).map_err(|e| refused(&e))?;
            let link = program.attach().map_err(|e| refused(&e))?;
            if let Some(pins) = &self.pins {
                let link = program.take_link(link).map_err(|e| refused(&e))?;
                pins.replace(tracepoint, link.into())?;
            }
        }
        Ok(())
    }

    /// The ring of events; it has one reader, so it can be had once.
    pub fn take_events(&mut self) -> Option<Events> {
        self.events.take()
    }

    /// Events so far that found the ring full.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn lost(&self) -> Result<u64, LoadError> {
        Ok(self.lost.get(0)?.iter().sum())
    }

    /// All tasks, as they are now, threads too. `tasks` is emptied first.
    ///
    /// # Errors
    /// The kernel refused the iterator, or reading it.
    pub fn snapshot(&mut self, tasks: &mut Vec<Task>) -> Result<(), LoadError> {
        tasks.clear();
        self.reader
            .read(object::program::<Iter>(&mut self.ebpf, "ssi_tasks"), tasks)
    }

    /// Begins or ends to measure how long tasks wait for a CPU, on the whole machine. It ends
    /// with this, too. Costs a program run with each switch from one task to another.
    ///
    /// # Errors
    /// The kernel has no `CONFIG_SCHED_INFO`, or refused the attachment.
    pub fn measure_queue(&mut self, on: bool) -> Result<(), LoadError> {
        if !on {
            self.queue = None;
            return Ok(());
        }
        if !self.accounts_waits {
            return Err(LoadError::Refused {
                what: "to measure the run queue".to_owned(),
                reason: "this kernel has no CONFIG_SCHED_INFO".to_owned(),
            });
        }
        let (name, tracepoint) = SWITCH;
        let program = object::program::<BtfTracePoint>(&mut self.ebpf, name);
        let link = program
            .and_then(|program| program.attach().and_then(|link| program.take_link(link)))
            .map_err(|error| LoadError::refused(tracepoint, &error))?;
        self.queue = Some(link);
        Ok(())
    }

    /// What [`Self::measure_queue`] has measured so far.
    #[must_use]
    pub fn latencies(&self) -> &Latencies {
        &self.latencies
    }
}
