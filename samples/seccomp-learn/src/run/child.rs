// SPDX-License-Identifier: GPL-2.0-only

//! Starting the command: what a child does between fork and exec, and how its
//! parent learns of it.
//!
//! The two share a page, because under its filter the child can make no system
//! call that would not be recorded. With a listener they share their
//! descriptors as well, up to the exec: so the parent has the listener from the
//! moment that it exists, and needs no permission to take it from the child.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::ptr::{null, NonNull};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{kill, SigSet, Signal};
use nix::sys::wait::{waitid, waitpid, Id, WaitPidFlag, WaitStatus};
use nix::unistd::Pid;

use super::CANARY;
use crate::bpf::{Filter, Install};
use crate::error::{Error, Result, Tried};

/// How long to sleep between two looks at the page; the child is ready soon.
const NAP: Duration = Duration::from_micros(100);

/// How far the child has come: 0, then these. What it was doing when it failed
/// is what comes next.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Stage {
    /// It has its audit session, if it is to have one.
    Session = 1,
    /// It is under its filter, and about to execute.
    Exec = 2,
}

/// What the child tells its parent.
#[repr(C)]
struct Page {
    stage: AtomicU32,
    /// The error that ended it.
    errno: AtomicI32,
    session: AtomicU32,
    listener: AtomicI32,
}

/// A [`Page`] that a fork shares.
struct Shared(NonNull<Page>);

impl Shared {
    fn new() -> io::Result<Self> {
        // SAFETY: an anonymous mapping touches nothing that is there.
        let page = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size_of::<Page>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if page == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        match NonNull::new(page.cast::<Page>()) {
            Some(page) => Ok(Self(page)),
            None => Err(Errno::ENOMEM.into()),
        }
    }

    fn get(&self) -> &Page {
        // SAFETY: the mapping lives as long as `self` and began as zeroes, which
        // are a value of each field; both sides use atomics.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nobody can refer to it any more.
        unsafe { libc::munmap(self.0.as_ptr().cast(), size_of::<Page>()) };
    }
}

/// What to start.
pub struct Plan<'a> {
    /// Where the program is.
    pub program: &'a Path,
    /// Its arguments, its name first.
    pub arguments: &'a [OsString],
    /// The signals that it is to have blocked.
    pub mask: SigSet,
    /// What to write into its loginuid, which gives it an audit session that
    /// nobody else is in.
    pub loginuid: Option<String>,
    /// The filter to put it under.
    pub filter: &'a Filter,
    /// How.
    pub how: Install,
    /// Make the call [`CANARY`] under the filter.
    pub canary: bool,
}

/// A child that was started, or has failed to.
pub struct Child {
    /// The process.
    pub pid: Pid,
    page: Shared,
    program: OsString,
}

/// Texts as C wants them, and the null-terminated list of pointers to them.
struct Texts {
    _texts: Vec<CString>,
    pointers: Vec<*const libc::c_char>,
}

impl Texts {
    fn new(texts: impl IntoIterator<Item = Vec<u8>>) -> io::Result<Self> {
        let texts: Vec<CString> = texts
            .into_iter()
            .map(CString::new)
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| Errno::EINVAL)?;
        let mut pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        pointers.push(null());
        Ok(Self {
            _texts: texts,
            pointers,
        })
    }
}

