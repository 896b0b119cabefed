// SPDX-License-Identifier: GPL-2.0

//! Learning: as many runs as it takes.

use std::ffi::OsString;
use std::fs::File;

use anyhow::Result;

use crate::action::Action;
use crate::run::{run, Job, Loss, Via};
use crate::syscalls::{Call, Calls};

/// What to learn from, and how hard to try.
pub struct Lesson<'a> {
    /// The program and its arguments.
    pub command: &'a [OsString],
    /// Calls that are known before the first pass.
    pub base: Calls,
    /// How the calls come to us.
    pub via: Via,
    /// Leave `no_new_privs` unset.
    pub keep_privs: bool,
    /// As in [`Job`].
    pub backlog: Option<u32>,
    /// At most this many passes; a complete one that brings nothing new is the
    /// last.
    pub passes: u32,
    /// At most this many more while a pass is incomplete.
    pub retries: u32,
    /// Called with each new call, and how many are known with it.
    pub on_new: &'a (dyn Fn(usize, Call) + Sync),
    /// As in [`Job`].
    pub on_left: &'a (dyn Fn() + Sync),
    /// Where to write the audit records themselves.
    pub records: Option<&'a File>,
}

/// What was learnt.
pub struct Learnt {
    /// The calls, the base among them.
    pub calls: Calls,
    /// Records of all passes.
    pub records: u64,
    /// Why the list may not be whole; of the last pass.
    pub losses: Vec<Loss>,
    /// Passes made.
    pub passes: u32,
    /// The command's exit status in the last pass.
    pub status: i32,
}

/// Runs the command, each time with what is known already allowed, so that each
/// pass has less to record than the one before.
///
/// # Errors
///
/// As [`run`].
pub fn learn(mut lesson: Lesson<'_>) -> Result<Learnt> {
    let mut learnt = Learnt {
        calls: std::mem::take(&mut lesson.base),
        records: 0,
        losses: Vec::new(),
        passes: 0,
        status: 0,
    };
    loop {
        let known = learnt.calls.len();
        let outcome = run(&Job {
            command: lesson.command,
            allowed: &learnt.calls,
            action: Action::Log,
            via: lesson.via,
            keep_privs: lesson.keep_privs,
            backlog: lesson.backlog,
            on_new: &|distinct, call| (lesson.on_new)(known + distinct, call),
            on_left: lesson.on_left,
            records: lesson.records,
        })?;
        let interrupted = outcome.interrupted();
        learnt.passes += 1;
        learnt.status = outcome.status;
        learnt.records += outcome.records;
        learnt.calls.extend(outcome.calls);
        learnt.losses = outcome.losses;
        if interrupted {
            return Ok(learnt);
        }
        if !learnt.losses.is_empty() {
            // A later pass that is complete makes up for this one: what it did
            // not record is allowed, so known.
            if lesson.retries == 0 {
                return Ok(learnt);
            }
            lesson.retries -= 1;
        } else if learnt.passes >= lesson.passes || learnt.calls.len() == known {
            return Ok(learnt);
        }
    }
}
