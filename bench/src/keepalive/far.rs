//! Our own supervisor, in a process of its own, as `ssid` has it.

use std::fs;
use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use ssi_keepalive::config::Config;
use ssi_keepalive::core::{Event, Id};
use ssi_keepalive::runner::{Local, Places, System};
use ssi_spawn::precedence;

/// Supervises what `folder`'s configuration has, until it is killed. Says `open` when it has
/// taken over what there is, and places `count` instances of each process when a line comes.
pub(crate) fn supervise(folder: &Path, count: u32) -> Result<()> {
    precedence::take()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let file = folder.join("config.toml");
        let text = fs::read_to_string(&file)?;
        let system = System {
            nodes: Vec::new(),
            cvips: Vec::new(),
        };
        let config = Config::read([(file.as_path(), text.as_str())], &system);
        let config = Arc::new(config.map_err(|mistakes| anyhow!("{mistakes}"))?);
        let places = Places {
            cgroups: fs::read_to_string(folder.join("cgroup"))?.into(),
            logs: folder.join("logs"),
            state: folder.join("state"),
            runtime: folder.join("run"),
        };
        let mut local = Local::open(places, config.clone(), false).context("no supervisor")?;
        // As `ssid` does when it has begun: what it took to read the state is not needed again.
        // SAFETY: no pointers; it may be called at any time.
        #[cfg(target_env = "gnu")]
        unsafe {
            libc::malloc_trim(0);
        }
        let mut out = std::io::stdout();
        writeln!(out, "open")?;
        out.flush()?;
        std::io::stdin().lock().read_line(&mut String::new())?;
        for process in &config.process {
            for instance in 0..count {
                let id = Id::new(&process.name, instance);
                local.tell(Event::Place { id, carried: None });
            }
        }
        loop {
            local.step().await;
            local.said();
        }
    })
}