impl Child {
    /// Starts what is planned; see [`Child::ready`].
    ///
    /// # Errors
    ///
    /// Fails if there can be no process.
    pub fn start(plan: &Plan<'_>) -> Result<Self> {
        let started = || -> io::Result<Self> {
            let page = Shared::new()?;
            let bytes = |text: &OsString| text.as_bytes().to_vec();
            let path = plan.program.as_os_str().as_bytes().to_vec();
            let arguments = Texts::new(plan.arguments.iter().map(bytes))?;
            // What the kernel takes for no program is a script of the shell's,
            // as for execvp.
            let script = Texts::new(
                [b"/bin/sh".to_vec(), path.clone()]
                    .into_iter()
                    .chain(plan.arguments.iter().skip(1).map(bytes)),
            )?;
            let environment =
                Texts::new(std::env::vars_os().map(|(name, value)| {
                    [name.into_vec(), b"=".to_vec(), value.into_vec()].concat()
                }))?;
            let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
            // SAFETY: the child makes system calls only, on memory that was
            // allocated before; it ends by exec or _exit.
            let pid = unsafe { fork(plan.how.listener) };
            match pid {
                ..0 => Err(io::Error::last_os_error()),
                0 => {
                    let errno =
                        in_child(plan, page.get(), &path, [&arguments, &script], &environment);
                    page.get().errno.store(errno as i32, Ordering::Release);
                    // SAFETY: nothing of this copy of the process is needed.
                    unsafe { libc::_exit(127) }
                }
                pid => Ok(Self {
                    pid: Pid::from_raw(pid),
                    page,
                    program: plan.arguments.first().cloned().unwrap_or_default(),
                }),
            }
        };
        started().tried("cannot start a process")
    }

    /// Waits until the child is under its filter and about to execute, or has
    /// failed. It does not wait for anybody before that.
    pub fn ready(&self) {
        while !self.at(Stage::Exec) {
            let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            match waitid(Id::Pid(self.pid), ended) {
                Ok(WaitStatus::StillAlive) | Err(Errno::EINTR) => std::thread::sleep(NAP),
                _ => return,
            }
        }
    }

    fn at(&self, stage: Stage) -> bool {
        self.page.get().stage.load(Ordering::Acquire) >= stage as u32
    }

    /// The audit session that the child has taken.
    pub fn session(&self) -> Option<u32> {
        self.at(Stage::Session)
            .then(|| self.page.get().session.load(Ordering::Acquire))
    }

    /// The listener of the child's filter.
    pub fn listener(&self) -> Option<OwnedFd> {
        self.at(Stage::Exec).then(|| {
            let fd = self.page.get().listener.load(Ordering::Acquire);
            // SAFETY: the child has got this descriptor from the kernel for the
            // table that it shared with us, and has given it to us alone.
            unsafe { OwnedFd::from_raw_fd(fd) }
        })
    }

    /// Why the command did not start, if it did not; known when the child has
    /// ended.
    pub fn failure(&self) -> Option<Error> {
        let errno = self.page.get().errno.load(Ordering::Acquire);
        let source = io::Error::from_raw_os_error(errno);
        if self.at(Stage::Exec) {
            return (errno != 0).then(|| Error::NotStarted {
                program: self.program.clone(),
                source,
            });
        }
        let what = match errno {
            0 => "the command was killed before it was started",
            _ if !self.at(Stage::Session) => {
                "cannot take a new audit session, so this command's records could not be told \
                 from others'; --via notify does without it"
            }
            libc::EBUSY => "cannot install a listener, as the filter of one is there already",
            _ => "cannot install a seccomp filter",
        };
        Some(Error::System {
            what: what.to_owned(),
            source,
        })
    }
}

/// Sees to the end of a child that has not come far enough, and says why.
pub fn put_down(child: &Child) -> Error {
    let _ = kill(child.pid, Signal::SIGKILL);
    while waitpid(child.pid, None) == Err(Errno::EINTR) {}
    child.failure().unwrap_or(Error::NoCommand)
}

/// Forks; with `share` the child has the parent's descriptors until it executes.
///
/// # Safety
///
/// The child may make system calls only.
unsafe fn fork(share: bool) -> libc::pid_t {
    if !share {
        // SAFETY: as the caller promises.
        return unsafe { libc::fork() };
    }
    let flags = (libc::CLONE_FILES | libc::SIGCHLD) as libc::c_ulong;
    // On s390 the stack comes first; there is none in either case.
    let (first, second) = if cfg!(target_arch = "s390x") {
        (0, flags)
    } else {
        (flags, 0)
    };
    // SAFETY: without CLONE_VM and a stack this is fork.
    unsafe { libc::syscall(libc::SYS_clone, first, second, 0, 0, 0) as libc::pid_t }
}

