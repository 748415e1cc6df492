//! A thousand fail at once.

use std::time::{Duration, Instant};

use ssi_keepalive::core::{Exit, Failure, Id, State};

use super::stage::{Play, Stage, kill, play, process};

const COUNT: u32 = 1000;

fn of_all(play: &Play, what: impl Fn(&ssi_keepalive::core::Status) -> bool) -> bool {
    let now = ssi_keepalive::runner::now();
    let mut all = play.local.supervisor().list(now);
    all.all(|status| &*status.id.process == "calm" || what(&status))
}

/// Another one dies meanwhile, and is not forgotten.
async fn calm_is_restarted(play: &mut Play) {
    let before = play.pid("calm");
    let errors = play.errors("calm");
    let killed = Instant::now();
    kill(before, "-9");
    play.until("calm", |p| p.errors("calm") > errors && p.pid("calm") != 0)
        .await;
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
}

pub(crate) fn a_thousand_that_die_at_once_are_there_again() {
    let all = format!(
        "[[process]]\nname = \"s\"\npath = \"/bin/sleep\"\nargs = [\"1000\"]\ninstances = {COUNT}\n"
    );
    let stage = Stage::new(&format!("{all}{}", process("calm", "exec sleep 1000", "")));
    play(async {
        let mut play = stage.open();
        play.all("all run", |play| of_all(play, |s| s.state == State::Ok))
            .await;
        play.state("calm", State::Ok).await;
        let now = ssi_keepalive::runner::now();
        let list = play.local.supervisor().list(now);
        let pids: Vec<u32> = list.filter_map(|s| Some(s.main?.pid)).collect();
        let calm = play.pid("calm");
        for pid in pids.iter().filter(|pid| **pid != calm) {
            kill(*pid, "-9");
        }
        calm_is_restarted(&mut play).await;
        play.all("all run again", |play| {
            of_all(play, |s| s.state == State::Ok && s.record.total == 1)
        })
        .await;
        let last = play.of(&Id::new("s", COUNT - 1)).record.last;
        assert_eq!(last, Some(Failure::Exit(Exit::Signal(9))));
    });
}

pub(crate) fn a_thousand_that_can_t_run_go_down() {
    let all = format!(
        "[[process]]\nname = \"s\"\npath = \"/bin/false\"\ninstances = {COUNT}\nerror_limit = 2\n"
    );
    let stage = Stage::new(&format!("{all}{}", process("calm", "exec sleep 1000", "")));
    play(async {
        let mut play = stage.open();
        play.state("calm", State::Ok).await;
        calm_is_restarted(&mut play).await;
        play.all("all are down", |play| {
            of_all(play, |s| s.state == State::Down)
        })
        .await;
        assert!(of_all(&play, |s| s.record.total == 2));
    });
}
