// SPDX-License-Identifier: GPL-2.0

//! Running a command under a filter, and collecting the calls that the filter
//! does not allow.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::prctl;
use nix::sys::signal::{kill, SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{waitpid, WaitPidFlag, WaitStatus};
use nix::unistd::{access, getuid, pipe2, AccessFlags, Pid};

use crate::action::Action;
use crate::audit::{Control, Event, Log, AUDIT_LOGIN, AUDIT_SECCOMP};
use crate::bpf::{Filter, Install, ACTION_MASK, RET_USER_NOTIF};
use crate::caps::{missing, Cap};
use crate::notify::{Announcement, Listener};
use crate::record::{Login, Seccomp};
use crate::settings::Settings;
use crate::syscalls::{Arch, Call, Calls};

/// How long to wait for the marker that ends the log. It is there at once
/// unless a rule drops it; a run without it counts as incomplete.
const MARKER_WAIT: Duration = Duration::from_secs(10);

/// How long what the command leaves behind may take to end before that is said.
const LEFT_WAIT: Duration = Duration::from_secs(2);

/// A call that nobody makes (ENOSYS on every architecture). The child makes it
/// under its filter, so that its record shows that records come at all.
pub const CANARY: u32 = 0x3fff_5ec0;

/// More distinct calls than this are no program's; a list stays in memory.
const MAX_DISTINCT: usize = 1 << 16;

/// How the calls come to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// Audit records: fast, and needs privilege.
    Log,
    /// A SECCOMP_RET_USER_NOTIF listener: slower, and needs none.
    Notify,
}

/// Why a list may not be the whole one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The kernel counted records that it dropped.
    Counted(u64),
    /// The socket ran over this many times.
    Overrun(u64),
    /// printk suppressed this many records.
    Suppressed(u64),
    /// The records came through printk, which keeps ten in five seconds.
    Printk,
    /// Records that could not be read.
    Unreadable(u64),
    /// The marker behind the last record was never read.
    NoMarker,
    /// The record of a call that was certainly made did not come.
    NoCanary,
    /// There were more distinct calls than are kept.
    TooMany,
    /// A signal was sent to end the run.
    Interrupted(&'static str),
    /// The command had ended and left processes that were still running.
    StillRunning,
    /// The listener failed, with this error.
    Listener(String),
}

impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Counted(n) => write!(f, "{n} lost"),
            Self::Overrun(n) => write!(f, "an unknown number lost (the socket overran {n} times)"),
            Self::Printk => f.write_str(
                "the records came through printk, which keeps 10 in 5 seconds and may have dropped others",
            ),
            Self::Suppressed(n) => write!(f, "{n} lost (suppressed by printk)"),
            Self::Unreadable(n) => write!(f, "{n} lost (records that cannot be read)"),
            Self::NoMarker => f.write_str(
                "the end of the log was not seen (an audit rule may drop it; records reach the \
                 initial network namespace only)",
            ),
            Self::NoCanary => f.write_str(
                "records do not come (an audit rule or another filter may keep them back)",
            ),
            Self::TooMany => write!(f, "more than {MAX_DISTINCT} distinct calls"),
            Self::Interrupted(signal) => write!(f, "interrupted by {signal}"),
            Self::StillRunning => f.write_str("processes were left running"),
            Self::Listener(error) => write!(f, "the listener failed: {error}"),
        }
    }
}

/// What a run gave.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The calls that the filter did not allow.
    pub calls: Calls,
    /// How many there were of them.
    pub records: u64,
    /// Empty if the list is complete.
    pub losses: Vec<Loss>,
    /// The command's exit status as a shell gives it: 128 and the signal if one
    /// killed it.
    pub status: i32,
}

impl Outcome {
    /// Whether running again could make the list complete.
    pub fn interrupted(&self) -> bool {
        self.losses
            .iter()
            .any(|loss| matches!(loss, Loss::Interrupted(_) | Loss::StillRunning))
    }
}

