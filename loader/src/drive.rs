//! The benchmarks' driver programs: runs of the packet path with the frame made anew each
//! time, and frames sent over real interfaces.

use std::time::Duration;

use aya::maps::{Map, ProgramArray, xdp::DevMap};
use aya::programs::xdp::XdpMode;
use aya::programs::{TestRun as _, TestRunAttrs, TestRunOptions, Xdp};
use aya::{Ebpf, EbpfLoader};
use ssi_abi::drive::Plan;

use crate::map::{PerCpu, Records};
use crate::{LoadError, Net, net, object};

/// A program that is run or attached for its own cost, or to help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Helper {
    /// Does nothing and passes the frame.
    Empty,
    /// Makes room for an outer IPv4 header, and nothing else.
    Grow,
    /// Sends the frame back where it came from.
    Bounce,
    /// Counts the frame and drops it.
    Sink,
}

impl Helper {
    const ALL: [Self; 4] = [Self::Empty, Self::Grow, Self::Bounce, Self::Sink];

    const fn name(self) -> &'static str {
        match self {
            Self::Empty => "drive_empty",
            Self::Grow => "drive_grow",
            Self::Bounce => "drive_bounce",
            Self::Sink => "drive_sink",
        }
    }
}

/// What the driver runs after it has made the frame.
#[derive(Debug)]
pub enum Subject<'a> {
    /// `ssi_xdp` of a packet path.
    Net(&'a mut Net),
    /// A program of the driver's own.
    Helper(Helper),
}

/// Makes frames and sends them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// To the interface that [`Drive::aim_at`] named.
    Generate,
    /// Nowhere: what it costs to make them.
    Discard,
}

/// The driver programs, loaded. Everything goes with it.
pub struct Drive {
    ebpf: Ebpf,
    plan: Records<Plan>,
    next: Records<u64>,
    sunk: PerCpu<u64>,
    // The kernel empties the slot when nobody holds the map open.
    subject: ProgramArray<aya::maps::MapData>,
    out: DevMap<aya::maps::MapData>,
}

/// Runs of the driver and its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Driven {
    /// The last run's verdict.
    pub verdict: u32,
    /// Mean time of a run; the kernel's resolution is 1 ns.
    pub duration: Duration,
}

const DRIVER: &str = "drive_subject";

impl Drive {
    /// Loads the programs. Needs kernel 5.18 (frames in pieces, live frames).
    ///
    /// # Errors
    /// No rights, no BPF object in this build, refused by the verifier.
    pub fn open() -> Result<Self, LoadError> {
        let mut ebpf = EbpfLoader::new()
            .load(object::drive()?)
            .map_err(|error| LoadError::refused("the benchmark's BPF maps", &error))?;
        // Before the maps are taken out: loading refers to them by their descriptors.
        let senders = [Sender::Generate.name(), Sender::Discard.name()];
        let helpers = Helper::ALL.map(Helper::name);
        for name in [DRIVER].into_iter().chain(senders).chain(helpers) {
            object::program::<Xdp>(&mut ebpf, name)
                .and_then(Xdp::load)
                .map_err(|error| LoadError::refused(format!("program {name}"), &error))?;
        }
        let plan = Records::new(net::raw(&ebpf, "PLAN")?);
        let next = Records::new(net::raw(&ebpf, "NEXT")?);
        let sunk = PerCpu::new(net::raw(&ebpf, "SUNK")?);
        let subject = ProgramArray::try_from(take(&mut ebpf, "SUBJECT")?)
            .map_err(|error| LoadError::refused("map SUBJECT", &error))?;
        let out = DevMap::try_from(take(&mut ebpf, "OUT")?)
            .map_err(|error| LoadError::refused("map OUT", &error))?;
        Ok(Self {
            ebpf,
            plan,
            next,
            sunk,
            subject,
            out,
        })
    }

    /// What the driver is to run.
    ///
    /// # Errors
    /// The kernel refused the tail call.
    pub fn aim(&mut self, subject: Subject<'_>) -> Result<(), LoadError> {
        let (name, program) = match subject {
            Subject::Net(net) => ("ssi_xdp", net.xdp().and_then(|xdp| xdp.fd())),
            Subject::Helper(helper) => {
                let program = object::program::<Xdp>(&mut self.ebpf, helper.name());
                (helper.name(), program.and_then(|program| program.fd()))
            }
        };
        let program = program.map_err(|error| LoadError::refused(name, &error))?;
        self.subject
            .set(0, program, 0)
            .map_err(|error| LoadError::refused(format!("a tail call to {name}"), &error))
    }

