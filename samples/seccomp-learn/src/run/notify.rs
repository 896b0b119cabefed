// SPDX-License-Identifier: GPL-2.0-only

//! A run whose calls come to a listener.

use std::path::Path;

use super::child::{put_down, Child, Plan};
use super::collect::Collector;
use super::follow::{follow, Os};
use super::supervise::listening;
use super::{Job, Outcome};
use crate::bpf::{Asked, Filter, Install, RET_USER_NOTIF};
use crate::error::Result;
use crate::syscalls::Arch;

pub fn run(job: &Job<'_>, program: &Path) -> Result<Outcome> {
    // The command's own execve closes the child's descriptor of the listener,
    // so it has to wait until we listen, even where it is allowed.
    let execve = Arch::NATIVE.call("execve");
    let filter = Filter::mixed(
        job.allowed
            .iter()
            .filter(|&(&call, _)| Some(call) != execve)
            .map(|(call, seen)| (call, &seen.when)),
        RET_USER_NOTIF,
        &Asked::new(),
        &job.absent,
    )?;
    let mut os = Os::new()?;
    let child = Child::start(&Plan {
        program,
        arguments: job.command,
        mask: job.mask.unwrap_or(os.mask()),
        loginuid: None,
        filter: &filter,
        how: Install {
            once: false,
            no_new_privs: !job.keep_privs,
            log: false,
            listener: true,
        },
        canary: false,
    })?;
    child.ready();
    let Some(listener) = child.listener() else {
        return Err(put_down(&child));
    };
    let mut collector = Collector::heard(job);
    let ending = listening(job, Some(listener), &mut collector, || {
        follow(&mut os, child.pid, job.duration, job.on_event, &mut || {
            Ok(())
        })
    })?;
    if let Some(failure) = child.failure() {
        return Err(failure);
    }
    collector.finish(ending)
}
