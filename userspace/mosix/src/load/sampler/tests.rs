use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

fn usage(pid: u32, start: u64, run: u64, wait: u64) -> Usage {
    Usage {
        key: Key { pid, start },
        run: Duration::from_nanos(run),
        wait: Duration::from_nanos(wait),
    }
}

fn ended(pid: u32, start: u64, run: u64) -> Ended {
    Ended {
        key: Key { pid, start },
        run: Duration::from_nanos(run),
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6 * (1.0 + a.abs())
}

proptest! {
    /// Each runs a part of the time and waits for the rest of it: however the processors are
    /// shared out, the load is their number.
    #[test]
    fn each_process_that_is_always_ready_is_100(
        shares in prop::collection::vec(0_u64..=1_000, 0..50),
        interval in 1_000_000_u64..10_000_000_000,
    ) {
        let mut sampler = Sampler::new();
        let of = |time: u64| {
            (0..).zip(&shares).map(|(pid, share)| {
                let run = (u128::from(time) * u128::from(*share) / 1_000) as u64;
                usage(pid, 0, run, time - run)
            }).collect::<Vec<_>>()
        };
        prop_assert_eq!(sampler.add(SECOND, of(SECOND), []), None);
        let sample = sampler.add(SECOND + interval, of(SECOND + interval), []).expect("the second");
        prop_assert!(near(sample.load, 100.0 * shares.len() as f64), "{}", sample.load);
        prop_assert_eq!(sample.interval, Duration::from_nanos(interval));
    }

    /// Whatever comes and goes, what was used in all is what the loads add up to.
    #[test]
    fn nothing_used_is_forgotten(
        lives in prop::collection::vec((0_u64..20, 1_u64..10, 0_u64..=1_000), 0..40),
    ) {
        let mut sampler = Sampler::new();
        sampler.add(0, [], []);
        let (mut sum, mut used) = (0.0, 0);
        for second in 1..40 {
            let now = second * SECOND;
            let (mut usages, mut gone) = (Vec::new(), Vec::new());
            for (pid, (birth, life, permille)) in (0..).zip(&lives) {
                let (start, end) = (birth * SECOND + 1, (birth + life) * SECOND + 2);
                let run = |until: u64| (until - start) / 1_000 * permille;
                if start < now && now < end {
                    usages.push(usage(pid, start, run(now), 0));
                } else if end <= now && now - SECOND < end {
                    gone.push(ended(pid, start, run(end)));
                    used += run(end);
                }
            }
            sum += sampler.add(now, usages, gone).expect("not the first").load;
        }
        prop_assert!(near(sum, 100.0 * used as f64 / SECOND as f64));
        prop_assert_eq!(sampler.processes().count(), 0);
    }

    #[test]
    fn any_samples_are_taken(
        samples in prop::collection::vec(
            (any::<u64>(), prop::collection::vec((0_u32..5, 0_u64..3, any::<u64>(), any::<u64>()), 0..6)),
            0..20,
        ),
    ) {
        let mut sampler = Sampler::new();
        for (at, usages) in samples {
            let usages = usages.into_iter().map(|(p, s, r, w)| usage(p, s, r, w));
            if let Some(sample) = sampler.add(at, usages, []) {
                prop_assert!(sample.load >= 0.0 && sample.load.is_finite());
            }
        }
    }
}

#[test]
fn a_number_that_is_given_again_is_somebody_else() {
    let mut sampler = Sampler::new();
    sampler.add(10 * SECOND, [usage(7, 1, 9 * SECOND, 0)], []);
    let next = usage(7, 10 * SECOND + 1, SECOND / 2, 0);
    let sample = sampler.add(11 * SECOND, [next], [ended(7, 1, 9 * SECOND)]);
    assert_eq!(sample.map(|sample| sample.load), Some(50.0));
    assert_eq!(sampler.process(Key { pid: 7, start: 1 }), None);
    assert_eq!(sampler.process(next.key), Some(50.0 * 3.0 / 8.0));
}

#[test]
fn an_old_process_that_turns_up_has_not_used_it_all_now() {
    let mut sampler = Sampler::new();
    sampler.add(100 * SECOND, [], []);
    let old = usage(7, SECOND, 90 * SECOND, 9 * SECOND);
    let sample = sampler.add(101 * SECOND, [old], []);
    assert_eq!(sample.map(|sample| sample.load), Some(0.0));
}

#[test]
fn no_time_no_load() {
    let mut sampler = Sampler::new();
    assert_eq!(sampler.add(5, [], []), None);
    assert_eq!(sampler.add(5, [], []), None);
    assert_eq!(sampler.add(4, [], []), None);
    assert!(sampler.add(6, [], []).is_some());
}