/// The command could not be started.
#[derive(Debug)]
pub struct NotStarted(pub OsString, pub io::Error);

impl std::fmt::Display for NotStarted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot run {}: {}", self.0.to_string_lossy(), self.1)
    }
}

impl std::error::Error for NotStarted {}

/// What to run, and how.
pub struct Job<'a> {
    /// The program and its arguments.
    pub command: &'a [OsString],
    /// The calls that the filter allows.
    pub allowed: &'a Calls,
    /// What happens to the others.
    pub action: Action,
    /// How they come to us.
    pub via: Via,
    /// Leave `no_new_privs` unset, so that set-uid programs keep their meaning.
    pub keep_privs: bool,
    /// How many records may wait in the kernel, and again in the socket; `None`
    /// for a number that does.
    pub backlog: Option<u32>,
    /// Called with each distinct call when it first comes, and how many there
    /// are now.
    pub on_new: &'a (dyn Fn(usize, Call) + Sync),
    /// Called once if the command has ended and what it left behind has not.
    pub on_left: &'a (dyn Fn() + Sync),
    /// Where to write the audit records themselves.
    pub records: Option<&'a File>,
}

/// Which way there is on this machine, and why not the log if it is not.
pub fn available() -> (Via, Option<String>) {
    let missing = missing(&[Cap::AuditControl, Cap::AuditRead, Cap::AuditWrite]);
    if !missing.is_empty() {
        return (Via::Notify, Some(format!("no {}", missing.join(", "))));
    }
    // A new session can be refused as well, where logins are not to change.
    match Control::open()
        .and_then(|mut control| control.status())
        .and_then(|_| new_session().context("cannot take a new audit session"))
    {
        Ok(_) => (Via::Log, None),
        Err(e) => (Via::Notify, Some(format!("{e:#}"))),
    }
}

/// Runs the command until it and all that it has started are gone.
///
/// # Errors
///
/// [`NotStarted`] if the command cannot be executed; otherwise what audit or
/// the system refused, with what it needs.
pub fn run(job: &Job<'_>) -> Result<Outcome> {
    let program = find(job.command.first().context("no command")?)?;
    if job.keep_privs {
        let missing = missing(&[Cap::SysAdmin]);
        if !missing.is_empty() {
            bail!(
                "--keep-privs needs {}: without it the kernel takes a filter only with no_new_privs",
                missing.join(", ")
            );
        }
    }
    // What the command leaves behind becomes a child of this process, so that
    // its end is seen.
    prctl::set_child_subreaper(true)?;
    match job.via {
        Via::Log => by_log(job, &program),
        Via::Notify => by_notify(job, &program),
    }
}

/// Whether the program is set-uid or set-gid, so that `no_new_privs` changes
/// what it does.
pub fn gains_privileges(program: &OsString) -> bool {
    find(program)
        .ok()
        .and_then(|path| fs::metadata(path).ok())
        .is_some_and(|meta| meta.mode() & (libc::S_ISUID | libc::S_ISGID) != 0)
}

