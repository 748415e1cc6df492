//! A folder, a cgroup and a configuration for a supervisor.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ssi_keepalive::Node;
use ssi_keepalive::config::Config;
use ssi_keepalive::core::{Action, Event, Id, State};
use ssi_keepalive::runner::{Cgroups, Local, PastExits, Places, System, end_all};
use ssi_loader::Supervised;
use ssi_vproc::procfs::mount_point;
use tempfile::TempDir;

/// Names the folder to the program that is to be a supervisor and nothing else.
pub(crate) const SUPERVISOR: &str = "SSI_KEEPALIVE_TEST_FOLDER";
/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) cgroup: PathBuf,
}

impl Stage {
    pub(crate) fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let cgroup = cgroup2().join(format!("ssi-keepalive{name}"));
        fs::write(folder.path().join("config.toml"), config).unwrap();
        fs::write(folder.path().join("cgroup"), cgroup.to_str().unwrap()).unwrap();
        Self { folder, cgroup }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn open(&self) -> Play {
        Play::open(self.folder.path())
    }

    /// Another process supervises, until it is killed.
    pub(crate) fn elsewhere(&self) -> std::process::Child {
        let program = std::env::current_exe().unwrap();
        Command::new(program)
            .env(SUPERVISOR, self.folder.path())
            .spawn()
            .unwrap()
    }

    pub(crate) fn pids(&self, name: &str) -> Vec<u32> {
        Cgroups::at(&self.cgroup)
            .unwrap()
            .of(&Id::new(name, 0))
            .pids()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.path("bpf").exists() {
            let _ = Command::new("umount").arg(self.path("bpf")).status();
        }
        // Nobody waits for those that would end by themselves.
        let _ = fs::write(self.cgroup.join("cgroup.kill"), "1");
        let _ = end_all(&self.cgroup);
    }
}

fn cgroup2() -> PathBuf {
    let mounts = fs::read("/proc/self/mountinfo").unwrap();
    mount_point(&mounts).expect("no cgroup2 is mounted")
}

/// A supervisor at work.
pub(crate) struct Play {
    pub(crate) local: Local,
    pub(crate) said: Vec<Action>,
}

impl Play {
    fn open(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("config.toml")).unwrap();
        let system = System {
            nodes: (1..4).filter_map(Node::new).collect(),
            cvips: Vec::new(),
        };
        let path = folder.join("config.toml");
        let config = Config::read([(path.as_path(), text.as_str())], &system).unwrap();
        let config = Arc::new(config);
        let places = Places {
            cgroups: fs::read_to_string(folder.join("cgroup")).unwrap().into(),
            logs: folder.join("logs"),
            state: folder.join("state"),
            runtime: folder.join("run"),
        };
        let bpf = folder.join("bpf");
        let past: Option<Box<dyn PastExits>> = if bpf.exists() {
            Some(Box::new(Supervised::pinned(&bpf).unwrap()))
        } else {
            None
        };
        let mut local = Local::open_with(places, config.clone(), false, past).unwrap();
        for process in &config.process {
            for instance in 0..process.instances {
                let id = Id::new(&process.name, instance);
                local.tell(Event::Place { id, carried: None });
            }
        }
        let said = Vec::new();
        Self { local, said }
    }

    pub(crate) async fn until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                Instant::now() < end,
                "not in time: {what}; {}; {:#?}",
                self.list(),
                self.said
            );
            let _ = tokio::time::timeout(Duration::from_millis(50), self.local.step()).await;
            self.said.extend(self.local.said());
        }
    }

    /// As [`until`](Self::until), of so many that looking at all of them takes its time.
    pub(crate) async fn all(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        loop {
            let look = Instant::now() + Duration::from_millis(250);
            self.until(what, |_| Instant::now() >= look).await;
            self.said.clear();
            if done(self) {
                return;
            }
        }
    }

    pub(crate) async fn state(&mut self, name: &str, state: State) {
        let id = Id::new(name, 0);
        let what = format!("{name} {state}");
        self.until(&what, |play| {
            play.local.supervisor().state(&id) == Some(state)
        })
        .await;
    }

    pub(crate) fn pid(&self, name: &str) -> u32 {
        self.status(name).main.map_or(0, |main| main.pid)
    }

    pub(crate) fn errors(&self, name: &str) -> u64 {
        self.status(name).record.total
    }

    pub(crate) fn status(&self, name: &str) -> ssi_keepalive::core::Status {
        self.of(&Id::new(name, 0))
    }

    pub(crate) fn of(&self, id: &Id) -> ssi_keepalive::core::Status {
        let now = ssi_keepalive::runner::now();
        self.local.supervisor().status(now, id).unwrap()
    }

    pub(crate) fn log(&self, name: &str) -> String {
        let path = self.local.log(&Id::new(name, 0));
        let content = ssi_keepalive::runner::log::content(&path).unwrap_or_default();
        String::from_utf8(content).unwrap()
    }

    fn list(&self) -> String {
        let list = self.local.supervisor().list(ssi_keepalive::runner::now());
        let lines = list.map(|status| format!("{}: {} ({})", status.id, status.state, status.why));
        lines.collect::<Vec<_>>().join("; ")
    }
}

pub(crate) fn play(scene: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(scene);
}

/// What the program does that is a supervisor and nothing else.
pub(crate) fn supervise(folder: &Path) -> ! {
    play(async {
        let mut play = Play::open(folder);
        loop {
            play.local.step().await;
            let unseen = play
                .local
                .said()
                .into_iter()
                .filter_map(|action| match action {
                    Action::Report { why, .. } if why.contains("nobody saw") => Some(why),
                    _ => None,
                });
            for why in unseen {
                fs::write(folder.join("unseen"), why).unwrap();
            }
            let list = play.local.supervisor().list(ssi_keepalive::runner::now());
            let states: Vec<String> = list.map(|s| format!("{} {}", s.id, s.state)).collect();
            fs::write(folder.join("states.new"), states.join("\n")).unwrap();
            fs::rename(folder.join("states.new"), folder.join("states")).unwrap();
        }
    });
    unreachable!("it goes on for ever")
}

pub(crate) fn process(name: &str, script: &str, more: &str) -> String {
    format!(
        "[[process]]\nname = \"{name}\"\npath = \"/bin/sh\"\nargs = [\"-c\", '''{script}''']\n{more}\n"
    )
}

pub(crate) fn kill(pid: u32, signal: &str) {
    // 0 would be this program, and whoever started it.
    assert_ne!(pid, 0, "no process to kill");
    let done = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    assert!(done.unwrap().success(), "kill {signal} {pid}");
}

pub(crate) fn is_there(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.contains(") ") && !stat.contains(") Z")
}

pub(crate) fn until(what: &str, done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "not in time: {what}");
        sleep(Duration::from_millis(10));
    }
}
