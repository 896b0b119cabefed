// SPDX-License-Identifier: GPL-2.0-only

//! Waiting for the command and for all that it leaves behind, and for those who
//! want it to end.
//!
//! Signals: the first SIGINT or SIGTERM is passed on to the command, or to what
//! it has left behind, and its end is waited for; the second one kills the
//! command and ends the run. All other signals that a process can wait for are
//! passed on, but for SIGCHLD and those that stop and continue a process, which
//! do what they always do. A terminal has sent its signals to the command
//! already.

use std::collections::BTreeSet;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{waitid, waitpid, Id, WaitPidFlag, WaitStatus};
use nix::unistd::Pid;

use super::{Event, Loss};
use crate::error::{Result, Tried};

/// How long what the command leaves behind may take to end before that is said.
const LEFT_WAIT: Duration = Duration::from_secs(2);
/// How long the command may take to end after it was asked to as its time was up.
const END_WAIT: Duration = Duration::from_secs(10);

/// These keep their meaning: faults of our own, and job control.
const NOT_PASSED_ON: [Signal; 12] = [
    Signal::SIGILL,
    Signal::SIGTRAP,
    Signal::SIGABRT,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGSEGV,
    Signal::SIGSYS,
    Signal::SIGCONT,
    Signal::SIGTSTP,
    Signal::SIGTTIN,
    Signal::SIGTTOU,
    Signal::SIGPIPE,
];

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has exited.
    Exited(i32),
    /// A signal has killed it.
    Killed(Signal),
}

/// What asking for a process that has ended gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaped {
    /// This one has.
    Ended(Pid, End),
    /// None has yet.
    Alive,
    /// There is none left.
    Gone,
}

/// A signal that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its number; a real-time signal has no name.
    pub signal: i32,
    /// The terminal has sent it, to the command as well.
    pub terminal: bool,
}

/// What waiting needs of the system.
pub trait System {
    /// Asks for a process of ours that has ended, without waiting.
    ///
    /// # Errors
    ///
    /// Fails if the system does.
    fn reap(&mut self) -> Result<Reaped>;

    /// Waits for a signal, for something in the log, or until `until`.
    ///
    /// # Errors
    ///
    /// Fails if the system does.
    fn wait(&mut self, until: Option<Instant>) -> Result<()>;

    /// The next signal that has come.
    ///
    /// # Errors
    ///
    /// Fails if the system does.
    fn signal(&mut self) -> Result<Option<Received>>;

    /// Sends a signal.
    fn send(&mut self, to: Pid, signal: i32);

    /// The processes of ours that have not ended.
    fn ours(&mut self) -> Vec<Pid>;

    /// What time it is.
    fn now(&self) -> Instant;
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// The command's exit status, as a shell gives it.
    pub status: i32,
    /// A signal asked for the end.
    pub stopped: bool,
    /// Why the list may not be whole.
    pub losses: Vec<Loss>,
}

/// Waits until the command and all that it left behind have ended, or are not to
/// be waited for any longer. `pump` is called whenever something may have
/// happened.
///
/// # Errors
///
/// Fails if the system or `pump` does.
pub fn follow(
    system: &mut dyn System,
    child: Pid,
    duration: Option<Duration>,
    tell: &dyn Fn(Event),
    pump: &mut dyn FnMut() -> Result<()>,
) -> Result<Ending> {
    let mut follower = Follower {
        child,
        end: None,
        passed: BTreeSet::new(),
        stops: 0,
        // When to say that something is left, to ask for the end, to kill.
        say_left: None,
        ask: duration.map(|duration| system.now() + duration),
        kill: None,
        killing: false,
    };
    loop {
        if !follower.reap(system)? {
            return Ok(follower.ending(Vec::new()));
        }
        if follower.stops > 1 && follower.end.is_some() {
            return Ok(follower.ending(vec![Loss::StillRunning]));
        }
        follower.on_time(system, tell);
        system.wait(follower.next())?;
        pump()?;
        while let Some(received) = system.signal()? {
            follower.on_signal(system, received, tell);
        }
    }
}

