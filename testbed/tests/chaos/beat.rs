//! What is kept alive in this test: the test program itself, as a process that says again and
//! again, in a file outside of all nodes, that it runs.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::gethostname;

use super::random::Random;

/// What the program is told to be a service.
pub(crate) const ROLE: &str = "be-a-service";
/// And one that ends by itself, again and again.
pub(crate) const RESTLESS: &str = "restless";
/// What it does otherwise.
pub(crate) const STEADY: &str = "steady";
/// Between two signs of life. Whoever was stood still gives one as soon as it goes on.
const BEAT: Duration = Duration::from_millis(50);
/// How long a restless one runs, milliseconds: from, and how much longer at most.
const LIFE: (u64, u64) = (2_000, 8_000);
/// The codes that it ends with.
const CODES: [u8; 6] = [1, 3, 17, 77, 139, 255];
/// The signals that it ends by.
const SIGNALS: [Signal; 3] = [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGKILL];

/// How a run ended, as it said itself just before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It has not said.
    Unsaid,
    /// With this code.
    Code(u8),
    /// By this signal.
    Signal(u8),
    /// It was asked to.
    Asked,
}

impl End {
    const fn word(self) -> u64 {
        match self {
            Self::Unsaid => 0,
            Self::Code(code) => 0x100 | code as u64,
            Self::Signal(signal) => 0x200 | signal as u64,
            Self::Asked => 0x300,
        }
    }

    /// As the file has it.
    pub(crate) const fn of(word: u64) -> Self {
        let low = (word & 0xff) as u8;
        match word >> 8 {
            1 => Self::Code(low),
            2 => Self::Signal(low),
            3 => Self::Asked,
            _ => Self::Unsaid,
        }
    }
}

static ASKED: AtomicBool = AtomicBool::new(false);

extern "C" fn asked(_signal: i32) {
    ASKED.store(true, Ordering::Relaxed);
}

/// The moment, nanoseconds since boot: the same on all nodes, as they share a kernel.
pub(crate) fn now() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_BOOTTIME).expect("every kernel has it");
    let now = Duration::from(now);
    u64::try_from(now.as_nanos()).expect("centuries")
}

/// If this process was started to be a service: is one until it ends.
pub(crate) fn play() -> Option<ExitCode> {
    let mut args = std::env::args().skip(1);
    if args.next()? != ROLE {
        return None;
    }
    let (folder, kind) = (args.next()?, args.next()?);
    let action = SigAction::new(
        SigHandler::Handler(asked),
        SaFlags::empty(),
        SigSet::empty(),
    );
    // SAFETY: the handler only stores to an atomic.
    unsafe { sigaction(Signal::SIGTERM, &action) }.expect("SIGTERM may be handled");
    Some(beat(Path::new(&folder), kind == RESTLESS))
}

fn beat(folder: &Path, restless: bool) -> ExitCode {
    let told = |name| std::env::var(name).expect("its supervisor says it");
    let (service, instance) = (told("SSI_SERVICE"), told("SSI_INSTANCE"));
    let node = gethostname().expect("a name");
    let node = node.to_string_lossy();
    let first = now();
    let pid = std::process::id();
    let name = format!("{service}:{instance}~{node}~{pid}~{first}");
    let file = File::create(folder.join(name)).expect("a file of its own");
    let say = |at: u64, word: u64| {
        file.write_all_at(&word.to_le_bytes(), at).expect("room");
    };
    say(0, first);
    println!("runs");
    let mut random = Random::new(first ^ u64::from(pid));
    let until = first + (LIFE.0 + random.below(LIFE.1)) * 1_000_000;
    loop {
        let now = now();
        say(8, now);
        if ASKED.load(Ordering::Relaxed) {
            say(16, End::Asked.word());
            return ExitCode::SUCCESS;
        }
        if restless && now >= until {
            if random.below(3) > 0 {
                let code = *random.of(&CODES);
                say(16, End::Code(code).word());
                return ExitCode::from(code);
            }
            let signal = *random.of(&SIGNALS);
            say(16, End::Signal(signal as u8).word());
            raise(signal).expect("it ends");
        }
        thread::sleep(BEAT);
    }
}
