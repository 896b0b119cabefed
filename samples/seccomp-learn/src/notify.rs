// SPDX-License-Identifier: GPL-2.0-only

//! The listener of SECCOMP_RET_USER_NOTIF.
//!
//! Every call that the filter does not allow stops until the listener has
//! answered, so none can be missed, and no capability is needed.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};

use crate::action::Action;
use crate::syscalls::Call;

/// A call that waits for its answer.
pub struct Notification {
    /// What is called.
    pub call: Call,
    /// Its arguments.
    pub args: [u64; 6],
    /// The instruction after the call.
    pub ip: u64,
    /// The task that calls, 0 if it cannot be seen from here.
    pub task: i32,
    id: u64,
}

/// The end of a filter that its supervisor holds.
pub struct Listener(OwnedFd);

/// What became of a task that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answered {
    /// What was to.
    Done,
    /// It was to be killed, and cannot be seen from here: its call was refused.
    NotKilled,
}

impl Listener {
    /// The listener that this descriptor is.
    pub fn new(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Waits for the next call. `None` when no task is left under the filter,
    /// or when `stop` becomes readable or is closed.
    ///
    /// # Errors
    ///
    /// Fails if the kernel does not give the notification.
    pub fn next(&self, stop: impl AsFd) -> io::Result<Option<Notification>> {
        loop {
            let mut fds = [
                PollFd::new(self.0.as_fd(), PollFlags::POLLIN),
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut fds, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                result => result?,
            };
            let ready = fds.map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
            if !ready[0].contains(PollFlags::POLLIN) {
                return Ok(None);
            }
            // SAFETY: the structure is made of integers, for which zero is a
            // value; the kernel insists on it.
            let mut request: libc::seccomp_notif = unsafe { std::mem::zeroed() };
            // SAFETY: the request's number carries the size of what the pointer
            // points to, and the kernel writes no more.
            let ret = unsafe {
                libc::ioctl(
                    self.0.as_raw_fd(),
                    libc::SECCOMP_IOCTL_NOTIF_RECV,
                    &raw mut request,
                )
            };
            if ret == 0 {
                return Ok(Some(Notification {
                    call: Call {
                        arch: request.data.arch,
                        nr: request.data.nr as u32,
                    },
                    args: request.data.args,
                    ip: request.data.instruction_pointer,
                    task: request.pid as i32,
                    id: request.id,
                }));
            }
            match Errno::last() {
                // The task was killed, or a signal came, before we had it.
                Errno::ENOENT | Errno::EINTR => {}
                e => return Err(e.into()),
            }
        }
    }

    /// Whether the task waits no longer. A kernel that does not know the request says
    /// nothing of it.
    fn is_gone(&self, notification: &Notification) -> bool {
        // SAFETY: the kernel reads the number that is pointed to.
        let ret = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
                &raw const notification.id,
            )
        };
        ret != 0 && Errno::last() == Errno::ENOENT
    }

    /// Lets the task go on in the way that `action` says.
    ///
    /// # Errors
    ///
    /// Fails if the kernel does not take the answer, other than because the
    /// task is gone.
    pub fn answer(&self, notification: &Notification, action: Action) -> io::Result<Answered> {
        let mut response = libc::seccomp_notif_resp {
            id: notification.id,
            val: 0,
            error: 0,
            flags: 0,
        };
        let mut answered = Answered::Done;
        match action {
            Action::Log => response.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
            Action::Errno(errno) => response.error = -i32::from(errno),
            Action::Kill => {
                if self.is_gone(notification) {
                    return Ok(Answered::Done);
                }
                response.error = -libc::EPERM;
                // SAFETY: the call takes two integers. The task has just been there,
                // so its id can be another's only if somebody else kills it at this
                // moment and it is used again at once.
                let kill = |task| unsafe { libc::kill(task, libc::SIGKILL) };
                let gone = |ret| ret == 0 || Errno::last() == Errno::ESRCH;
                if notification.task == 0 || !gone(kill(notification.task)) {
                    answered = Answered::NotKilled;
                }
            }
        }
        // SAFETY: as in `next`.
        let ret = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SEND,
                &raw mut response,
            )
        };
        match Errno::last() {
            _ if ret == 0 => Ok(answered),
            // It is gone.
            Errno::ENOENT => Ok(Answered::Done),
            e => Err(e.into()),
        }
    }
}

impl Notification {
    /// The name of the task, while it waits.
    pub fn comm(&self) -> Option<String> {
        let comm = fs::read(format!("/proc/{}/comm", self.task)).ok()?;
        Some(String::from_utf8_lossy(comm.trim_ascii_end()).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpf::{Filter, Install, RET_ALLOW};
    use std::os::fd::FromRawFd;
    use std::process::{Command, Stdio};

    #[test]
    fn who_has_the_number_of_a_task_that_is_gone_is_not_killed() {
        // A filter is its thread's alone.
        let install = || {
            let how = Install {
                once: false,
                no_new_privs: true,
                log: false,
                listener: true,
            };
            Filter::new([], RET_ALLOW).unwrap().install(how)
        };
        let listener = match std::thread::spawn(install).join().unwrap() {
            // SAFETY: the kernel has just given this descriptor to us alone.
            Ok(fd) => Listener::new(unsafe { OwnedFd::from_raw_fd(fd.unwrap()) }),
            Err(e) => return eprintln!("SKIP: no listener here: {e}"),
        };
        let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let notification = Notification {
            call: Call { arch: 0, nr: 0 },
            args: [0; 6],
            ip: 0,
            task: other.id() as i32,
            id: 1,
        };
        let answered = listener.answer(&notification, Action::Kill).unwrap();
        assert_eq!(answered, Answered::Done);
        drop(other.stdin.take());
        assert!(other.wait().unwrap().success());
    }
}