struct Follower {
    child: Pid,
    end: Option<End>,
    passed: BTreeSet<i32>,
    stops: u32,
    say_left: Option<Instant>,
    ask: Option<Instant>,
    kill: Option<Instant>,
    killing: bool,
}

impl Follower {
    /// Takes what has ended; says whether anything is left.
    fn reap(&mut self, system: &mut dyn System) -> Result<bool> {
        loop {
            match system.reap()? {
                Reaped::Ended(pid, end) => {
                    if pid == self.child {
                        self.end = Some(end);
                        self.say_left = Some(system.now() + LEFT_WAIT);
                    }
                }
                Reaped::Alive => {
                    // What it leaves behind comes to us only as it ends.
                    if self.killing {
                        self.send(system, libc::SIGKILL);
                    }
                    return Ok(true);
                }
                Reaped::Gone => return Ok(false),
            }
        }
    }

    /// To the command, or to what it left behind if it has ended.
    fn send(&self, system: &mut dyn System, signal: i32) {
        if self.end.is_none() {
            system.send(self.child, signal);
        } else {
            for pid in system.ours() {
                system.send(pid, signal);
            }
        }
    }

    fn on_time(&mut self, system: &mut dyn System, tell: &dyn Fn(Event)) {
        let now = system.now();
        let due = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        if due(&mut self.say_left) {
            tell(Event::Left);
        }
        if due(&mut self.ask) {
            tell(Event::TimeIsUp);
            self.send(system, libc::SIGTERM);
            self.kill = Some(now + END_WAIT);
        }
        if due(&mut self.kill) {
            tell(Event::Killed);
            self.killing = true;
            self.send(system, libc::SIGKILL);
        }
    }

    fn next(&self) -> Option<Instant> {
        [self.say_left, self.ask, self.kill]
            .into_iter()
            .flatten()
            .min()
    }

    fn on_signal(&mut self, system: &mut dyn System, received: Received, tell: &dyn Fn(Event)) {
        let Received { signal, terminal } = received;
        if signal == libc::SIGCHLD {
            return;
        }
        self.passed.insert(signal);
        let stop = matches!(signal, libc::SIGINT | libc::SIGTERM);
        if stop {
            self.stops += 1;
        }
        if self.stops > 1 && stop {
            if self.end.is_none() {
                system.send(self.child, libc::SIGKILL);
            }
            return;
        }
        // What was left behind is mostly not the terminal's any more.
        if !terminal || self.end.is_some() {
            self.send(system, signal);
        }
        if stop {
            if let Ok(signal) = Signal::try_from(signal) {
                tell(Event::PassedOn(signal));
            }
        }
    }

    fn ending(self, mut losses: Vec<Loss>) -> Ending {
        let status = match self.end {
            Some(End::Exited(status)) => status,
            Some(End::Killed(signal)) => 128 + signal as i32,
            None => 0,
        };
        if self.killing {
            losses.insert(0, Loss::Killed);
        } else if let Some(End::Killed(signal)) = self.end {
            // The SIGTERM that ends it when its time is up was not passed on.
            if self.passed.contains(&(signal as i32)) || self.stops > 1 {
                losses.insert(0, Loss::Interrupted(signal.as_str()));
            }
        }
        Ending {
            status,
            stopped: self.stops > 0,
            losses,
        }
    }
}

/// The signals that are waited for, blocked in this thread while this lives: while it
/// is around a run and what becomes of its outcome, no signal can end that.
pub struct Blocked {
    signals: SigSet,
    before: SigSet,
}

impl Blocked {
    /// Blocks them.
    ///
    /// # Errors
    ///
    /// Fails if the system does.
    pub fn new() -> Result<Self> {
        let mut signals = SigSet::all();
        for signal in NOT_PASSED_ON {
            signals.remove(signal);
        }
        let before = signals
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .tried("cannot block signals")?;
        Ok(Self { signals, before })
    }

    /// The signals that were blocked before.
    pub fn before(&self) -> SigSet {
        self.before
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let _ = self.before.thread_set_mask();
    }
}

/// The system itself.
pub struct Os {
    blocked: Blocked,
    signals: SignalFd,
    log: Option<OwnedFd>,
    /// Children that were there before, which are not ours to wait for.
    others: BTreeSet<Pid>,
}

