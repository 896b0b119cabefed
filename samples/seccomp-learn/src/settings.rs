// SPDX-License-Identifier: GPL-2.0-only

//! The kernel's audit settings, made fit for a run and put back after it.
//!
//! They are the machine's, so runs that overlap share them: the first one saves
//! what it found, the last one puts it back. A run that was killed leaves the
//! saved values for the next one. A setting is put back only if it still has
//! the value that a run gave it, and nobody else has set it in between: what an
//! administrator says meanwhile stays.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::audit::{Control, Status};
use crate::error::{Result, Tried};
use crate::record::Change;
use crate::rules::Exclude;

const ACTIONS_LOGGED: &str = "/proc/sys/kernel/seccomp/actions_logged";
/// Where what runs share is kept.
pub const PLACE: &str = "/run";
/// Held for a moment, to enter and to leave.
const DOOR: &str = "seccomp-learn.lock";
/// Held, shared, by each run.
const USERS: &str = "seccomp-learn.users";
/// What the first run found, and what was set in its place.
const SAVED: &str = "seccomp-learn.saved";

/// The least number of records that may wait during a run. More do not help:
/// at the limit the kernel makes a task that logs wait, and drops nothing. The
/// number is one that nobody else would choose, so that it is known again.
const BACKLOG: u32 = 8209;

/// What a run needs of the kernel.
pub trait Machine {
    /// Audit's settings and counters.
    ///
    /// # Errors
    ///
    /// Fails where they cannot be asked for.
    fn status(&mut self) -> Result<Status>;

    /// Changes the settings that differ.
    ///
    /// # Errors
    ///
    /// Fails where they cannot be changed.
    fn change(&mut self, from: &Status, to: &Status) -> Result<()>;

    /// The rules of the exclude list, and whether there is any rule at all.
    ///
    /// # Errors
    ///
    /// Fails where they cannot be asked for.
    fn rules(&mut self) -> Result<(Vec<Exclude>, bool)>;

    /// The names in `actions_logged`.
    ///
    /// # Errors
    ///
    /// Fails where they cannot be read.
    fn actions_logged(&mut self) -> Result<String>;

    /// Writes `actions_logged`.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be written.
    fn set_actions_logged(&mut self, names: &str) -> Result<()>;
}

impl Machine for Control {
    fn status(&mut self) -> Result<Status> {
        Control::status(self)
    }

    fn change(&mut self, from: &Status, to: &Status) -> Result<()> {
        Control::change(self, from, to)
    }

    fn rules(&mut self) -> Result<(Vec<Exclude>, bool)> {
        Control::rules(self)
    }

    fn actions_logged(&mut self) -> Result<String> {
        let names =
            fs::read_to_string(ACTIONS_LOGGED).tried(format!("cannot read {ACTIONS_LOGGED}"))?;
        Ok(names.trim_end().to_owned())
    }

    fn set_actions_logged(&mut self, names: &str) -> Result<()> {
        fs::write(ACTIONS_LOGGED, format!("{names}\n"))
            .tried(format!("cannot change {ACTIONS_LOGGED} to {names:?}"))
    }
}

/// Something about the settings that their owner should hear of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A run that was killed had left these, and they were put back.
    LeftByKilledRun,
    /// Somebody else has set this one meanwhile: it stays as it is.
    SetMeanwhile(&'static str),
    /// The settings could not be put back.
    NotPutBack(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftByKilledRun => f.write_str(
                "a run that was killed had left its audit settings; they are put back now",
            ),
            Self::SetMeanwhile(name) => {
                write!(
                    f,
                    "{name} was set by somebody else meanwhile: it stays as it is"
                )
            }
            Self::NotPutBack(why) => write!(f, "cannot put audit's settings back: {why}"),
        }
    }
}

/// A setting: what to put back, and what runs have done to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Field<T> {
    /// What is to be put back.
    found: T,
    /// What a run has set, unless somebody else has set something since.
    last: Option<T>,
    /// All that runs have set, each with what was there before.
    writes: Vec<(T, T)>,
    /// How many of them the log of this run cannot tell of any more.
    #[serde(skip)]
    passed: usize,
    /// Somebody else has set it.
    #[serde(skip)]
    theirs: bool,
}

