// SPDX-License-Identifier: GPL-2.0-only

//! `run`: a command is learned from.

use std::fs::File;

use anyhow::{bail, Context, Result};
use seccomp_learn::arguments::{restrict, Restricted, Selection};
use seccomp_learn::evidence::{self, Evidence};
use seccomp_learn::format::Format;
use seccomp_learn::learn::{learn, Learnt, Lesson};
use seccomp_learn::origin::look_up;
use seccomp_learn::profile::Profile;
use seccomp_learn::run::{self, Blocked, Job, Via};
use seccomp_learn::syscalls::Call;

use super::args::{self, Execution};
use super::output::Output;
use super::profiles::{output, read_profile, say_lifted, write_profile};
use super::say::{reasons, say, KeptBack, Progress};
use super::EXIT_INCOMPLETE;

/// How many names are listed.
const SHOWN_NAMES: usize = 12;

pub fn run(args: args::Run) -> Result<u8> {
    let output = output(&args.writing);
    output.check()?;
    let mut base = match &args.base {
        Some(path) => read_profile(path, &args.reading)?,
        None => Profile::default(),
    };
    // Whether it is seen is to be found out.
    base.exact();
    let selection = (!args.args.is_empty()).then(|| {
        let more = args.args.iter().filter_map(|named| named.0.clone());
        Selection {
            more: more.collect(),
        }
    });
    let before = base.clone();
    let via = choose_via(&args.execution)?;
    let records = match &args.records {
        Some(_) if via == Via::Notify => bail!("--records: there are no records with --via notify"),
        Some(path) => Some(
            File::create_new(path).with_context(|| format!("cannot write {}", path.display()))?,
        ),
        None => None,
    };
    let progress = Progress::new(args.execution.quiet);
    let on_event = |event| progress.on_event(event);
    let on_pass = |pass| progress.on_pass(pass);
    let mut job = job(&args.execution, &base.calls, via)?;
    job.on_event = &on_event;
    job.records = records.as_ref();
    job.count = args.count;
    // No other format says where a call came from.
    job.places = args.writing.format == Format::Json;
    job.ask = selection.is_some();
    job.arguments = selection.clone().unwrap_or_default();
    let mut lesson = Lesson::new(job);
    lesson.passes = args.passes;
    lesson.stable = args.stable;
    lesson.retries = args.retry;
    lesson.arguments = selection.is_some();
    lesson.on_pass = &on_pass;

    let kept_back = match output {
        Output::Standard => Some(KeptBack::new()?),
        Output::File(..) => None,
    };
    let learnt = learn(&lesson);
    progress.end();
    drop(kept_back);
    let learnt = learnt?;

    let incomplete = reasons(&learnt.losses).or(base.incomplete.take());
    let mut profile = Profile::default();
    profile.calls = learnt.calls.clone();
    profile.action = base.action;
    profile.incomplete = incomplete.clone();
    profile.history = Some(learnt.history);
    profile.evidence = base.evidence;
    let mine = learned_here(&args.execution, via, &learnt);
    evidence::add(&mut profile.evidence, vec![mine]);
    look_up(&mut profile.calls);
    if !args.writing.exact {
        profile.imply();
    }
    if let Some(selection) = &selection {
        let restricted = restrict(&mut profile, selection, &before);
        if !args.execution.quiet {
            say_conditions(&restricted);
        }
    }
    // With --args it is said why a call has no condition.
    if selection.is_none() {
        let why = "it was made in other cases, and --args was not given";
        say_lifted(&before, &profile, why);
    }
    let written = write_profile(&mut profile, &args.writing, &output);
    if !args.execution.quiet || incomplete.is_some() {
        say(summary(&learnt, &profile, via));
    }
    written?;
    Ok(match incomplete {
        Some(_) => EXIT_INCOMPLETE,
        None => learnt.status as u8,
    })
}

/// What this run is evidence of.
fn learned_here(execution: &Execution, via: Via, learnt: &Learnt) -> Evidence {
    let command = execution.command.first();
    let path = command.and_then(|program| run::find(program).ok());
    let program = command.map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let via = match via {
        Via::Notify => "notify",
        _ => "log",
    };
    let mut evidence = Evidence::here(&program, path.as_deref(), via);
    evidence.passes = learnt.history.passes;
    evidence.lossy = learnt.history.lossy + u32::from(!learnt.losses.is_empty());
    evidence.records = learnt.records;
    evidence
}

