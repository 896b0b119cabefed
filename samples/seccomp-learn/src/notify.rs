// SPDX-License-Identifier: GPL-2.0

//! The listener of SECCOMP_RET_USER_NOTIF.
//!
//! Every call that the filter does not allow stops until the listener has
//! answered, so none can be missed, and no capability is needed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

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
    /// The task that calls, 0 if it cannot be seen from here.
    pub task: i32,
    id: u64,
}

/// The end of a filter that its supervisor holds.
pub struct Listener(OwnedFd);

/// Where the child says which descriptor its listener will have. It cannot say
/// so afterwards: by then its calls wait for the listener.
pub struct Announcement {
    /// The process.
    pub pid: i32,
    /// The descriptor in it.
    pub fd: RawFd,
}

impl Announcement {
    /// Reads what [`Announcement::send`] has written; `None` if the child ended
    /// before that.
    pub fn receive(mut pipe: impl Read) -> Option<Self> {
        let mut bytes = [0; 8];
        pipe.read_exact(&mut bytes).ok()?;
        let (pid, fd) = bytes.split_at(4);
        Some(Self {
            pid: i32::from_ne_bytes(pid.try_into().ok()?),
            fd: i32::from_ne_bytes(fd.try_into().ok()?),
        })
    }

    /// Says which descriptor comes next in this process: the lowest free one.
    ///
    /// Makes system calls and nothing else, so that it may be called between
    /// fork and exec.
    ///
    /// # Errors
    ///
    /// Fails if there is no free descriptor, or nobody to read.
    pub fn send(mut pipe: &File) -> io::Result<RawFd> {
        // SAFETY: dup takes and gives a descriptor; the one that it gives is
        // closed at once, by the value that owns it.
        let next = unsafe { libc::dup(pipe.as_raw_fd()) };
        if next < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: see above.
        drop(unsafe { OwnedFd::from_raw_fd(next) });
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&(std::process::id() as i32).to_ne_bytes());
        bytes[4..].copy_from_slice(&next.to_ne_bytes());
        pipe.write_all(&bytes)?;
        Ok(next)
    }
}

impl Listener {
    /// Takes a copy of the descriptor that the announced process is about to
    /// have, which may be a moment later than the announcement.
    ///
    /// # Errors
    ///
    /// ESRCH if the process ends without, EPERM where it must not be traced,
    /// ENOSYS before Linux 5.6.
    pub fn take(from: &Announcement) -> io::Result<Self> {
        // SAFETY: the call takes two integers.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, from.pid, 0) };
        if pidfd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has just given this descriptor to us alone.
        let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd as RawFd) };
        loop {
            // SAFETY: the call takes three integers.
            let fd = unsafe { libc::syscall(libc::SYS_pidfd_getfd, pidfd.as_raw_fd(), from.fd, 0) };
            if fd >= 0 {
                // SAFETY: the kernel has just given this descriptor to us alone.
                return Ok(Self(unsafe { OwnedFd::from_raw_fd(fd as RawFd) }));
            }
            match Errno::last() {
                Errno::EBADF | Errno::EINTR => {}
                e => return Err(e.into()),
            }
            // The end of the process makes its descriptor readable.
            let mut fds = [PollFd::new(pidfd.as_fd(), PollFlags::POLLIN)];
            if poll(&mut fds, PollTimeout::from(1u8)).unwrap_or(0) > 0 {
                return Err(Errno::ESRCH.into());
            }
        }
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

    /// Lets the task go on in the way that `action` says.
    ///
    /// # Errors
    ///
    /// Fails if the kernel does not take the answer, other than because the
    /// task is gone.
    pub fn answer(&self, notification: &Notification, action: Action) -> io::Result<()> {
        let mut response = libc::seccomp_notif_resp {
            id: notification.id,
            val: 0,
            error: 0,
            flags: 0,
        };
        match action {
            Action::Log => response.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
            Action::Errno(errno) => response.error = -i32::from(errno),
            Action::Kill => {
                response.error = -libc::EPERM;
                if notification.task > 0 {
                    // SAFETY: the call takes two integers. The task waits for
                    // the answer, so its id cannot be another's by now.
                    unsafe { libc::kill(notification.task, libc::SIGKILL) };
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
            _ if ret == 0 => Ok(()),
            Errno::ENOENT => Ok(()),
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