impl<T: Clone + PartialEq> Field<T> {
    fn new(found: T) -> Self {
        Self {
            found,
            last: None,
            writes: Vec::new(),
            passed: 0,
            theirs: false,
        }
    }

    /// What a run sets, if it is not so already.
    fn set(&mut self, now: T, value: T) {
        if now != value {
            self.last = Some(value.clone());
            self.writes.push((now, value));
        }
    }

    /// Somebody else's value, which stays.
    fn keep(&mut self, value: T) {
        self.found = value;
        self.theirs |= self.last.take().is_some();
    }

    /// What is there now and was not set by a run is somebody else's.
    fn absorb(&mut self, now: T) {
        if self.last.as_ref() != Some(&now) {
            self.keep(now);
        }
    }

    /// Takes a change that the log tells of.
    fn claim(&mut self, old: T, new: T) {
        if !self.by_run(&old, &new) {
            self.keep(new);
            self.theirs = true;
        }
    }

    /// Takes a change that another run has made, if it is one. What that run found
    /// is what to put back, if somebody else had set it.
    fn by_run(&mut self, old: &T, new: &T) -> bool {
        let others = self.writes.get(self.passed..).unwrap_or_default();
        let is_it = |write: &(T, T)| write.0 == *old && write.1 == *new;
        let Some(at) = others.iter().position(is_it) else {
            return false;
        };
        self.passed += at + 1;
        if self.last.is_none() {
            self.found = old.clone();
            self.last = Some(new.clone());
            self.theirs = false;
        }
        true
    }
}

/// All that is changed for a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    enabled: Field<u32>,
    rate_limit: Field<u32>,
    backlog_limit: Field<u32>,
    actions_logged: Field<Names>,
}

/// The names in `actions_logged`; the kernel has an order of its own for them.
type Names = BTreeSet<String>;

fn names(text: &str) -> Names {
    text.split_whitespace().map(str::to_owned).collect()
}

fn text(names: &Names) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.join(" ")
}

impl Saved {
    fn new(status: &Status, actions_logged: &str) -> Self {
        Self {
            enabled: Field::new(status.enabled),
            rate_limit: Field::new(status.rate_limit),
            backlog_limit: Field::new(status.backlog_limit),
            actions_logged: Field::new(names(actions_logged)),
        }
    }

    fn absorb(&mut self, status: &Status, actions_logged: &str) {
        self.enabled.absorb(status.enabled);
        self.rate_limit.absorb(status.rate_limit);
        self.backlog_limit.absorb(status.backlog_limit);
        self.actions_logged.absorb(names(actions_logged));
    }

    /// What is set now, made what it was.
    fn wanted(&self, now: &Status) -> Status {
        Status {
            enabled: self.enabled.found,
            rate_limit: self.rate_limit.found,
            backlog_limit: self.backlog_limit.found,
            ..*now
        }
    }

    /// Has the log tell of what came after `own` alone.
    fn since(&mut self, own: &Self) {
        self.enabled.passed = own.enabled.writes.len();
        self.rate_limit.passed = own.rate_limit.writes.len();
        self.backlog_limit.passed = own.backlog_limit.writes.len();
        self.actions_logged.passed = own.actions_logged.writes.len();
    }

    fn claim(&mut self, change: &Change) {
        match change {
            Change::Number { name, new, old } => {
                let field = match name.as_str() {
                    "audit_enabled" => &mut self.enabled,
                    "audit_rate_limit" => &mut self.rate_limit,
                    "audit_backlog_limit" => &mut self.backlog_limit,
                    _ => return,
                };
                field.claim(*old, *new);
                // While audit is off nothing is recorded, and so not that a run
                // has switched it on again.
                if name == "audit_enabled" && *new == 0 {
                    field.by_run(&0, &1);
                }
            }
            Change::ActionsLogged { new, old } => {
                self.actions_logged.claim(names(old), names(new));
            }
        }
    }

    fn theirs(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.enabled.theirs, "audit's enabled flag"),
            (self.rate_limit.theirs, "audit's rate limit"),
            (self.backlog_limit.theirs, "audit's backlog limit"),
            (self.actions_logged.theirs, "actions_logged"),
        ]
        .into_iter()
        .filter_map(|(theirs, name)| theirs.then_some(name))
    }
}

