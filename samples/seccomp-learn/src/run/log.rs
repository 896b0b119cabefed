// SPDX-License-Identifier: GPL-2.0-only

//! A run whose calls come as audit records.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::unistd::getuid;

use super::child::{can_take_session, put_down, Child, Plan};
use super::collect::Collector;
use super::follow::{follow, Os};
use super::supervise::listening;
use super::{Event, Job, Loss, Outcome, Via};
use crate::action::Action;
use crate::audit::{Control, Log};
use crate::bpf::{knows_log_once, Filter, Install};
use crate::caps::{missing, Cap};
use crate::error::{Error, Result, Tried};
use crate::settings::{Settings, PLACE};

/// How long to wait for the marker that ends the log. It is there at once
/// unless a rule drops it; a run without it counts as incomplete.
const MARKER_WAIT: Duration = Duration::from_secs(10);

const CAPS: [Cap; 3] = [Cap::AuditControl, Cap::AuditRead, Cap::AuditWrite];

/// Which way there is on this machine, and why not the log if it is not.
pub fn available() -> (Via, Option<String>) {
    let missing = missing(&CAPS);
    if !missing.is_empty() {
        return (Via::Notify, Some(format!("no {}", missing.join(", "))));
    }
    let asked = Control::open().and_then(|mut control| control.status());
    if let Err(e) = asked {
        let source = std::error::Error::source(&e).map(|e| format!(": {e}"));
        return (
            Via::Notify,
            Some(format!("{e}{}", source.unwrap_or_default())),
        );
    }
    // A new session can be refused as well, where logins are not to change.
    match loginuid().and_then(|loginuid| can_take_session(&loginuid)) {
        Ok(()) => (Via::Log, None),
        Err(e) => (Via::Notify, Some(format!("no new audit session: {e}"))),
    }
}

/// The login stays who it was; where there is none it becomes the real user.
fn loginuid() -> std::io::Result<String> {
    let loginuid = fs::read_to_string("/proc/self/loginuid")?;
    Ok(match loginuid.trim() {
        "4294967295" => getuid().to_string(),
        known => known.to_owned(),
    })
}

/// A text that nobody else knows, so that nobody can have written it.
fn nonce() -> Result<String> {
    let uuid =
        fs::read_to_string("/proc/sys/kernel/random/uuid").tried("cannot get a random number")?;
    Ok(uuid.trim_end().to_owned())
}

pub fn run(job: &Job<'_>, program: &Path) -> Result<Outcome> {
    let missing = missing(&CAPS);
    if !missing.is_empty() {
        return Err(Error::Privilege {
            what: "learning from the audit log",
            missing,
            instead: "; run as root, or use --via notify",
        });
    }
    let canary = job.action == Action::Log;
    // Who counts wants each record, and so does who keeps them.
    let once = canary && !job.count && job.records.is_none() && knows_log_once();
    let asked = job.asked();
    let filter = Filter::mixed(
        job.allowed.iter().map(|(call, seen)| (call, &seen.when)),
        job.action.value(),
        &asked,
        &job.absent,
    )?;
    let loginuid = loginuid().tried("cannot read /proc/self/loginuid")?;
    // Signals wait until the settings are put back.
    let mut os = Os::new()?;
    let mut settings =
        Settings::enter(Control::open()?, Path::new(PLACE), job.action, job.backlog)?;
    let mut changes = Vec::new();
    let result = (|| -> Result<Outcome> {
        let mut rules = settings.machine().rules()?.0;
        let mut log = Log::open(job.backlog)?;
        let begin = format!("seccomp-learn begins {}", nonce()?);
        settings.machine().write_marker(&begin)?;
        os.watch(
            log.as_fd()
                .try_clone_to_owned()
                .tried("cannot watch the audit log")?,
        );
        let child = Child::start(&Plan {
            program,
            arguments: job.command,
            mask: job.mask.unwrap_or(os.mask()),
            loginuid: Some(loginuid),
            filter: &filter,
            how: Install {
                no_new_privs: !job.keep_privs,
                log: matches!(job.action, Action::Errno(_)),
                once,
                listener: !asked.is_empty(),
            },
            canary,
        })?;
        child.ready();
        let Some(session) = child.session() else {
            return Err(put_down(&child));
        };
        let mut collector = Collector::recorded(job, session, begin, &mut changes);
        let listener = match asked.is_empty() {
            true => None,
            false => child.listener(),
        };
        let mut heard = Collector::heard(job);
        let ending = listening(job, listener, &mut heard, || {
            follow(&mut os, child.pid, job.duration, job.on_event, &mut || {
                collector.take(&mut log, None).map(|_| ())
            })
        })?;
        if let Some(failure) = child.failure() {
            return Err(failure);
        }
        let marker = format!("seccomp-learn ends {}", nonce()?);
        settings.machine().write_marker(&marker)?;
        let seen = collector.drain(&mut log, &marker, MARKER_WAIT)?;
        let lost = settings.lost()?;
        // One that was added meanwhile counts as well.
        rules.extend(settings.machine().rules()?.0);

        let canary_seen = collector.canary;
        if once {
            collector.forget_counts();
        }
        collector.only_harmless(&asked);
        collector.join(heard);
        let mut outcome = collector.finish(ending)?;
        if lost > 0 {
            outcome.losses.push(Loss::Counted(lost.into()));
        }
        let mut hiding: Vec<String> = rules
            .iter()
            .filter(|rule| rule.could_match())
            .map(ToString::to_string)
            .collect();
        hiding.sort();
        hiding.dedup();
        outcome
            .losses
            .extend(hiding.into_iter().map(Loss::Excluded));
        // Where records are known to be lost, these two may be among them.
        if outcome.losses.is_empty() && !seen {
            outcome.losses.push(Loss::NoMarker);
        }
        if outcome.losses.is_empty() && canary && !canary_seen {
            outcome.losses.push(Loss::NoCanary);
        }
        Ok(outcome)
    })();
    settings.changed(changes);
    for note in settings.leave() {
        (job.on_event)(Event::Note(note));
    }
    result
}
