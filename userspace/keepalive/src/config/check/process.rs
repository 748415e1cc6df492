//! What is said of one process alone.

use std::path::Path;

use super::super::process::Process;
use super::super::seconds::Span;
use super::super::test::{Ready, Test};
use super::super::world::World;

/// The most instances of one process.
const MOST_INSTANCES: u32 = 10_000;

type Wrong<'a> = &'a mut dyn FnMut(&str, String);

/// What was said and can't be, by field.
pub(super) fn check(process: &Process, world: &dyn World, wrong: Wrong<'_>) {
    program(process, world, wrong);
    numbers(process, wrong);
    tests(process, world, wrong);
    for (resource, limit) in &process.rlimits {
        if !limit.is_possible() {
            let name = format!("{resource:?}").to_lowercase();
            wrong("rlimits", format!("rlimits.{name}: soft is above hard"));
        }
    }
}

fn program(process: &Process, world: &dyn World, wrong: Wrong<'_>) {
    if let Some(why) = executable(&process.path, world) {
        wrong("path", why);
    }
    if process.args.iter().any(|arg| arg.contains('\0')) {
        wrong("args", "an argument has a zero byte in it".to_owned());
    }
    for (name, value) in &process.environment {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            wrong("environment", format!("environment: {name:?} can't be set"));
        }
    }
    if let Some(user) = &process.user
        && !world.has_user(user)
    {
        wrong("user", format!("there is no user \"{user}\" on this node"));
    }
    if let Some(group) = &process.group
        && !world.has_group(group)
    {
        let message = format!("there is no group \"{group}\" on this node");
        wrong("group", message);
    }
    if let Some(cwd) = &process.cwd {
        let shown = cwd.display();
        if !cwd.is_absolute() {
            wrong("cwd", format!("cwd \"{shown}\" is no absolute path"));
        } else if !world.has_directory(cwd) {
            let message = format!("cwd: there is no directory {shown} on this node");
            wrong("cwd", message);
        }
    }
}

fn numbers(process: &Process, wrong: Wrong<'_>) {
    if !(1..=MOST_INSTANCES).contains(&process.instances) {
        let message = format!(
            "instances is 1 to {MOST_INSTANCES}, not {}",
            process.instances
        );
        wrong("instances", message);
    }
    if process.error_limit == 0 {
        let message = "error_limit is 1 at least: 0 errors have happened already";
        wrong("error_limit", message.to_owned());
    }
    for (field, span) in [
        ("probation", Some(process.probation)),
        ("ready_timeout", Some(process.ready_timeout)),
        ("watchdog", process.watchdog),
    ] {
        if span.is_some_and(Span::is_zero) {
            wrong(field, format!("{field} is no time at all"));
        }
    }
    let backoff = process.backoff;
    if backoff.factor == 0 {
        wrong("backoff", "backoff.factor is 1 at least".to_owned());
    }
    if backoff.first > backoff.longest {
        let message = "backoff.first is longer than backoff.longest";
        wrong("backoff", message.to_owned());
    }
    if process.log.size.0 < 4096 {
        wrong("log", "log.size is 4096 bytes at least".to_owned());
    }
    if let Some(both) = process.down.iter().find(|e| process.reject.contains(e)) {
        let message = format!("exit code {both} can't mean both down and reject");
        wrong("reject", message);
    }
    if process.cgroup.pids == Some(0) {
        wrong("cgroup", "cgroup.pids is 1 at least".to_owned());
    }
}

fn tests(process: &Process, world: &dyn World, wrong: Wrong<'_>) {
    if let Some(test) = process.ready.as_ref().and_then(Ready::test) {
        one(&test, "ready", world, wrong);
    }
    let Some(health) = &process.health else {
        return;
    };
    one(&health.test, "health", world, wrong);
    if health.every.is_zero() || health.timeout.is_zero() || health.failures == 0 {
        let message = "health: every, timeout and failures are more than 0";
        wrong("health", message.to_owned());
    }
}

fn one(test: &Test, field: &str, world: &dyn World, wrong: Wrong<'_>) {
    match test {
        Test::Port(0) => wrong(field, format!("{field}: there is no port 0")),
        Test::Port(_) => {}
        Test::Command(words) => match words.first() {
            None => wrong(field, format!("{field}: a command has a program at least")),
            Some(program) => {
                if let Some(why) = executable(Path::new(program), world) {
                    wrong(field, format!("{field}: {why}"));
                }
            }
        },
        Test::Http(address) => {
            let host = address.strip_prefix("http://");
            let host = host.and_then(|rest| rest.split('/').next());
            if host.is_none_or(str::is_empty) || address.contains(|c: char| c <= ' ') {
                let message = format!("{field}: {address:?} is no http://host/… address");
                wrong(field, message);
            }
        }
    }
}

fn executable(path: &Path, world: &dyn World) -> Option<String> {
    let shown = path.display();
    if !path.is_absolute() {
        return Some(format!("\"{shown}\" is no absolute path of a program"));
    }
    world.not_executable(path)
}