    /// The interface that frames are to be sent to, one of this network namespace.
    ///
    /// # Errors
    /// There is no such interface.
    pub fn aim_at(&mut self, ifindex: u32) -> Result<(), LoadError> {
        self.out
            .set(0, ifindex, None, 0)
            .map_err(|error| LoadError::refused("an interface to send to", &error))
    }

    /// Which frame to make.
    ///
    /// # Errors
    /// The map could not be written.
    pub fn plan(&self, plan: &Plan) -> Result<(), LoadError> {
        self.plan.set(0, plan)
    }

    /// Number of the next frame; see [`ssi_abi::drive::flow`].
    ///
    /// # Errors
    /// The map could not be read.
    pub fn next(&self) -> Result<u64, LoadError> {
        self.next.get(0)
    }

    /// Runs the subject `repeat` times, each on a frame made anew. `frame` has the length
    /// of the plan's.
    ///
    /// # Errors
    /// The kernel refused the run.
    pub fn run(&mut self, frame: &[u8], repeat: u32) -> Result<Driven, LoadError> {
        let mut options = TestRunOptions::new();
        options.data_in = Some(frame);
        options.repeat = repeat;
        self.test(DRIVER, options)
    }

    /// Runs a program of the driver's own `repeat` times without the driver.
    ///
    /// # Errors
    /// The kernel refused the run.
    pub fn bare(&mut self, helper: Helper, frame: &[u8], repeat: u32) -> Result<Driven, LoadError> {
        let mut options = TestRunOptions::new();
        options.data_in = Some(frame);
        options.repeat = repeat;
        self.test(helper.name(), options)
    }

    /// Makes and sends `count` frames, `batch` at a time (at most 256). The duration has in
    /// it what this CPU does with each batch as soon as it is sent, receiving included where
    /// softirqs run at once. What beginning and ending the run takes the kernel (waits for
    /// RCU, tens of milliseconds) is not in it.
    ///
    /// # Errors
    /// The kernel refused the run.
    pub fn send(
        &mut self,
        sender: Sender,
        frame: &[u8],
        count: u32,
        batch: u32,
    ) -> Result<Driven, LoadError> {
        let mut options = TestRunOptions::new();
        options.data_in = Some(frame);
        options.repeat = count;
        options.attrs = TestRunAttrs::new().xdp_live_frames(batch);
        self.test(sender.name(), options)
    }

    /// Attaches a program to an interface of this network namespace, in its driver, until
    /// this is dropped.
    ///
    /// # Errors
    /// There is no such interface, or it carries another program.
    pub fn attach(&mut self, helper: Helper, interface: &str) -> Result<(), LoadError> {
        object::program::<Xdp>(&mut self.ebpf, helper.name())
            .and_then(|program| program.attach(interface, XdpMode::Driver))
            .map(drop)
            .map_err(|error| {
                LoadError::refused(format!("{} at {interface}", helper.name()), &error)
            })
    }

    /// Frames that came to every [`Helper::Sink`] so far.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn sunk(&self) -> Result<u64, LoadError> {
        Ok(self.sunk.get(0)?.iter().sum())
    }

    fn test(&mut self, name: &str, options: TestRunOptions<'_>) -> Result<Driven, LoadError> {
        let result = object::program::<Xdp>(&mut self.ebpf, name)
            .and_then(|program| program.test_run(options))
            .map_err(|error| LoadError::refused(format!("a test run of {name}"), &error))?;
        Ok(Driven {
            verdict: result.return_value,
            duration: result.duration,
        })
    }
}

impl std::fmt::Debug for Drive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drive").finish_non_exhaustive()
    }
}

impl Sender {
    const fn name(self) -> &'static str {
        match self {
            Self::Generate => "drive_generate",
            Self::Discard => "drive_discard",
        }
    }
}

fn take(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, LoadError> {
    ebpf.take_map(name).ok_or_else(|| net::missing(name))
}