/// Settings fit for a run, until they are left.
pub struct Settings<M: Machine> {
    machine: M,
    place: PathBuf,
    /// What to put back where nothing can be shared with others.
    own: Saved,
    users: Option<Flock<File>>,
    changes: Vec<Change>,
    notes: Vec<Note>,
    before: Status,
    left: bool,
}

impl<M: Machine> Settings<M> {
    /// Turns audit on, takes its rate limit away, raises its backlog, and has
    /// `action` logged. What runs share is kept in the directory `place`.
    ///
    /// # Errors
    ///
    /// Fails without CAP_AUDIT_CONTROL, or where the settings are locked and
    /// not fit.
    pub fn enter(
        mut machine: M,
        place: &Path,
        action: Action,
        backlog: Option<u32>,
    ) -> Result<Self> {
        let door = lock(&place.join(DOOR), FlockArg::LockExclusive).ok();
        let status = machine.status()?;
        let logged = machine.actions_logged()?;
        let mut settings = Self {
            machine,
            place: place.to_owned(),
            own: Saved::new(&status, &logged),
            users: None,
            changes: Vec::new(),
            notes: Vec::new(),
            before: status,
            left: false,
        };
        if door.is_some() {
            settings.users = settings.join(&status, &logged)?;
        }
        settings.fit(&status, &logged, action, backlog)?;
        Ok(settings)
    }

    fn saved(&self) -> Option<Saved> {
        serde_json::from_slice(&fs::read(self.place.join(SAVED)).ok()?).ok()
    }

    fn save(&self, saved: &Saved) -> Result<()> {
        let path = self.place.join(SAVED);
        serde_json::to_vec(saved)
            .map_err(io::Error::from)
            .and_then(|text| fs::write(&path, text))
            .tried(format!("cannot write {}", path.display()))
    }

    /// Becomes one of the users; the first one has to deal with what a run that
    /// was killed may have left.
    fn join(&mut self, status: &Status, logged: &str) -> Result<Option<Flock<File>>> {
        let path = self.place.join(USERS);
        let (users, alone) = match lock(&path, FlockArg::LockExclusiveNonblock) {
            Ok(users) => {
                users
                    .relock(FlockArg::LockShared)
                    .tried(format!("cannot lock {}", path.display()))?;
                (users, true)
            }
            Err(Errno::EWOULDBLOCK) => (
                lock(&path, FlockArg::LockShared)
                    .tried(format!("cannot lock {}", path.display()))?,
                false,
            ),
            Err(e) => return Err(e).tried(format!("cannot lock {}", path.display())),
        };
        if let Some(mut saved) = self.saved() {
            saved.absorb(status, logged);
            if alone && saved.enabled.found == 0 && status.enabled != 0 {
                // Nobody can have seen who switched audit on since: where it is
                // used it stays on.
                let used = self.machine.rules().map_or(true, |(_, any)| any);
                if status.pid != 0 || used {
                    saved.enabled.keep(status.enabled);
                }
            }
            let differs =
                saved.wanted(status) != *status || saved.actions_logged.found != names(logged);
            if alone && differs {
                self.notes.push(Note::LeftByKilledRun);
            }
            self.own = saved;
        }
        Ok(Some(users))
    }

    fn fit(
        &mut self,
        now: &Status,
        logged: &str,
        action: Action,
        backlog: Option<u32>,
    ) -> Result<()> {
        let fit = Status {
            // New sessions, and the marker at the end, are recorded only if
            // audit is on; seccomp's records come in either case.
            enabled: now.enabled.max(1),
            rate_limit: 0,
            // 0 means no limit. Others need what there is.
            backlog_limit: match now.backlog_limit {
                0 => 0,
                limit => limit.max(backlog.unwrap_or(BACKLOG)),
            },
            ..*now
        };
        let found = names(logged);
        let mut fit_names = found.clone();
        fit_names.insert(action.kernel_name().to_owned());
        let own = &mut self.own;
        own.enabled.set(now.enabled, fit.enabled);
        own.rate_limit.set(now.rate_limit, fit.rate_limit);
        own.backlog_limit.set(now.backlog_limit, fit.backlog_limit);
        own.actions_logged.set(found.clone(), fit_names.clone());
        // Before the first change, so that a run that is killed has saved it.
        if self.users.is_some() {
            self.save(&self.own)?;
        }
        self.machine.change(now, &fit)?;
        if fit_names != found {
            self.machine.set_actions_logged(&text(&fit_names))?;
        }
        Ok(())
    }

