// SPDX-License-Identifier: GPL-2.0-only

//! A run whose calls come to a listener.

use std::os::fd::OwnedFd;
use std::path::Path;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use super::child::{put_down, Child, Plan};
use super::collect::Collector;
use super::follow::{follow, Ending, Os};
use super::{Job, Loss, Outcome};
use crate::action::Action;
use crate::bpf::{Filter, Install, RET_USER_NOTIF};
use crate::error::{Result, Tried};
use crate::notify::{Answered, Listener};
use crate::syscalls::Arch;

pub fn run(job: &Job<'_>, program: &Path) -> Result<Outcome> {
    // The command's own execve closes the child's descriptor of the listener,
    // so it has to wait until we listen, even where it is allowed.
    let execve = Arch::NATIVE.call("execve");
    let filter = Filter::new(
        job.allowed
            .iter()
            .filter(|&(&call, _)| Some(call) != execve)
            .map(|(call, seen)| (call, &seen.when)),
        RET_USER_NOTIF,
    )?;
    let (stop_reader, stop_writer) = pipe2(OFlag::O_CLOEXEC).tried("cannot make a pipe")?;
    let mut os = Os::new()?;
    let child = Child::start(&Plan {
        program,
        arguments: job.command,
        mask: job.mask.unwrap_or(os.mask()),
        loginuid: None,
        filter: &filter,
        how: Install {
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
    let listener = Listener::new(listener);
    let mut collector = Collector::new(job, None, None);
    let ending = std::thread::scope(|scope| -> Result<Ending> {
        let collector = &mut collector;
        let supervisor = scope.spawn(move || supervise(job, &listener, &stop_reader, collector));
        let ending = follow(&mut os, child.pid, job.duration, job.on_event, &mut || {
            Ok(())
        });
        drop(stop_writer);
        let mut ending = ending?;
        match supervisor.join() {
            Ok(Ok(())) => {}
            Ok(Err(e)) => ending.losses.push(Loss::Listener(e.to_string())),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(ending)
    })?;
    if let Some(failure) = child.failure() {
        return Err(failure);
    }
    collector.finish(ending)
}

/// Answers until there is nobody left to answer, or until it is to stop. If it
/// fails, the listener is closed with it, and calls fail instead of waiting.
fn supervise(
    job: &Job<'_>,
    listener: &Listener,
    stop: &OwnedFd,
    collector: &mut Collector<'_>,
) -> std::io::Result<()> {
    while let Some(notification) = listener.next(stop)? {
        let allowed = job.allowed.get(&notification.call);
        if allowed.is_some_and(|seen| seen.when.holds(&notification.args)) {
            listener.answer(&notification, Action::Log)?;
        } else {
            collector.count(notification.call, || notification.comm());
            collector.select(notification.call, &notification.args);
            if listener.answer(&notification, job.action)? == Answered::NotKilled {
                collector.not_killed();
            }
        }
    }
    Ok(())
}
