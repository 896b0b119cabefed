// SPDX-License-Identifier: GPL-2.0-only

//! `enforce`: a command runs under its profile.

use anyhow::{bail, Result};
use seccomp_learn::action::Action;
use seccomp_learn::arguments::{describe_values, Selection};
use seccomp_learn::run::{self, Outcome};
use seccomp_learn::syscalls::{Arch, Call};

use super::args::Enforce;
use super::learn::{choose_via, job};
use super::profiles::read_profile;
use super::say::{reasons, say, Progress};
use super::{EXIT_INCOMPLETE, EXIT_REFUSED};

/// How many values of a refused call are named.
const SHOWN_VALUES: usize = 8;

pub fn run(args: Enforce) -> Result<u8> {
    let profile = read_profile(&args.profile, &args.reading)?;
    if let Some(why) = &profile.incomplete {
        say(format_args!("the profile is incomplete: {why}"));
    }
    let starts = |call: &Call| {
        matches!(call.name().as_deref(), Some("execve")) && call.arch() == Arch::NATIVE
    };
    if !profile.calls.keys().any(starts) && args.action != Action::Log {
        bail!(
            "{}: the profile does not allow execve, so that nothing can be started under it",
            args.profile.display()
        );
    }
    let via = choose_via(&args.execution)?;
    let progress = Progress::new(args.execution.quiet);
    let on_event = |event| match event {
        // These are the refused ones.
        run::Event::New(..) => {}
        event => progress.on_event(event),
    };
    let mut job = job(&args.execution, &profile.calls, via)?;
    job.action = args.action;
    job.on_event = &on_event;
    // Where there are conditions, the report names the values.
    job.ask = profile.calls.values().any(|seen| !seen.when.is_always());
    job.absent = profile.absent.clone();
    job.arguments = Selection::of(&profile);
    let outcome = run::run(&job);
    progress.end();
    let outcome = outcome?;
    if !args.execution.quiet || !outcome.calls.is_empty() || !outcome.losses.is_empty() {
        say(report(&outcome, args.action));
    }
    Ok(if !outcome.calls.is_empty() {
        EXIT_REFUSED
    } else if !outcome.losses.is_empty() {
        EXIT_INCOMPLETE
    } else {
        outcome.status as u8
    })
}

/// What a profile refused.
fn report(outcome: &Outcome, action: Action) -> String {
    let calls: Vec<String> = outcome
        .calls
        .iter()
        .map(|(call, seen)| {
            let values: Vec<String> = seen
                .values
                .iter()
                .take(SHOWN_VALUES)
                .map(|values| describe_values(*call, values))
                .collect();
            format!(
                "{call} ({}{}by {})",
                match values.len() {
                    0 => String::new(),
                    _ => format!("{}, ", values.join(", ")),
                },
                match seen.count {
                    1 => String::new(),
                    n => format!("{n} times, first "),
                },
                seen.first.as_deref().unwrap_or("a task without name"),
            )
        })
        .collect();
    let mut text = match (calls.is_empty(), action) {
        (true, _) => "nothing was refused".to_owned(),
        (_, Action::Kill) => format!("killed for: {}", calls.join(", ")),
        (_, Action::Log) => format!("let through, though not allowed: {}", calls.join(", ")),
        _ => format!("refused: {}", calls.join(", ")),
    };
    if outcome.not_killed > 0 {
        text += &format!(
            "; {} times the task could not be killed, and its call was refused",
            outcome.not_killed
        );
    }
    if let Some(why) = reasons(&outcome.losses) {
        text += &format!("; this report is incomplete: {why}");
    }
    format!("{text}; the command's exit status is {}", outcome.status)
}
