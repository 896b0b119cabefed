// SPDX-License-Identifier: GPL-2.0-only

//! Running a command under a filter, and collecting the calls that the filter
//! does not allow.
//!
//! # What a run changes in the process that makes it
//!
//! While [`run`] lasts, this process is a child subreaper, and each of its
//! children that was not there before is waited for; all signals but those of
//! faults and of job control are blocked in the calling thread, and read there.
//! All of it is as before when it returns. Other threads have to block the same
//! signals if these are to reach the command. With [`Via::Log`] the machine's
//! audit settings are others while it lasts; see
//! [`settings`](crate::settings).

mod child;
mod collect;
pub(crate) mod follow;
mod log;
mod loss;
mod notify;
mod supervise;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{access, AccessFlags};

use crate::absent::Absent;
use crate::action::Action;
use crate::arguments::Selection;
use crate::bpf::Asked;
use crate::caps::{missing, Cap};
use crate::condition::When;
use crate::error::{Error, Result, Tried};
use crate::settings::Note;
use crate::syscalls::{Arch, Call, Calls};

pub use follow::Blocked;
pub use log::available;
pub use loss::Loss;

/// A call that nobody makes (ENOSYS on every architecture). The child makes it
/// under its filter, so that its record shows that records come at all. s390x takes
/// no more than 16 bits for a number.
pub const CANARY: u32 = 0x5ec0;

/// More distinct calls than this are no program's; a list stays in memory.
const MAX_DISTINCT: usize = 1 << 16;

/// How the calls come to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Via {
    /// Audit records: fast, and needs privilege.
    Log,
    /// A SECCOMP_RET_USER_NOTIF listener: slower, and needs none.
    Notify,
}

/// Something that happens while a command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A call came for the first time; so many distinct ones are there now.
    New(usize, Call),
    /// The command has ended, and what it left behind has not.
    Left,
    /// A signal that asks to end was passed on; its end is waited for.
    PassedOn(Signal),
    /// The time is up: the command was asked to end.
    TimeIsUp,
    /// The command did not end when it was asked to, so it was killed.
    Killed,
    /// The end of the log is waited for.
    WaitingForLog,
    /// What the owner of the machine's settings should hear of, however the run
    /// has ended.
    Note(Note),
}

/// What a run gave.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
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
    /// A signal asked for the end.
    pub stopped: bool,
    /// Tasks that were to be killed, and could not be: their call was refused.
    pub not_killed: u64,
}

/// What to run, and how.
#[derive(Clone)]
#[non_exhaustive]
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
    /// for a number that does. It never lowers what the kernel has.
    pub backlog: Option<u32>,
    /// Ask the command to end after this time, as SIGTERM does.
    pub duration: Option<Duration>,
    /// Is told what happens.
    pub on_event: &'a (dyn Fn(Event) + Sync),
    /// Have each call recorded, so that the outcome says how often it was made.
    /// Without, a kernel that can write one record alone for each distinct call
    /// does so in learning by [`Via::Log`].
    pub count: bool,
    /// Find out where each call came from when it was made first.
    pub places: bool,
    /// Where to write the audit records themselves.
    pub records: Option<&'a File>,
    /// The arguments that are looked at, where a listener sees them.
    pub arguments: Selection,
    /// What is answered with ENOSYS, and not told of.
    pub absent: Absent,
    /// With [`Via::Log`]: let a listener have the calls whose arguments matter,
    /// as a record has none. In learning these are those that are looked at, but
    /// for arguments that do no harm; in enforcing those with conditions.
    pub ask: bool,
    /// The signals that the command is to have blocked, where they are not those
    /// of this thread: [`Blocked::before`] of one that is around the run.
    pub mask: Option<SigSet>,
}

impl<'a> Job<'a> {
    /// A run of `command` that records every call but those that are allowed.
    pub fn new(command: &'a [OsString], allowed: &'a Calls, via: Via) -> Self {
        Self {
            command,
            allowed,
            action: Action::Log,
            via,
            keep_privs: false,
            backlog: None,
            duration: None,
            on_event: &|_| {},
            count: false,
            places: false,
            records: None,
            arguments: Selection::default(),
            absent: Absent::default(),
            ask: false,
            mask: None,
        }
    }
}

