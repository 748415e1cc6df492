//! `ssi-testbed fault`.

use anyhow::{Result, bail};
use ssi_testbed::fault::{self, ALL, Delay, Fault, On};
use ssi_testbed::plan::Machine;
use ssi_testbed::state;

use super::args::FaultVerb;

/// Carries it out.
pub(super) fn run(verb: FaultVerb) -> Result<()> {
    let _lock = state::lock()?;
    let mut state = state::running()?;
    let faults = match verb {
        FaultVerb::Loss {
            between,
            percent,
            on,
        } => loss(&between, percent, on.on)?,
        FaultVerb::Partition {
            one,
            other,
            one_way,
            on,
        } => cut(&hosts(&one)?, &hosts(&other)?, one_way, on.on),
        FaultVerb::Cut {
            one,
            other,
            one_way,
            on,
        } => cut(&[one.host()], &[other.host()], one_way, on.on),
        FaultVerb::Delay {
            machine,
            milliseconds,
            on,
        } => {
            let on = on.on;
            check_client(machine.host(), on)?;
            let delay = Delay {
                machine,
                milliseconds,
                on,
            };
            return fault::delay(&mut state, delay);
        }
        FaultVerb::Pause { machine } => return fault::pause(&mut state, machine, true),
        FaultVerb::Resume { machine } => return fault::pause(&mut state, machine, false),
        FaultVerb::Fill { machine } => return fault::fill(&mut state, machine, true),
        FaultVerb::Empty { machine } => return fault::fill(&mut state, machine, false),
        FaultVerb::Kill { machine, process } => {
            let killed = fault::kill_named(&state, machine, &process)?;
            eprintln!("killed {killed}");
            return Ok(());
        }
        FaultVerb::Heal => return fault::heal(&mut state),
        FaultVerb::List => {
            for line in fault::list(&state) {
                println!("{line}");
            }
            return Ok(());
        }
    };
    for fault in &faults {
        for host in fault.from.iter().chain(&fault.to) {
            check_client(*host, fault.on)?;
        }
    }
    fault::add(&mut state, faults)
}

/// A rule about a port that there can't be would do nothing, in silence.
fn check_client(host: u8, on: On) -> Result<()> {
    if host == Machine::Client.host() && on != On::Ext {
        bail!("the client is on the external network only: add --net ext");
    }
    Ok(())
}

/// `2` is both ways of node 2; `1:2` from node 1 to node 2.
fn loss(between: &str, percent: f64, on: On) -> Result<Vec<Fault>> {
    if !(0.0..=100.0).contains(&percent) {
        bail!("{percent} is no percentage: say 0 to 100");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 10,000, as just checked"
    )]
    let lost = (percent * f64::from(ALL) / 100.0).round() as u32;
    let fault = |from, to| Fault { from, to, lost, on };
    if let Some((from, to)) = between.split_once(':') {
        return Ok(vec![fault(hosts(from)?, hosts(to)?)]);
    }
    let host = hosts(between)?;
    Ok(vec![
        fault(host.clone(), Vec::new()),
        fault(Vec::new(), host),
    ])
}

fn cut(one: &[u8], other: &[u8], one_way: bool, on: On) -> Vec<Fault> {
    let fault = |from: &[u8], to: &[u8]| Fault {
        from: from.to_vec(),
        to: to.to_vec(),
        lost: ALL,
        on,
    };
    let mut faults = vec![fault(one, other)];
    if !one_way {
        faults.push(fault(other, one));
    }
    faults
}

fn hosts(list: &str) -> Result<Vec<u8>> {
    list.split(',')
        .map(|word| Ok(word.trim().parse::<Machine>()?.host()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expressions_of_faults() {
        let one_way = loss("1:2,client", 12.34, On::Ext).unwrap();
        assert_eq!(
            one_way,
            [Fault {
                from: vec![1],
                to: vec![2, 200],
                lost: 1234,
                on: On::Ext
            }]
        );
        assert_eq!(loss("2", 5.0, On::Ic).unwrap().len(), 2);
        for wrong in ["", "1:", ":2", "1,x", "99", "1:2:3", "0"] {
            assert!(loss(wrong, 5.0, On::Ic).is_err(), "{wrong}");
        }
        for wrong in [-1.0, 100.1, f64::NAN, f64::INFINITY] {
            assert!(loss("1", wrong, On::Ic).is_err(), "{wrong}");
        }
        assert_eq!(cut(&[1], &[2], true, On::Ic).len(), 1);
        assert_eq!(cut(&[1], &[2], false, On::Ic).len(), 2);
        assert!(check_client(200, On::Both).is_err());
    }

    proptest! {
        #[test]
        fn lists_mean_what_they_say(numbers in prop::collection::vec(1_u8..=15, 1..20)) {
            let words: Vec<_> = numbers.iter().map(u8::to_string).collect();
            prop_assert_eq!(hosts(&words.join(",")).unwrap(), numbers.clone());
            prop_assert_eq!(hosts(&words.join(" , ")).unwrap(), numbers);
        }

        #[test]
        fn nonsense_is_refused_and_harms_nothing(text in "\\PC*") {
            if let Ok(faults) = loss(&text, 50.0, On::Ic) {
                let known = |host: &u8| (1..=15).contains(host) || *host == 200;
                prop_assert!(faults.iter().all(|f| f.from.iter().chain(&f.to).all(known)));
            }
        }
    }
}
