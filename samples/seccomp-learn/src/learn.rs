// SPDX-License-Identifier: GPL-2.0

//! Running a command under SECCOMP_RET_LOG and collecting its records.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::prctl;
use nix::sys::signal::{kill, SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::{getuid, Pid};

use crate::audit::{Control, Event, Log, Tuned, AUDIT_LOGIN, AUDIT_SECCOMP};
use crate::bpf::{Filter, RET_LOG};
use crate::record::{Login, Seccomp};
use crate::syscalls::Call;

/// How long to wait for the marker that ends the log. It is there at once
/// unless a rule drops it; a run without it counts as incomplete.
const MARKER_WAIT: Duration = Duration::from_secs(10);

/// Why a list may not be the whole one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The kernel counted records that it dropped.
    Counted(u32),
    /// The socket ran over this many times.
    Overrun(u32),
    /// The marker behind the last record was never read.
    NoMarker,
    /// The run was stopped by a signal while the command, or what it had left
    /// behind, was running.
    Interrupted,
}

/// What a run gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The calls, with how often each was recorded.
    pub calls: BTreeMap<Call, u64>,
    /// Records of this command.
    pub records: u64,
    /// Empty if the list is complete.
    pub losses: Vec<Loss>,
    /// The command's exit status as a shell gives it: 128 and the signal if one
    /// killed it.
    pub status: i32,
}

/// The command could not be started.
#[derive(Debug)]
pub struct NotStarted(pub OsString, pub io::Error);

impl std::fmt::Display for NotStarted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot run {}: {}", self.0.display(), self.1)
    }
}

impl std::error::Error for NotStarted {}

/// Runs `command` until it and all that it has started are gone.
///
/// # Errors
///
/// [`NotStarted`] if the command cannot be executed; otherwise what audit or
/// the system refused, with what it needs.
pub fn run(command: &[OsString], no_new_privs: bool) -> Result<Outcome> {
    let (program, arguments) = command.split_first().context("no command")?;
    let mut tuned = Tuned::new(Control::open()?).context(
        "cannot set audit up for the run (it needs CAP_AUDIT_CONTROL; try again as root)",
    )?;
    let mut log = Log::open()?;
    let session = new_session().context(
        "cannot take a new audit session (it needs CAP_AUDIT_CONTROL; try again as root)",
    )?;
    let mut collector = Collector::new(session);

    // What the command leaves behind becomes a child of this process, so that
    // its end is seen.
    prctl::set_child_subreaper(true)?;
    let mut mask = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ] {
        mask.add(signal);
    }
    let old_mask = mask.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;

    let filter = Filter::log_all();
    let mut child_command = Command::new(program);
    child_command.args(arguments);
    // SAFETY: between fork and exec the closure makes system calls only; it
    // touches memory that was allocated before the fork and allocates none.
    unsafe {
        child_command.pre_exec(move || {
            old_mask.thread_set_mask()?;
            filter.install(no_new_privs)
        });
    }
    let child = child_command
        .spawn()
        .map_err(|e| NotStarted(program.clone(), e))?;

    let (status, interrupted) = follow(child, &signals, &mut log, &mut collector)?;
    let marker = format!("seccomp-learn ends session {session}");
    tuned.control().write_marker(&marker)?;
    let seen = drain(&mut log, &mut collector, &marker)?;

    let mut outcome = collector.outcome;
    outcome.status = status;
    if interrupted {
        outcome.losses.push(Loss::Interrupted);
    }
    if !seen {
        outcome.losses.push(Loss::NoMarker);
    }
    if collector.overruns > 0 {
        outcome.losses.push(Loss::Overrun(collector.overruns));
    }
    match tuned.lost()? {
        0 => {}
        lost => outcome.losses.push(Loss::Counted(lost)),
    }
    Ok(outcome)
}

/// Writes this process's loginuid, which gives it, and so the command, an audit
/// session that nobody else is in.
fn new_session() -> Result<u32> {
    let loginuid = fs::read_to_string("/proc/self/loginuid")?;
    // The login stays who it was; where there is none it becomes the real user.
    let loginuid = match loginuid.trim() {
        "4294967295" => getuid().to_string(),
        known => known.to_owned(),
    };
    fs::write("/proc/self/loginuid", loginuid)?;
    Ok(fs::read_to_string("/proc/self/sessionid")?.trim().parse()?)
}

struct Collector {
    sessions: BTreeSet<u32>,
    outcome: Outcome,
    overruns: u32,
}

impl Collector {
    fn new(session: u32) -> Self {
        Self {
            sessions: BTreeSet::from([session]),
            outcome: Outcome::default(),
            overruns: 0,
        }
    }

    /// Takes what waits in the log; says whether the marker was among it.
    fn take(&mut self, log: &mut Log, marker: Option<&str>) -> Result<bool> {
        loop {
            match log.next()? {
                Event::Empty => return Ok(false),
                Event::Overrun => self.overruns += 1,
                Event::Record(AUDIT_SECCOMP, text) => {
                    if let Some(record) = Seccomp::parse(text) {
                        self.add(&record);
                    }
                }
                // A descendant that logs somebody in leaves the session; it is
                // still ours.
                Event::Record(AUDIT_LOGIN, text) => {
                    if let Some(login) = Login::parse(text) {
                        if self.sessions.contains(&login.old_session) {
                            self.sessions.insert(login.session);
                        }
                    }
                }
                Event::Record(_, text) => {
                    if marker.is_some_and(|marker| text.contains(marker)) {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn add(&mut self, record: &Seccomp) {
        if record.code != RET_LOG || !self.sessions.contains(&record.session) {
            return;
        }
        let call = Call {
            arch: record.arch,
            nr: record.nr,
        };
        *self.outcome.calls.entry(call).or_default() += 1;
        self.outcome.records += 1;
    }
}

/// Reads the log until the command and all that it left behind have ended, or
/// until a second signal asks for an end. Returns the command's status and
/// whether something was still running.
fn follow(
    child: Child,
    signals: &SignalFd,
    log: &mut Log,
    collector: &mut Collector,
) -> Result<(i32, bool)> {
    let child = Pid::from_raw(child.id() as i32);
    let mut status = None;
    loop {
        let mut fds = [
            PollFd::new(log.as_fd(), PollFlags::POLLIN),
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            result => result?,
        };
        collector.take(log, None)?;
        while let Some(info) = signals.read_signal()? {
            let signal = Signal::try_from(info.ssi_signo as i32)?;
            if signal == Signal::SIGCHLD {
                continue;
            }
            if status.is_some() {
                return Ok((status.unwrap_or_default(), true));
            }
            // The terminal has sent its signals to the command as well.
            if info.ssi_code != libc::SI_KERNEL {
                let _ = kill(child, signal);
            }
        }
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == child => status = Some(code),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                    status = Some(128 + signal as i32);
                }
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => return Ok((status.unwrap_or_default(), false)),
                Err(e) => return Err(e.into()),
            }
        }
    }
}

fn drain(log: &mut Log, collector: &mut Collector, marker: &str) -> Result<bool> {
    let end = Instant::now() + MARKER_WAIT;
    loop {
        if collector.take(log, Some(marker))? {
            return Ok(true);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let mut fds = [PollFd::new(log.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(left.as_millis().max(1)).unwrap_or(PollTimeout::MAX);
        match poll(&mut fds, timeout) {
            Err(Errno::EINTR) => {}
            result => {
                result?;
            }
        }
    }
}
