//! The log: standard error, for a terminal, a file or the journal.

use std::io::{self, IsTerminal};

use anyhow::{Context, Result};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

/// Changes the level while the daemon runs.
pub(crate) struct Level(reload::Handle<EnvFilter, Registry>);

/// Starts the log. `RUST_LOG`, if set, wins over the configured level.
pub(crate) fn start(level: &str) -> Result<Level> {
    let (filter, handle) = reload::Layer::new(filter(level)?);
    let text = fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // The journal has its own clock.
    let layer = if std::env::var_os("JOURNAL_STREAM").is_some() {
        text.without_time().boxed()
    } else {
        text.boxed()
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .context("cannot start the log")?;
    Ok(Level(handle))
}

impl Level {
    /// Changes the level.
    pub(crate) fn set(&self, level: &str) -> Result<()> {
        self.0
            .reload(filter(level)?)
            .context("cannot change the log level")
    }
}

fn filter(level: &str) -> Result<EnvFilter> {
    let from_env = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let level = from_env
        .as_deref()
        .filter(|l| !l.is_empty())
        .unwrap_or(level);
    let filter = EnvFilter::try_new(level).with_context(|| format!("log level \"{level}\""))?;
    // The log's library tells its life's story; who wants to hear it asks for it by name.
    if level.contains("openraft") {
        return Ok(filter);
    }
    // A seat that is left while others still ask for its vote is no fault; whoever asks a log
    // that has failed is told so.
    let quiet = ["openraft=error", "openraft::raft::raft_inner=off"];
    quiet.into_iter().try_fold(filter, |filter, directive| {
        let directive = directive.parse().context("log level of openraft")?;
        Ok(filter.add_directive(directive))
    })
}

/// Logs a panic of any thread and ends the daemon, so that init starts it anew: the
/// packet path goes on meanwhile, and half a daemon would be worse than none.
pub(crate) fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = std::backtrace::Backtrace::capture();
        tracing::error!("{panic}; this is a fault of ssid, please report it\n{backtrace}");
        std::process::exit(101);
    }));
}