/// All that the child does; returns why it could not execute.
fn in_child(
    plan: &Plan<'_>,
    page: &Page,
    path: &CString,
    arguments: [&Texts; 2],
    environment: &Texts,
) -> Errno {
    let errno = |e: io::Error| Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO));
    // SAFETY: Rust's run-time has SIGPIPE ignored, which the command would
    // inherit.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    if let Some(loginuid) = &plan.loginuid {
        match new_session(loginuid) {
            Ok(session) => page.session.store(session, Ordering::Release),
            Err(e) => return e,
        }
    }
    page.stage.store(Stage::Session as u32, Ordering::Release);
    if let Err(e) = plan.mask.thread_set_mask() {
        return e;
    }
    match plan.filter.install(plan.how) {
        Ok(listener) => page
            .listener
            .store(listener.unwrap_or(-1), Ordering::Release),
        Err(e) => return errno(e),
    }
    if plan.canary {
        // SAFETY: no kernel has this call.
        unsafe { libc::syscall(libc::c_long::from(CANARY)) };
    }
    page.stage.store(Stage::Exec as u32, Ordering::Release);
    let [direct, script] = arguments;
    // SAFETY: the lists end with a null pointer, and their texts outlive them.
    unsafe {
        libc::execve(
            path.as_ptr(),
            direct.pointers.as_ptr(),
            environment.pointers.as_ptr(),
        );
        if Errno::last() == Errno::ENOEXEC {
            libc::execve(
                c"/bin/sh".as_ptr(),
                script.pointers.as_ptr(),
                environment.pointers.as_ptr(),
            );
        }
    }
    Errno::last()
}

/// Writes this process's loginuid, and reads the session that this gives.
fn new_session(loginuid: &str) -> std::result::Result<u32, Errno> {
    // SAFETY: the paths are texts, the buffers as long as is said.
    unsafe {
        let fd = libc::open(
            c"/proc/self/loginuid".as_ptr(),
            libc::O_WRONLY | libc::O_CLOEXEC,
        );
        Errno::result(fd)?;
        let written = libc::write(fd, loginuid.as_ptr().cast(), loginuid.len());
        let result = Errno::result(written);
        libc::close(fd);
        result?;
        let fd = libc::open(
            c"/proc/self/sessionid".as_ptr(),
            libc::O_RDONLY | libc::O_CLOEXEC,
        );
        Errno::result(fd)?;
        let mut text = [0u8; 16];
        let length = libc::read(fd, text.as_mut_ptr().cast(), text.len());
        let result = Errno::result(length);
        libc::close(fd);
        let digits = text.get(..result? as usize).unwrap_or_default();
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| digits.trim_end().parse().ok())
            .ok_or(Errno::EBADMSG)
    }
}

/// Whether a child could take a session, found out by one that does.
///
/// # Errors
///
/// What the kernel said.
pub fn can_take_session(loginuid: &str) -> io::Result<()> {
    // SAFETY: the child makes system calls only, and ends.
    let pid = unsafe { fork(false) };
    match pid {
        ..0 => Err(io::Error::last_os_error()),
        0 => {
            let errno = new_session(loginuid).err().map_or(0, |e| e as i32);
            // SAFETY: nothing of this copy of the process is needed.
            unsafe { libc::_exit(errno) }
        }
        pid => loop {
            match waitpid(Pid::from_raw(pid), None) {
                Ok(WaitStatus::Exited(_, 0)) => return Ok(()),
                Ok(WaitStatus::Exited(_, errno)) => {
                    return Err(io::Error::from_raw_os_error(errno));
                }
                Err(Errno::EINTR) => {}
                Ok(_) => return Err(Errno::EIO.into()),
                Err(e) => return Err(e.into()),
            }
        },
    }
}