    /// What a run needs of the kernel.
    pub fn machine(&mut self) -> &mut M {
        &mut self.machine
    }

    /// Records that may have been dropped since the run began, whoever they were
    /// of.
    ///
    /// # Errors
    ///
    /// Fails if the counter cannot be asked for.
    pub fn lost(&mut self) -> Result<u32> {
        Ok(self.machine.status()?.lost_since(&self.before))
    }

    /// Takes changes of settings that others have made since the run began, as
    /// the log tells them.
    pub fn changed(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
    }

    /// Puts back what is to be put back, if this is the last run.
    pub fn leave(mut self) -> Vec<Note> {
        self.put_back();
        std::mem::take(&mut self.notes)
    }

    fn put_back(&mut self) {
        self.left = true;
        let _door = lock(&self.place.join(DOOR), FlockArg::LockExclusive).ok();
        let mut saved = match &self.users {
            Some(_) => self.saved().unwrap_or_else(|| self.own.clone()),
            None => self.own.clone(),
        };
        saved.since(&self.own);
        for change in &self.changes {
            saved.claim(change);
        }
        let done = match &self.users {
            Some(users) if users.relock(FlockArg::LockExclusiveNonblock).is_err() => {
                self.save(&saved)
            }
            _ => self.restore(&mut saved),
        };
        self.notes.extend(saved.theirs().map(Note::SetMeanwhile));
        if let Err(e) = done {
            self.notes.push(Note::NotPutBack(e.to_string()));
        }
    }

    fn restore(&mut self, saved: &mut Saved) -> Result<()> {
        let now = self.machine.status()?;
        let logged = self.machine.actions_logged()?;
        saved.absorb(&now, &logged);
        // An audit daemon that has come meanwhile needs audit, whoever has
        // switched it on.
        if now.pid != 0 && now.pid != self.before.pid {
            saved.enabled.keep(now.enabled);
        }
        // actions_logged first: its change is a record too, if audit is on.
        let wanted = &saved.actions_logged.found;
        if *wanted != names(&logged) {
            self.machine.set_actions_logged(&text(wanted))?;
        }
        self.machine.change(&now, &saved.wanted(&now))?;
        let _ = fs::remove_file(self.place.join(SAVED));
        Ok(())
    }
}

impl<M: Machine> Drop for Settings<M> {
    fn drop(&mut self) {
        if !self.left {
            self.put_back();
        }
    }
}