/// Which calls have conditions, and what undoes them.
fn say_conditions(restricted: &Restricted) {
    let names = |calls: &[Call]| {
        let names: Vec<String> = calls.iter().map(ToString::to_string).collect();
        names.join(" ")
    };
    say(match restricted.calls.len() {
        0 => "no call has a condition".to_owned(),
        n => format!("{n} calls have conditions: {}", names(&restricted.calls)),
    });
    for (call, why) in &restricted.without {
        say(format_args!("{call} has no condition: {why}"));
    }
    for (call, undone) in &restricted.hiding {
        say(format_args!(
            "{call} hides its arguments behind a pointer, and undoes what is said of {}",
            names(undone)
        ));
    }
}

/// What the result knows of itself.
fn summary(learnt: &Learnt, profile: &Profile, via: Via) -> String {
    let mut text = format!(
        "{} {}, {} distinct calls",
        learnt.records,
        match via {
            Via::Notify => "notifications",
            _ => "records",
        },
        learnt.calls.len(),
    );
    match profile.implied() {
        0 => {}
        n => text += &format!(" and {n} implied"),
    }
    text += &match (&profile.incomplete, learnt.earlier.as_slice()) {
        (Some(why), _) => format!(", incomplete: {why}"),
        (None, []) => ", complete".to_owned(),
        (None, earlier) => {
            let earlier: Vec<String> = earlier
                .iter()
                .map(|(pass, losses)| {
                    format!("pass {pass}: {}", reasons(losses).unwrap_or_default())
                })
                .collect();
            format!(
                ", the last pass is complete, earlier ones were not ({}): a call that one of them \
                 lost and no other made is not known",
                earlier.join("; ")
            )
        }
    };
    let history = learnt.history;
    if history.passes > 1 {
        text += &match history.last_new {
            0 => format!(", {} passes, none with a new call", history.passes),
            n => format!(", {} passes, the last new call in pass {n}", history.passes),
        };
        if let Some(once) = learnt.once.as_ref().filter(|once| !once.is_empty()) {
            let mut names: Vec<String> = once
                .iter()
                .take(SHOWN_NAMES)
                .map(ToString::to_string)
                .collect();
            if once.len() > SHOWN_NAMES {
                names.push(format!("and {} others", once.len() - SHOWN_NAMES));
            }
            text += &format!(", seen in one pass only: {}", names.join(" "));
        }
    }
    format!("{text}; the command's exit status is {}", learnt.status)
}

/// The job that the arguments describe. From here on signals are blocked until this
/// process has ended: one that comes after the command's end must not end it before
/// the result is written.
pub fn job<'a>(
    args: &'a Execution,
    allowed: &'a seccomp_learn::syscalls::Calls,
    via: Via,
) -> Result<Job<'a>> {
    let blocked = Blocked::new()?;
    let mut job = Job::new(&args.command, allowed, via);
    job.keep_privs = args.keep_privs;
    job.backlog = args.backlog;
    job.duration = args.duration;
    job.mask = Some(blocked.before());
    std::mem::forget(blocked);
    Ok(job)
}

/// Chooses how calls are seen, and says so.
pub fn choose_via(args: &Execution) -> Result<Via> {
    let (via, why) = match args.via {
        args::Via::Log => (Via::Log, None),
        args::Via::Notify => (Via::Notify, None),
        args::Via::Auto => run::available(),
    };
    if !args.quiet {
        match (via, why) {
            (Via::Notify, Some(why)) => {
                say(format_args!("via notify, as audit cannot be read ({why})"));
            }
            (Via::Notify, None) => say("via notify"),
            _ => say("via the audit log"),
        }
        let program = args.command.first().context("no command")?;
        if !args.keep_privs && run::gains_privileges(program) {
            say(format_args!(
                "{} is set-uid or set-gid, and gains nothing under no_new_privs; \
                 --keep-privs, as root, runs it as ever",
                program.to_string_lossy()
            ));
        }
    }
    Ok(via)
}
