//! Real processes under a real supervisor, which is killed too. Needs root and cgroup2.

#[path = "local/gap.rs"]
mod gap;
#[path = "local/http.rs"]
mod http;
#[path = "local/journal.rs"]
mod journal;
#[path = "local/limits.rs"]
mod limits;
#[path = "local/precedence.rs"]
mod precedence;
#[path = "local/scenes.rs"]
mod scenes;
#[path = "local/stage.rs"]
mod stage;
#[path = "local/storm.rs"]
mod storm;
#[path = "local/window.rs"]
mod window;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    // The supervisor that is killed is this same program.
    if let Some(folder) = std::env::var_os(stage::SUPERVISOR) {
        stage::supervise(folder.as_ref());
    }
    let args = Arguments::from_args();
    if !args.list && !rustix::process::geteuid().is_root() {
        eprintln!("these tests make cgroups and change users: run them as root");
        std::process::exit(1);
    }
    let mut trials = Vec::new();
    for (name, scene) in scenes::ALL {
        trials.push(Trial::test(*name, move || {
            scene();
            Ok::<(), Failed>(())
        }));
    }
    libtest_mimic::run(&args, trials).exit();
}