impl Os {
    /// Blocks the signals, and looks which children there are.
    ///
    /// # Errors
    ///
    /// Fails if the system does.
    pub fn new() -> Result<Self> {
        let blocked = Blocked::new()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals =
            SignalFd::with_flags(&blocked.signals, flags).tried("cannot wait for signals")?;
        Ok(Self {
            blocked,
            signals,
            log: None,
            others: children(),
        })
    }

    /// The signals that were blocked before.
    pub fn mask(&self) -> SigSet {
        self.blocked.before()
    }

    /// Waits for this descriptor as well.
    pub fn watch(&mut self, log: OwnedFd) {
        self.log = Some(log);
    }
}

impl System for Os {
    fn reap(&mut self) -> Result<Reaped> {
        let peek = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let mut candidates = match waitid(Id::All, peek) {
            Err(Errno::ECHILD) => return Ok(Reaped::Gone),
            Err(Errno::EINTR) => return Ok(Reaped::Alive),
            Err(e) => return Err(e).tried("cannot wait for processes"),
            Ok(status) => match status.pid() {
                Some(pid) if !self.others.contains(&pid) => vec![pid],
                None if self.others.is_empty() => return Ok(Reaped::Alive),
                // Behind one that is not ours there may be one that is.
                _ => {
                    let ours = self.ours();
                    if ours.is_empty() {
                        return Ok(Reaped::Gone);
                    }
                    ours
                }
            },
        };
        while let Some(pid) = candidates.pop() {
            match waitpid(pid, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, status)) => {
                    return Ok(Reaped::Ended(pid, End::Exited(status)));
                }
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    return Ok(Reaped::Ended(pid, End::Killed(signal)));
                }
                _ => {}
            }
        }
        Ok(Reaped::Alive)
    }

    fn wait(&mut self, until: Option<Instant>) -> Result<()> {
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        if let Some(log) = &self.log {
            fds.push(PollFd::new(log.as_fd(), PollFlags::POLLIN));
        }
        let timeout = until.map_or(PollTimeout::NONE, |until| {
            let left = until.saturating_duration_since(Instant::now()).as_millis() + 1;
            PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(e) => Err(e).tried("cannot wait for signals"),
        }
    }

    fn signal(&mut self) -> Result<Option<Received>> {
        let info = self.signals.read_signal().tried("cannot read a signal")?;
        Ok(info.map(|info| Received {
            signal: info.ssi_signo as i32,
            terminal: info.ssi_code == libc::SI_KERNEL,
        }))
    }

    fn send(&mut self, to: Pid, signal: i32) {
        // SAFETY: the call takes two integers; it fails for one that has ended,
        // which keeps its number until we have waited for it.
        unsafe { libc::kill(to.as_raw(), signal) };
    }

    fn ours(&mut self) -> Vec<Pid> {
        children().difference(&self.others).copied().collect()
    }

    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// The children of this process, those that have ended among them.
fn children() -> BTreeSet<Pid> {
    // Most often there are none, which is said without a look at all processes.
    let any =
        WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT | WaitPidFlag::__WALL;
    if waitid(Id::All, any) == Err(Errno::ECHILD) {
        return BTreeSet::new();
    }
    let me = std::process::id();
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeSet::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
            // The name, which may hold anything, is in parentheses.
            let name = stat.iter().rposition(|&byte| byte == b')')?;
            let rest = String::from_utf8_lossy(&stat[name + 1..]);
            let parent: u32 = rest.split_whitespace().nth(1)?.parse().ok()?;
            (parent == me).then(|| Pid::from_raw(pid))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::VecDeque;

    const CHILD: Pid = Pid::from_raw(100);
    const LEFT: Pid = Pid::from_raw(101);

    /// What happens, in its order; each wait takes the next.
    #[derive(Clone, Copy)]
    enum Step {
        End(Pid, End),
        Signal(i32),
        Terminal(i32),
        /// Nothing, until the time that was waited for.
        Time,
    }

    struct Fake {
        steps: VecDeque<Step>,
        alive: Vec<Pid>,
        ended: VecDeque<(Pid, End)>,
        signals: VecDeque<Received>,
        sent: Vec<(i32, i32)>,
        now: Instant,
        /// Does as it is told by SIGKILL.
        mortal: bool,
    }

    impl System for Fake {
        fn reap(&mut self) -> Result<Reaped> {
            Ok(match self.ended.pop_front() {
                Some((pid, end)) => Reaped::Ended(pid, end),
                None if self.alive.is_empty() => Reaped::Gone,
                None => Reaped::Alive,
            })
        }

        fn wait(&mut self, until: Option<Instant>) -> Result<()> {
            if !self.ended.is_empty() {
                return Ok(());
            }
            match self.steps.pop_front().expect("it waits for ever") {
                Step::End(pid, end) => {
                    self.alive.retain(|&alive| alive != pid);
                    self.ended.push_back((pid, end));
                }
                Step::Signal(signal) => self.signals.push_back(Received {
                    signal,
                    terminal: false,
                }),
                Step::Terminal(signal) => self.signals.push_back(Received {
                    signal,
                    terminal: true,
                }),
                Step::Time => self.now = until.expect("it waits for no time"),
            }
            Ok(())
        }

        fn signal(&mut self) -> Result<Option<Received>> {
            Ok(self.signals.pop_front())
        }

        fn send(&mut self, to: Pid, signal: i32) {
            self.sent.push((to.as_raw(), signal));
            if signal == libc::SIGKILL && self.mortal {
                self.alive.retain(|&alive| alive != to);
                self.ended.push_back((to, End::Killed(Signal::SIGKILL)));
            }
        }

        fn ours(&mut self) -> Vec<Pid> {
            self.alive.clone()
        }

        fn now(&self) -> Instant {
            self.now
        }
    }

    struct Result_ {
        ending: Ending,
        sent: Vec<(i32, i32)>,
        told: Vec<Event>,
    }

    fn play(alive: &[Pid], duration: Option<Duration>, steps: &[Step]) -> Result_ {
        let mut fake = Fake {
            steps: steps.iter().copied().collect(),
            alive: alive.to_vec(),
            ended: VecDeque::new(),
            signals: VecDeque::new(),
            sent: Vec::new(),
            now: Instant::now(),
            mortal: true,
        };
        let told = RefCell::new(Vec::new());
        let ending = follow(
            &mut fake,
            CHILD,
            duration,
            &|event| told.borrow_mut().push(event),
            &mut || Ok(()),
        )
        .unwrap();
        assert!(fake.steps.is_empty(), "it ended too early");
        Result_ {
            ending,
            sent: fake.sent,
            told: told.into_inner(),
        }
    }

    const TERM: i32 = libc::SIGTERM;

    #[test]
    fn the_command_ends() {
        let done = play(&[CHILD], None, &[Step::End(CHILD, End::Exited(7))]);
        assert_eq!(done.ending.status, 7);
        assert_eq!(done.ending.losses, []);
        let killed = End::Killed(Signal::SIGSEGV);
        let done = play(&[CHILD], None, &[Step::End(CHILD, killed)]);
        assert_eq!((done.ending.status, done.ending.losses), (139, vec![]));
    }

    #[test]
    fn an_orderly_end_after_a_signal_is_complete() {
        let done = play(
            &[CHILD],
            None,
            &[Step::Signal(TERM), Step::End(CHILD, End::Exited(0))],
        );
        assert_eq!(done.sent, [(100, TERM)]);
        assert_eq!(done.told, [Event::PassedOn(Signal::SIGTERM)]);
        assert!(done.ending.stopped);
        assert_eq!(done.ending.losses, []);
    }

    #[test]
    fn a_command_that_the_signal_kills_is_interrupted() {
        let done = play(
            &[CHILD],
            None,
            &[
                Step::Terminal(libc::SIGINT),
                Step::End(CHILD, End::Killed(Signal::SIGINT)),
            ],
        );
        // The terminal has sent it already.
        assert_eq!(done.sent, []);
        assert_eq!(done.ending.losses, [Loss::Interrupted("SIGINT")]);
        assert_eq!(done.ending.status, 130);
    }

    #[test]
    fn a_second_signal_ends_it() {
        let steps = [Step::Signal(TERM), Step::Signal(TERM)];
        let done = play(&[CHILD], None, &steps);
        assert_eq!(done.sent, [(100, TERM), (100, libc::SIGKILL)]);
        assert_eq!(done.ending.losses, [Loss::Interrupted("SIGKILL")]);
        let done = play(&[CHILD, LEFT], None, &steps);
        assert_eq!(
            done.ending.losses,
            [Loss::Interrupted("SIGKILL"), Loss::StillRunning]
        );
    }

    #[test]
    fn what_is_left_behind_gets_the_signal() {
        let done = play(
            &[CHILD, LEFT],
            None,
            &[
                Step::End(CHILD, End::Exited(0)),
                Step::Time,
                Step::Terminal(libc::SIGINT),
                Step::End(LEFT, End::Exited(0)),
            ],
        );
        assert_eq!(done.sent, [(101, libc::SIGINT)]);
        assert_eq!(done.told, [Event::Left, Event::PassedOn(Signal::SIGINT)]);
        assert_eq!(done.ending.losses, []);
        let done = play(
            &[CHILD, LEFT],
            None,
            &[
                Step::End(CHILD, End::Exited(3)),
                Step::Signal(TERM),
                Step::Signal(TERM),
            ],
        );
        assert_eq!(done.ending.losses, [Loss::StillRunning]);
        assert_eq!(done.ending.status, 3);
    }

    #[test]
    fn other_signals_are_passed_on_and_end_nothing() {
        let mut steps = Vec::new();
        let others = [
            libc::SIGUSR1,
            libc::SIGUSR2,
            libc::SIGHUP,
            libc::SIGALRM,
            40,
        ];
        for signal in others {
            steps.push(Step::Signal(signal));
            steps.push(Step::Signal(signal));
        }
        steps.push(Step::Signal(libc::SIGCHLD));
        steps.push(Step::End(CHILD, End::Exited(0)));
        let done = play(&[CHILD], None, &steps);
        let sent: Vec<i32> = done.sent.iter().map(|&(_, signal)| signal).collect();
        assert_eq!(sent, others.map(|signal| [signal, signal]).concat());
        assert_eq!(done.ending, Ending::default());
    }

    #[test]
    fn the_time_is_up() {
        let minute = Some(Duration::from_secs(60));
        for end in [End::Exited(0), End::Killed(Signal::SIGTERM)] {
            let done = play(&[CHILD], minute, &[Step::Time, Step::End(CHILD, end)]);
            assert_eq!(done.sent, [(100, TERM)]);
            assert_eq!(done.told, [Event::TimeIsUp]);
            assert_eq!(done.ending.losses, []);
            assert!(!done.ending.stopped);
        }
        // Another signal may have ended it before that.
        let hangup = [
            Step::Signal(libc::SIGHUP),
            Step::End(CHILD, End::Killed(Signal::SIGHUP)),
        ];
        let done = play(&[CHILD], minute, &hangup);
        assert_eq!(done.ending.losses, [Loss::Interrupted("SIGHUP")]);
        // One that ends by itself before that.
        let done = play(&[CHILD], minute, &[Step::End(CHILD, End::Exited(0))]);
        assert_eq!(done.ending, Ending::default());
    }

    #[test]
    fn a_command_that_does_not_end_in_time_is_killed() {
        let second = Some(Duration::from_secs(1));
        let done = play(&[CHILD], second, &[Step::Time, Step::Time]);
        assert_eq!(done.sent, [(100, TERM), (100, libc::SIGKILL)]);
        assert_eq!(done.told, [Event::TimeIsUp, Event::Killed]);
        assert_eq!(done.ending.losses, [Loss::Killed]);
        // And all that it leaves.
        let done = play(&[CHILD, LEFT], second, &[Step::Time, Step::Time]);
        assert_eq!(
            done.sent,
            [(100, TERM), (100, libc::SIGKILL), (101, libc::SIGKILL)]
        );
    }

    #[test]
    fn children_are_found() {
        let mut child = std::process::Command::new("sleep")
            .arg("600")
            .spawn()
            .unwrap();
        let pid = Pid::from_raw(child.id() as i32);
        assert!(children().contains(&pid));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!children().contains(&pid));
    }
}