impl Job<'_> {
    /// The calls that go to the listener, and when they are recorded instead.
    fn asked(&self) -> Asked {
        let mut asked = Asked::new();
        if !self.ask {
            return asked;
        }
        if self.action == Action::Log {
            let archs = Arch::RUN_HERE.iter();
            let calls = archs.flat_map(|&arch| self.arguments.calls(arch));
            asked.extend(calls.map(|call| (call, self.arguments.harmless(call))));
        }
        // What a condition does not allow is always asked about: whoever has made
        // it knows better, and a report names the value.
        let conditional = self.allowed.iter();
        let conditional = conditional.filter(|(_, seen)| !seen.when.is_always());
        asked.extend(conditional.map(|(&call, _)| (call, When::any([]))));
        asked
    }
}

/// Runs the command until it and all that it has started are gone.
///
/// # Errors
///
/// [`Error::NotStarted`] if the command cannot be executed; otherwise what audit
/// or the system refused, with what it needs.
pub fn run(job: &Job<'_>) -> Result<Outcome> {
    let program = find(job.command.first().ok_or(Error::NoCommand)?)?;
    if job.keep_privs {
        let missing = missing(&[Cap::SysAdmin]);
        if !missing.is_empty() {
            return Err(Error::Privilege {
                what: "keeping privileges",
                missing,
                instead: ": without it the kernel takes a filter only with no_new_privs",
            });
        }
    }
    let _reaper = Subreaper::new()?;
    match job.via {
        Via::Log => log::run(job, &program),
        Via::Notify => notify::run(job, &program),
    }
}

/// What the command leaves behind becomes a child of this process, so that its
/// end is seen.
struct Subreaper {
    before: bool,
}

impl Subreaper {
    fn new() -> Result<Self> {
        let before = prctl::get_child_subreaper().tried("cannot ask for the child subreaper")?;
        prctl::set_child_subreaper(true).tried("cannot become a child subreaper")?;
        Ok(Self { before })
    }
}

impl Drop for Subreaper {
    fn drop(&mut self) {
        let _ = prctl::set_child_subreaper(self.before);
    }
}

/// Whether the program is set-uid or set-gid, so that `no_new_privs` changes
/// what it does.
pub fn gains_privileges(program: &OsString) -> bool {
    find(program)
        .ok()
        .and_then(|path| std::fs::metadata(path).ok())
        .is_some_and(|meta| meta.mode() & (libc::S_ISUID | libc::S_ISGID) != 0)
}