fn lock(path: &Path, how: FlockArg) -> std::result::Result<Flock<File>, Errno> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied => Errno::EACCES,
            _ => Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)),
        })?;
    Flock::lock(file, how).map_err(|(_, e)| e)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::rc::Rc;
    use tempfile::TempDir;

    /// A kernel that runs and an administrator share.
    #[derive(Clone)]
    struct Fake(Rc<RefCell<(Status, String, bool)>>);

    impl Fake {
        fn new() -> Self {
            let status = Status {
                enabled: 0,
                pid: 0,
                rate_limit: 20,
                backlog_limit: 64,
                lost: 0,
                wait_limit: 0,
                waited: None,
            };
            Self(Rc::new(RefCell::new((
                status,
                "errno kill".to_owned(),
                false,
            ))))
        }

        fn values(&self) -> (u32, u32, u32, String) {
            let (status, logged, _) = &*self.0.borrow();
            (
                status.enabled,
                status.rate_limit,
                status.backlog_limit,
                logged.clone(),
            )
        }

        fn administrator(&self, change: impl FnOnce(&mut Status)) {
            change(&mut self.0.borrow_mut().0);
        }
    }

    impl Machine for Fake {
        fn status(&mut self) -> Result<Status> {
            Ok(self.0.borrow().0)
        }

        fn change(&mut self, _: &Status, to: &Status) -> Result<()> {
            self.0.borrow_mut().0 = *to;
            Ok(())
        }

        fn rules(&mut self) -> Result<(Vec<Exclude>, bool)> {
            Ok((Vec::new(), self.0.borrow().2))
        }

        fn actions_logged(&mut self) -> Result<String> {
            Ok(self.0.borrow().1.clone())
        }

        fn set_actions_logged(&mut self, names: &str) -> Result<()> {
            self.0.borrow_mut().1 = names.to_owned();
            Ok(())
        }
    }

    struct Bench {
        fake: Fake,
        place: TempDir,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                fake: Fake::new(),
                place: tempfile::tempdir().unwrap(),
            }
        }

        fn enter(&self, backlog: Option<u32>) -> Settings<Fake> {
            Settings::enter(self.fake.clone(), self.place.path(), Action::Log, backlog).unwrap()
        }

        /// A run that is killed: nothing is put back, its locks are gone.
        fn kill(&self, mut run: Settings<Fake>) {
            run.left = true;
            drop(run);
        }
    }

    fn set(name: &str, new: u32, old: u32) -> Change {
        Change::Number {
            name: name.to_owned(),
            new,
            old,
        }
    }

    #[test]
    fn what_was_found_comes_back() {
        let bench = Bench::new();
        let before = bench.fake.values();
        let run = bench.enter(None);
        assert_eq!(
            bench.fake.values(),
            (1, 0, BACKLOG, "errno kill log".to_owned())
        );
        assert_eq!(run.leave(), []);
        assert_eq!(bench.fake.values(), before);
        assert!(!bench.place.path().join(SAVED).exists());
    }

    #[test]
    fn the_last_of_several_runs_puts_back() {
        let bench = Bench::new();
        let before = bench.fake.values();
        let first = bench.enter(None);
        let second = bench.enter(Some(20_000));
        assert_eq!(bench.fake.values().2, 20_000);
        first.leave();
        assert_eq!(bench.fake.values().2, 20_000);
        second.leave();
        assert_eq!(bench.fake.values(), before);
    }

    #[test]
    fn the_backlog_is_never_lowered() {
        let bench = Bench::new();
        let run = bench.enter(Some(4));
        assert_eq!(bench.fake.values().2, 64);
        run.leave();
        bench.fake.administrator(|status| status.backlog_limit = 0);
        let run = bench.enter(Some(4));
        assert_eq!(bench.fake.values().2, 0);
        run.leave();
        assert_eq!(bench.fake.values().2, 0);
    }

    #[test]
    fn what_the_administrator_changes_meanwhile_stays() {
        let bench = Bench::new();
        let run = bench.enter(None);
        bench.fake.administrator(|status| {
            status.rate_limit = 7;
            status.backlog_limit = 500;
        });
        let notes = ["audit's rate limit", "audit's backlog limit"].map(Note::SetMeanwhile);
        assert_eq!(run.leave(), notes);
        assert_eq!(bench.fake.values(), (0, 7, 500, "errno kill".to_owned()));
    }

    #[test]
    fn audit_switched_on_meanwhile_stays_on() {
        let bench = Bench::new();
        let mut run = bench.enter(None);
        // It was on already, for the run: only the record tells.
        run.changed(vec![set("audit_enabled", 1, 1)]);
        assert_eq!(run.leave(), [Note::SetMeanwhile("audit's enabled flag")]);
        assert_eq!(bench.fake.values().0, 1);

        // Switched off and on again, of which the log has the one alone, as audit
        // is off at the other; whatever was found.
        for found in [0, 1] {
            bench.fake.administrator(|status| status.enabled = found);
            let mut run = bench.enter(None);
            run.changed(vec![set("audit_enabled", 0, 1)]);
            assert_eq!(run.leave(), [Note::SetMeanwhile("audit's enabled flag")]);
            assert_eq!(bench.fake.values().0, 1, "{found}");
        }
        bench.fake.administrator(|status| status.enabled = 0);
        let run = bench.enter(None);
        bench.fake.administrator(|status| status.pid = 99);
        assert_eq!(run.leave(), [Note::SetMeanwhile("audit's enabled flag")]);
        assert_eq!(bench.fake.values().0, 1);
        // A daemon that was there before goes without audit as it did.
        bench.fake.administrator(|status| status.enabled = 0);
        assert_eq!(bench.enter(None).leave(), []);
        assert_eq!(bench.fake.values().0, 0);
    }

    #[test]
    fn what_is_set_between_two_runs_comes_back_after_the_second() {
        let names = |new: &str, old: &str| Change::ActionsLogged {
            new: new.to_owned(),
            old: old.to_owned(),
        };
        let bench = Bench::new();
        let mut first = bench.enter(None);
        bench.fake.administrator(|status| {
            status.enabled = 0;
            status.rate_limit = 1000;
            status.backlog_limit = 500;
        });
        bench.fake.0.borrow_mut().1 = "kill".to_owned();
        let second = bench.enter(None);
        // The second's are in the log of the first, where audit was on; here that
        // of audit_enabled alone is not.
        first.changed(vec![
            set("audit_rate_limit", 1000, 0),
            set("audit_backlog_limit", 500, BACKLOG),
            names("kill", "errno kill log"),
            set("audit_enabled", 0, 1),
            set("audit_rate_limit", 0, 1000),
            set("audit_backlog_limit", BACKLOG, 500),
            names("kill log", "kill"),
        ]);
        assert_eq!(first.leave(), []);
        assert_eq!(bench.fake.values(), (1, 0, BACKLOG, "kill log".to_owned()));
        second.leave();
        assert_eq!(bench.fake.values(), (0, 1000, 500, "kill".to_owned()));
    }

    #[test]
    fn what_is_set_after_the_last_run_has_come_stays() {
        let bench = Bench::new();
        let mut first = bench.enter(None);
        let second = bench.enter(Some(20_000));
        let third = bench.enter(Some(30_000));
        // Of the second the log has nothing, as it came before the first looked.
        first.changed(vec![
            set("audit_backlog_limit", 30_000, 20_000),
            set("audit_backlog_limit", 20_000, 30_000),
            // The third has done the same once, and not again.
            set("audit_backlog_limit", 30_000, 20_000),
        ]);
        assert_eq!(first.leave(), [Note::SetMeanwhile("audit's backlog limit")]);
        second.leave();
        third.leave();
        assert_eq!(
            bench.fake.values(),
            (0, 20, 30_000, "errno kill".to_owned())
        );
    }

    #[test]
    fn another_run_is_no_administrator() {
        let bench = Bench::new();
        let before = bench.fake.values();
        let mut first = bench.enter(None);
        let second = bench.enter(Some(20_000));
        let third = bench.enter(Some(30_000));
        first.changed(vec![
            set("audit_backlog_limit", 20_000, BACKLOG),
            set("audit_backlog_limit", 30_000, 20_000),
        ]);
        assert_eq!(first.leave(), []);
        second.leave();
        third.leave();
        assert_eq!(bench.fake.values(), before);
    }

    #[test]
    fn what_one_run_saw_holds_for_the_last() {
        let bench = Bench::new();
        let mut first = bench.enter(None);
        let second = bench.enter(None);
        first.changed(vec![set("audit_enabled", 1, 1)]);
        first.leave();
        second.leave();
        assert_eq!(bench.fake.values().0, 1);
    }

    #[test]
    fn a_killed_run_is_made_good_by_the_next() {
        let bench = Bench::new();
        let before = bench.fake.values();
        bench.kill(bench.enter(None));
        assert_ne!(bench.fake.values(), before);
        assert_eq!(bench.enter(None).leave(), [Note::LeftByKilledRun]);
        assert_eq!(bench.fake.values(), before);
    }

    #[test]
    fn what_changed_after_a_killed_run_stays() {
        let bench = Bench::new();
        bench.kill(bench.enter(None));
        bench.fake.administrator(|status| {
            status.backlog_limit = 500;
            status.pid = 99;
        });
        bench.fake.0.borrow_mut().1 = "kill".to_owned();
        bench.enter(None).leave();
        assert_eq!(bench.fake.values(), (1, 20, 500, "kill".to_owned()));

        // Rules without auditd are use as well.
        bench.fake.administrator(|status| {
            status.enabled = 0;
            status.pid = 0;
        });
        bench.kill(bench.enter(None));
        bench.fake.0.borrow_mut().2 = true;
        bench.enter(None).leave();
        assert_eq!(bench.fake.values().0, 1);
    }

    #[test]
    fn what_was_saved_survives_its_text() {
        for logged in ["kill_process errno log", ""] {
            let mut saved = Saved::new(&Fake::new().status().unwrap(), logged);
            saved.rate_limit.set(20, 0);
            saved.backlog_limit.set(64, 9000);
            saved.actions_logged.set(names(logged), names("errno trap"));
            let text = serde_json::to_string(&saved).unwrap();
            assert_eq!(serde_json::from_str::<Saved>(&text).unwrap(), saved);
        }
    }
}