/// Finds the program as execvp would, before there is a filter.
fn find(program: &OsString) -> Result<PathBuf> {
    let not_started = |errno| NotStarted(program.clone(), io::Error::from(errno));
    let usable = |path: &Path| match access(path, AccessFlags::X_OK) {
        Ok(()) if path.is_dir() => Err(Errno::EACCES),
        result => result,
    };
    if program.as_bytes().contains(&b'/') {
        let path = PathBuf::from(program);
        usable(&path).map_err(not_started)?;
        return Ok(path);
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let mut error = Errno::ENOENT;
    for directory in std::env::split_paths(&path) {
        let path = directory.join(program);
        match usable(&path) {
            Ok(()) => return Ok(path),
            Err(Errno::EACCES) => error = Errno::EACCES,
            Err(_) => {}
        }
    }
    Err(not_started(error).into())
}

fn by_log(job: &Job<'_>, program: &Path) -> Result<Outcome> {
    let missing = missing(&[Cap::AuditControl, Cap::AuditRead, Cap::AuditWrite]);
    if !missing.is_empty() {
        bail!(
            "learning from the audit log needs {}; run as root, or use --via notify",
            missing.join(", ")
        );
    }
    let control = Control::open()?;
    let mut settings = Settings::new(control, job.action, job.backlog)
        .context("cannot set audit up for the run; --via notify does without it")?;
    let mut log = Log::open(job.backlog)?;
    let session = new_session().context(
        "cannot take a new audit session, so this command's records could not be told from others'; \
         --via notify does without it",
    )?;
    let mut collector = Collector::new(job, Some(session));
    let canary = job.action == Action::Log;
    let filter = Filter::new(job.allowed.keys(), job.action.value())?;
    let how = Install {
        no_new_privs: !job.keep_privs,
        log: matches!(job.action, Action::Errno(_)),
        listener: false,
    };
    let signals = Signals::block()?;
    let mut command = command(job, program, &signals);
    // SAFETY: between fork and exec the closure makes system calls only; it
    // touches memory that was allocated before the fork and allocates none.
    unsafe {
        command.pre_exec(move || {
            filter.install(how)?;
            if canary {
                libc::syscall(libc::c_long::from(CANARY));
            }
            Ok(())
        });
    }
    let child = command
        .spawn()
        .map_err(|e| NotStarted(job.command[0].clone(), e))?;
    let pid = Pid::from_raw(child.id() as i32);

    let end = follow(pid, &signals, job.on_left, Some((&mut log, &mut collector)))?;
    let marker = format!("seccomp-learn ends session {session}");
    settings.control().write_marker(&marker)?;
    let seen = drain(&mut log, &mut collector, &marker)?;
    let lost = settings.lost()?;

    let canary_seen = collector.canary;
    let mut outcome = collector.finish(end)?;
    if lost > 0 {
        outcome.losses.push(Loss::Counted(lost.into()));
    }
    // Where records are known to be lost, these two may be among them.
    if outcome.losses.is_empty() && !seen {
        outcome.losses.push(Loss::NoMarker);
    }
    if outcome.losses.is_empty() && canary && !canary_seen {
        outcome.losses.push(Loss::NoCanary);
    }
    Ok(outcome)
}

fn by_notify(job: &Job<'_>, program: &Path) -> Result<Outcome> {
    // The command's own execve closes the child's descriptor of the listener,
    // so it has to wait until we have ours, even where it is allowed.
    let execve = Arch::NATIVE.call("execve");
    let filter = Filter::new(
        job.allowed.keys().filter(|&&call| Some(call) != execve),
        RET_USER_NOTIF,
    )?;
    let how = Install {
        no_new_privs: !job.keep_privs,
        log: false,
        listener: true,
    };
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    let (reader, writer) = (File::from(reader), File::from(writer));
    let (stop_reader, stop_writer) = pipe2(OFlag::O_CLOEXEC)?;
    let signals = Signals::block()?;
    let mut command = command(job, program, &signals);
    // SAFETY: as in `by_log`.
    unsafe {
        command.pre_exec(move || {
            let announced = Announcement::send(&writer)?;
            if filter.install(how)? != Some(announced) {
                return Err(Errno::EBADF.into());
            }
            Ok(())
        });
    }
    let action = job.action;
    let mut collector = Collector::new(job, None);
    let end = std::thread::scope(|scope| -> Result<End> {
        // The child's execve waits for an answer, and spawn waits for that.
        let collector = &mut collector;
        let supervisor = scope.spawn(move || -> io::Result<()> {
            let Some(announcement) = Announcement::receive(reader) else {
                return Ok(());
            };
            let listener = Listener::take(&announcement)?;
            while let Some(notification) = listener.next(&stop_reader)? {
                if job.allowed.contains_key(&notification.call) {
                    listener.answer(&notification, Action::Log)?;
                } else {
                    collector.count(notification.call, || notification.comm());
                    collector.select(notification.call, &notification.args);
                    listener.answer(&notification, action)?;
                }
            }
            Ok(())
        });
        let spawned = command.spawn();
        // The other end of the announcement's pipe.
        drop(command);
        let end = match spawned {
            Ok(child) => follow(
                Pid::from_raw(child.id() as i32),
                &signals,
                job.on_left,
                None,
            ),
            Err(e) => Err(NotStarted(job.command[0].clone(), e).into()),
        };
        drop(stop_writer);
        match supervisor.join() {
            Ok(Ok(())) => end,
            Ok(Err(e)) => {
                let mut end = end?;
                end.losses.push(Loss::Listener(e.to_string()));
                Ok(end)
            }
            Err(_) => bail!("the listener's thread has panicked"),
        }
    })?;
    collector.finish(end)
}

fn command(job: &Job<'_>, program: &Path, signals: &Signals) -> Command {
    let mut command = Command::new(program);
    command.arg0(&job.command[0]).args(&job.command[1..]);
    let mask = signals.before;
    // SAFETY: the closure makes one system call.
    unsafe {
        command.pre_exec(move || Ok(mask.thread_set_mask()?));
    }
    command
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

/// What comes in, made into a list.
struct Collector<'a> {
    job: &'a Job<'a>,
    sessions: BTreeSet<u32>,
    outcome: Outcome,
    /// What [`Call::selector`] said.
    selectors: BTreeMap<Call, Option<usize>>,
    canary: bool,
    overruns: u64,
    unreadable: u64,
    too_many: bool,
    write_error: Option<io::Error>,
}

impl<'a> Collector<'a> {
    fn new(job: &'a Job<'a>, session: Option<u32>) -> Self {
        Self {
            job,
            sessions: session.into_iter().collect(),
            outcome: Outcome::default(),
            selectors: BTreeMap::new(),
            canary: false,
            overruns: 0,
            unreadable: 0,
            too_many: false,
            write_error: None,
        }
    }

    /// Takes what waits in the log, or a good part of it, so that signals get
    /// their turn; says whether the marker was among it.
    fn take(&mut self, log: &mut Log, marker: Option<&str>) -> Result<bool> {
        for _ in 0..4096 {
            match log.take()? {
                Event::Empty => return Ok(false),
                Event::Overrun => self.overruns += 1,
                Event::Record(AUDIT_SECCOMP, text) => self.record(text),
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
        Ok(false)
    }

    fn record(&mut self, text: &str) {
        let Some(record) = Seccomp::parse(text) else {
            self.unreadable += 1;
            return;
        };
        if !self.sessions.contains(&record.session)
            || record.code & ACTION_MASK != self.job.action.value() & ACTION_MASK
        {
            return;
        }
        if record.nr == CANARY {
            self.canary = true;
            return;
        }
        if let Some(mut file) = self.job.records {
            if self.write_error.is_none() {
                let line = format!("type=SECCOMP msg={text}\n");
                self.write_error = file.write_all(line.as_bytes()).err();
            }
        }
        let call = Call {
            arch: record.arch,
            nr: record.nr,
        };
        self.count(call, || Some(record.comm.to_string_lossy().into_owned()));
    }

    fn count(&mut self, call: Call, comm: impl FnOnce() -> Option<String>) {
        self.outcome.records += 1;
        let distinct = self.outcome.calls.len();
        if distinct >= MAX_DISTINCT && !self.outcome.calls.contains_key(&call) {
            self.too_many = true;
            return;
        }
        let seen = self.outcome.calls.entry(call).or_default();
        if seen.count == 0 {
            seen.first = comm();
            (self.job.on_new)(distinct + 1, call);
        }
        seen.count += 1;
    }

    /// Keeps the argument that selects what `call` does, if one does.
    fn select(&mut self, call: Call, args: &[u64; 6]) {
        // Asked once for each call: the name comes from libseccomp's table.
        let selector = *self
            .selectors
            .entry(call)
            .or_insert_with(|| call.selector());
        let value = selector.and_then(|index| args.get(index));
        if let (Some(&value), Some(seen)) = (value, self.outcome.calls.get_mut(&call)) {
            seen.select(value as u32);
        }
    }

    fn finish(self, end: End) -> Result<Outcome> {
        if let Some(e) = self.write_error {
            return Err(e).context("cannot write the records");
        }
        let mut outcome = self.outcome;
        outcome.status = end.status;
        outcome.losses = end.losses;
        if self.overruns > 0 {
            outcome.losses.push(Loss::Overrun(self.overruns));
        }
        if self.unreadable > 0 {
            outcome.losses.push(Loss::Unreadable(self.unreadable));
        }
        if self.too_many {
            outcome.losses.push(Loss::TooMany);
        }
        Ok(outcome)
    }
}

/// The signals that a run waits for; the command gets the mask that we had.
struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    fn block() -> Result<Self> {
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
        Ok(Self {
            before: mask.thread_swap_mask(SigmaskHow::SIG_BLOCK)?,
            fd: SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?,
        })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

struct End {
    status: i32,
    losses: Vec<Loss>,
}

/// Waits until the command and all that it left behind have ended, or until a
/// signal comes when the command itself has.
fn follow(
    child: Pid,
    signals: &Signals,
    on_left: &dyn Fn(),
    mut log: Option<(&mut Log, &mut Collector<'_>)>,
) -> Result<End> {
    let mut status = None;
    let mut losses = Vec::new();
    // When to say that something is left, once the command has ended.
    let mut say = None;
    let mut said = false;
    loop {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == child => status = Some(code),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                    status = Some(128 + signal as i32);
                }
                Ok(WaitStatus::StillAlive) => break,
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::ECHILD) => {
                    return Ok(End {
                        status: status.unwrap_or_default(),
                        losses,
                    })
                }
                Err(e) => return Err(e.into()),
            }
        }
        {
            let mut fds = vec![PollFd::new(signals.fd.as_fd(), PollFlags::POLLIN)];
            if let Some((log, _)) = &log {
                fds.push(PollFd::new(log.as_fd(), PollFlags::POLLIN));
            }
            if status.is_some() && !said {
                let now = Instant::now();
                let at: Instant = *say.get_or_insert(now + LEFT_WAIT);
                if at <= now {
                    said = true;
                    on_left();
                }
            }
            let timeout = match say {
                Some(at) if !said => {
                    let left = at.saturating_duration_since(Instant::now()).as_millis();
                    PollTimeout::try_from(left + 1).unwrap_or(PollTimeout::MAX)
                }
                _ => PollTimeout::NONE,
            };
            match poll(&mut fds, timeout) {
                Err(Errno::EINTR) => continue,
                result => result?,
            };
        }
        if let Some((log, collector)) = &mut log {
            collector.take(log, None)?;
        }
        while let Some(info) = signals.fd.read_signal()? {
            let signal = Signal::try_from(info.ssi_signo as i32)?;
            if signal == Signal::SIGCHLD {
                continue;
            }
            if losses.is_empty() {
                losses.push(Loss::Interrupted(signal.as_str()));
            }
            if let Some(status) = status {
                losses.push(Loss::StillRunning);
                return Ok(End { status, losses });
            }
            // The terminal has sent its signals to the command as well.
            if info.ssi_code != libc::SI_KERNEL {
                let _ = kill(child, signal);
            }
        }
    }
}

fn drain(log: &mut Log, collector: &mut Collector<'_>, marker: &str) -> Result<bool> {
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