/// Finds the program as execvp would, before there is a filter.
///
/// # Errors
///
/// [`Error::NotStarted`], as executing it would fail.
pub fn find(program: &OsString) -> Result<PathBuf> {
    let not_started = |errno| Error::NotStarted {
        program: program.clone(),
        source: io::Error::from(errno),
    };
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
    Err(not_started(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::restrict;
    use crate::bpf::tests::decide;
    use crate::bpf::{Filter, RET_ALLOW, RET_LOG, RET_USER_NOTIF};
    use crate::condition::tests::number;
    use crate::profile::Profile;
    use crate::syscalls::Seen;
    use proptest::prelude::*;

    const NAMES: [&str; 9] = [
        "fcntl", "clone", "mmap", "mprotect", "futex", "madvise", "socket", "unshare", "read",
    ];

    /// Whether a call that is looked at may do harm, said in other words than the
    /// table's.
    fn matters(name: &str, args: &[u64; 6]) -> bool {
        match name {
            "fcntl" => !matches!(args[1] as u32,
                0..=7 | 9 | 11..=14 | 16 | 36..=38 | 1025 | 1027 | 1028 | 1030 | 1032 | 1034),
            "clone" => args[0] & 0x7e02_0000 != 0,
            "mmap" | "mprotect" => args[2] & 6 == 6,
            "futex" => !matches!(args[1] as u32 & !384, 0 | 1 | 3 | 4 | 5 | 9 | 10),
            "madvise" => !matches!(args[2] as u32,
                0..=4 | 8 | 10 | 14..=16 | 20..=23 | 102 | 103),
            "read" => false,
            _ => true,
        }
    }

    /// Numbers near those that commands, flags and operations have.
    fn argument() -> impl Strategy<Value = u64> {
        prop_oneof![
            0..48u64,
            96..160u64,
            1020..1040u64,
            (0..64u64).prop_map(|bits| bits << 25),
            number()
        ]
    }

    fn made() -> impl Strategy<Value = Vec<(&'static str, [u64; 6])>> {
        let call = (
            prop::sample::select(&NAMES),
            prop::array::uniform6(argument()),
        );
        prop::collection::vec(call, 1..30)
    }

    /// What a run by the log would learn of these calls, and its filter.
    fn learn(job: &Job<'_>, made: &[(&str, [u64; 6])]) -> (Calls, Filter) {
        let asked = job.asked();
        let rules = job.allowed.iter().map(|(call, seen)| (call, &seen.when));
        let filter = Filter::mixed(rules, RET_LOG, &asked, &job.absent).unwrap();
        let mut calls = Calls::new();
        for (name, args) in made {
            let call = Arch::NATIVE.call(name).unwrap();
            let answer = decide(filter.instructions(), call, args);
            if answer == RET_ALLOW {
                continue;
            }
            let seen: &mut Seen = calls.entry(call).or_default();
            match answer {
                RET_USER_NOTIF => {
                    if let Some(looked) = job.arguments.looks_at(call) {
                        seen.select(looked.at(args));
                    }
                }
                _ => seen.harmless |= asked.get(&call).is_some_and(|when| !when.is_never()),
            }
        }
        (calls, filter)
    }

    proptest! {
        #[test]
        fn what_matters_is_asked_about_and_the_condition_allows_all_that_was_made(
            made in made(), own in any::<bool>(),
        ) {
            let none = Calls::new();
            let mut job = Job::new(&[], &none, Via::Log);
            job.ask = true;
            if own {
                job.arguments.more.push(("fcntl".to_owned(), Some(1)));
            }
            let (calls, filter) = learn(&job, &made);
            for (name, args) in &made {
                let call = Arch::NATIVE.call(name).unwrap();
                let asked = matters(name, args) || own && *name == "fcntl";
                let want = if asked { RET_USER_NOTIF } else { RET_LOG };
                prop_assert_eq!(decide(filter.instructions(), call, args), want, "{} {:x?}", name, args);
            }
            let mut profile = Profile { calls, ..Profile::default() };
            let restricted = restrict(&mut profile, &job.arguments, &Profile::default());
            for (name, args) in &made {
                let call = Arch::NATIVE.call(name).unwrap();
                prop_assert!(profile.allows(call, args), "{} {:x?}", name, args);
            }
            for (call, why) in restricted.without {
                prop_assert!(why.starts_with("it had more than") || why.ends_with("at once"), "{call}: {why}");
            }
            // With that as a base nothing is new, and nobody is asked.
            let known = profile.calls.clone();
            job.allowed = &known;
            let (again, _) = learn(&job, &made);
            prop_assert_eq!(again, Calls::new());
        }

        #[test]
        fn a_refused_value_is_always_named(args in prop::array::uniform6(argument())) {
            // In enforcing nothing that a condition refuses is recorded alone.
            for action in [Action::Kill, Action::Log] {
                let fcntl = Arch::NATIVE.call("fcntl").unwrap();
                let mut profile = Profile::default();
                profile.allow_when(fcntl, When::any([]));
                let mut job = Job::new(&[], &profile.calls, Via::Log);
                (job.ask, job.action) = (true, action);
                let (_, filter) = learn(&job, &[]);
                prop_assert_eq!(decide(filter.instructions(), fcntl, &args), RET_USER_NOTIF);
            }
        }
    }
}
