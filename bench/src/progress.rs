//! What goes on, on standard error.

use indicatif::{ProgressBar, ProgressStyle};

/// One line that changes; nothing where standard error is no terminal.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Self(bar)
    }

    /// Says what is being prepared.
    pub(crate) fn says(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// Begins a part of so many steps.
    pub(crate) fn begin(&self, steps: usize, part: &str) {
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {eta} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        self.0.set_style(style);
        self.0.set_prefix(part.to_owned());
        self.0.set_length(steps as u64);
        self.0.set_position(0);
    }

    /// One step is done.
    pub(crate) fn step(&self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
