//! The daemon's life: start, serve, change, leave.

use ssi_spawn::precedence;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::cluster::{Before, Cluster};
use crate::config::{self, Config};
use crate::control::{self, Answers};
use crate::data_path::DataPath;
use crate::log::{self, Level};
use crate::processes::Processes;
use crate::status::About;
use crate::why::why;
use crate::{cvip, lock, memory, notify};

/// Runs until a signal says to leave, or a part of the daemon fails. `path` is where the
/// configuration is read from again.
pub(crate) async fn run(path: Option<&Path>, config: Config) -> Result<()> {
    // Before there are other threads, which are scheduled as this one is.
    if let Err(error) = precedence::take() {
        tracing::info!("goes before nobody: {error}");
    }
    let level = log::start(&config.log.level)?;
    log::end_on_panic();
    let _lock = lock::take(&config)?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot handle SIGHUP")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;

    let before = Before::load(&config)?;
    let (data_path, feed) = DataPath::open(&config, |maps| before.company(&config, maps))?;
    // Only now the addresses: a node that is back before another directs in its place still
    // gets what clients send, and without the programs it would reset other servers'
    // connections.
    cvip::prepare(&config).await?;
    let data_path = Arc::new(Mutex::new(data_path));
    // Before anybody waits for this thread.
    let processes = Processes::start(&config)?;
    let (cluster, mut failed) =
        Cluster::start(&config, data_path.clone(), processes, before).await?;
    let listener = control::bind(&config.control)?;
    let answers = Arc::new(Answers {
        cluster,
        data_path: data_path.clone(),
        about: Mutex::new(About {
            started: Instant::now(),
            config: config.clone(),
        }),
    });
    let remote = answers.cluster.remote();
    let questions = remote.bind().with_context(|| {
        let path = config.runtime().join(ssi_rexec::SOCKET);
        format!("cannot listen at {}", path.display())
    })?;
    let questions = tokio::spawn(remote.serve_questions(questions));
    tracing::info!("serves at {}", config.control.socket.display());
    serve_tree(&config);
    memory::give_back();
    notify::ready("serving");

    let mut server = std::pin::pin!(control::serve(&listener, answers.clone()));
    let mut feed = std::pin::pin!(feed.run(data_path));
    loop {
        tokio::select! {
            Some(error) = failed.recv() => return Err(error),
            failed = &mut feed => return failed.context("the scheduler failed"),
            error = &mut server => bail!("the control socket failed: {error}"),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                // A mistake in the file is no reason to stop.
                if let Err(e) = reload(path, &answers, &level).await {
                    tracing::error!("not reloaded: {}; going on as before", why(&e));
                }
            }
        }
    }
    questions.abort();
    tracing::info!("leaving; the packet path stays, and what is kept alive goes on");
    notify::stopping();
    Ok(())
}

/// Has clusterwide /proc served, if it is wanted. Nothing else of the daemon needs it.
fn serve_tree(config: &Config) {
    let tree = config.tree();
    if tree.places.proc.as_os_str().is_empty() {
        return;
    }
    tokio::spawn(async move {
        if let Err(error) = tree.keep().await {
            tracing::warn!("cannot serve {}: {error}", tree.places.proc.display());
        }
    });
}

/// Reads the configuration again and does what can be done in place.
async fn reload(path: Option<&Path>, answers: &Answers, level: &Level) -> Result<()> {
    let new = config::load(path)?;
    let old = answers.about().config;
    for (setting, changed) in [
        ("node", old.node != new.node),
        ("cluster", old.cluster != new.cluster),
        ("lvs", old.lvs != new.lvs),
        ("control", old.control != new.control),
        ("state", old.state != new.state),
        ("bpf", old.bpf != new.bpf),
        ("tree", old.tree != new.tree),
        ("keepalive", old.keepalive != new.keepalive),
    ] {
        if changed {
            tracing::warn!("{setting} has changed: that needs a restart of ssid");
        }
    }
    // What needs a restart stays as it is, in all that follows.
    let new = Config {
        node: old.node,
        cluster: old.cluster,
        lvs: old.lvs,
        control: old.control,
        state: old.state,
        bpf: old.bpf,
        tree: old.tree,
        keepalive: old.keepalive,
        ..new
    };
    level.set(&new.log.level)?;
    answers.reconfigure(new).await?;
    tracing::info!("configuration read again");
    Ok(())
}
