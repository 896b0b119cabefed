// SPDX-License-Identifier: GPL-2.0-only

//! Answering the calls that come to a listener.

use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use super::collect::Collector;
use super::follow::Ending;
use super::{Job, Loss};
use crate::action::Action;
use crate::elf::Files;
use crate::error::Result;
use crate::notify::{Answered, Listener, Notification};
use crate::origin::Origin;

/// Answers a listener, if there is one, while `follow` lasts.
pub fn listening(
    job: &Job<'_>,
    listener: Option<OwnedFd>,
    collector: &mut Collector<'_>,
    follow: impl FnOnce() -> Result<Ending>,
) -> Result<Ending> {
    let Some(listener) = listener else {
        return follow();
    };
    let listener = Listener::new(listener);
    let (stop_reader, stop_writer) = match pipe2(OFlag::O_CLOEXEC) {
        Ok(pipe) => pipe,
        Err(e) => {
            // The command is there already. Its calls fail, and it ends.
            drop(listener);
            let mut ending = follow()?;
            ending.losses.push(Loss::Listener(e.to_string()));
            return Ok(ending);
        }
    };
    std::thread::scope(|scope| {
        let supervisor = scope.spawn(move || supervise(job, &listener, &stop_reader, collector));
        let ending = follow();
        drop(stop_writer);
        let mut ending = ending?;
        match supervisor.join() {
            Ok(Ok(())) => {}
            Ok(Err(e)) => ending.losses.push(Loss::Listener(e.to_string())),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(ending)
    })
}

/// Answers until there is nobody left to answer, or until it is to stop. If it
/// fails, the listener is closed with it, and calls fail instead of waiting.
fn supervise(
    job: &Job<'_>,
    listener: &Listener,
    stop: &OwnedFd,
    collector: &mut Collector<'_>,
) -> std::io::Result<()> {
    let mut files = Files::default();
    while let Some(notification) = listener.next(stop)? {
        let allowed = job.allowed.get(&notification.call);
        if allowed.is_some_and(|seen| seen.when.holds(&notification.args)) {
            listener.answer(&notification, Action::Log)?;
        } else {
            collector.count(notification.call, || {
                let Notification { task, ip, args, .. } = notification;
                let origin = || Origin::waiting(task, ip, args, &mut files);
                let origin = job.places.then(origin).unwrap_or_default();
                (notification.comm(), origin)
            });
            collector.select(notification.call, &notification.args);
            if listener.answer(&notification, job.action)? == Answered::NotKilled {
                collector.not_killed();
            }
        }
    }
    Ok(())
}
