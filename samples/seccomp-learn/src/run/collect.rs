// SPDX-License-Identifier: GPL-2.0-only

//! What comes in, made into a list.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::follow::Ending;
use super::{Event, Job, Loss, Outcome, CANARY, MAX_DISTINCT};
use crate::arguments::Looked;
use crate::audit::{
    self, Source, AUDIT_CONFIG_CHANGE, AUDIT_LOGIN, AUDIT_SECCOMP, AUDIT_TRUSTED_APP,
};
use crate::bpf::{Asked, ACTION_MASK};
use crate::error::{Result, Tried};
use crate::origin::{Maps, Origin};
use crate::record::{Change, Login, Seccomp};
use crate::syscalls::Call;

/// How many records to take before signals get their turn.
const BATCH: usize = 4096;

pub struct Collector<'a> {
    job: &'a Job<'a>,
    sessions: BTreeSet<u32>,
    outcome: Outcome,
    /// What is looked at of each call.
    looked: BTreeMap<Call, Option<Looked>>,
    maps: Maps,
    /// The record of [`CANARY`] came.
    pub canary: bool,
    /// Where to put settings that somebody has changed since the beginning was
    /// seen. They count even if no list comes of it.
    changes: Option<&'a mut Vec<Change>>,
    /// A marker: what comes before it is of another run.
    begin: Option<String>,
    overruns: u64,
    unreadable: u64,
    too_many: bool,
    write_error: Option<io::Error>,
}

impl<'a> Collector<'a> {
    /// Collects the records of the audit session. Changes of settings count from
    /// the marker `begin`: records are late, and those of the run's own changes may
    /// still come.
    pub fn recorded(
        job: &'a Job<'a>,
        session: u32,
        begin: String,
        changes: &'a mut Vec<Change>,
    ) -> Self {
        Self {
            sessions: BTreeSet::from([session]),
            changes: Some(changes),
            begin: Some(begin),
            ..Self::heard(job)
        }
    }

    /// Collects notifications.
    pub fn heard(job: &'a Job<'a>) -> Self {
        Self {
            job,
            sessions: BTreeSet::new(),
            outcome: Outcome::default(),
            looked: BTreeMap::new(),
            maps: Maps::default(),
            canary: false,
            changes: None,
            begin: None,
            overruns: 0,
            unreadable: 0,
            too_many: false,
            write_error: None,
        }
    }

    /// Takes what waits in the log, or a good part of it; says whether the
    /// marker was among it.
    pub fn take(&mut self, log: &mut impl Source, marker: Option<&str>) -> Result<bool> {
        for _ in 0..BATCH {
            match log.take()? {
                audit::Event::Empty => return Ok(false),
                audit::Event::Overrun => self.overruns += 1,
                audit::Event::Record(AUDIT_SECCOMP, text) => self.record(text),
                // A descendant that logs somebody in leaves the session; it is
                // still ours.
                audit::Event::Record(AUDIT_LOGIN, text) => {
                    if let Some(login) = Login::parse(text) {
                        if self.sessions.contains(&login.old_session) {
                            self.sessions.insert(login.session);
                        }
                    }
                }
                audit::Event::Record(AUDIT_CONFIG_CHANGE, text) => {
                    if let (None, Some(changes)) = (&self.begin, &mut self.changes) {
                        changes.extend(Change::parse(text));
                    }
                }
                audit::Event::Record(AUDIT_TRUSTED_APP, text) => {
                    self.begin.take_if(|begin| text.contains(&**begin));
                    if marker.is_some_and(|marker| text.contains(marker)) {
                        return Ok(true);
                    }
                }
                audit::Event::Record(..) => {}
            }
        }
        Ok(false)
    }

    /// Takes all up to the marker; says whether it came. `tell` hears of it if
    /// that takes long.
    pub fn drain(&mut self, log: &mut impl Source, marker: &str, limit: Duration) -> Result<bool> {
        let begin = Instant::now();
        let mut told = false;
        loop {
            if self.take(log, Some(marker))? {
                return Ok(true);
            }
            let left = limit.saturating_sub(begin.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            if !told && left < limit / 2 {
                told = true;
                (self.job.on_event)(Event::WaitingForLog);
            }
            log.wait(left.min(limit / 4))?;
        }
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
        let mut maps = std::mem::take(&mut self.maps);
        let places = self.job.places;
        self.count(call, || {
            let exe = record.exe.as_ref().map(|exe| exe.to_string_lossy());
            let origin = || Origin::recorded(record.pid, exe.as_deref(), record.ip, &mut maps);
            let origin = places.then(origin).unwrap_or_default();
            (Some(record.comm.to_string_lossy().into_owned()), origin)
        });
        self.maps = maps;
    }

    /// Counts a call. Who made it, and from where, is asked the first time.
    pub fn count(&mut self, call: Call, who: impl FnOnce() -> (Option<String>, Origin)) {
        self.outcome.records += 1;
        let distinct = self.outcome.calls.len();
        if distinct >= MAX_DISTINCT && !self.outcome.calls.contains_key(&call) {
            self.too_many = true;
            return;
        }
        let seen = self.outcome.calls.entry(call).or_default();
        if seen.count == 0 {
            let (comm, origin) = who();
            seen.first = comm;
            seen.origin = Some(origin).filter(|origin| *origin != Origin::default());
            (self.job.on_event)(Event::New(distinct + 1, call));
        }
        seen.count += 1;
    }

    /// Keeps the arguments that select what `call` does, if any do.
    pub fn select(&mut self, call: Call, args: &[u64; 6]) {
        // Asked once for each call: the name comes from libseccomp's table.
        let looked = self
            .looked
            .entry(call)
            .or_insert_with(|| self.job.arguments.looks_at(call));
        if let (Some(looked), Some(seen)) = (looked, self.outcome.calls.get_mut(&call)) {
            seen.select(looked.at(args));
        }
    }

    /// Says of no call how often it came: not each was recorded.
    pub fn forget_counts(&mut self) {
        for seen in self.outcome.calls.values_mut() {
            seen.count = 0;
        }
    }

    /// A task that was to be killed is not.
    pub fn not_killed(&mut self) {
        self.outcome.not_killed += 1;
    }

    /// Says of what was recorded here and asked about otherwise that its arguments
    /// did no harm.
    pub fn only_harmless(&mut self, asked: &Asked) {
        for (call, seen) in &mut self.outcome.calls {
            seen.harmless |= asked.get(call).is_some_and(|when| !when.is_never());
        }
    }

    /// Takes what a listener has heard. It knows more of a call than a record does.
    pub fn join(&mut self, heard: Self) {
        self.outcome.records += heard.outcome.records;
        self.outcome.not_killed += heard.outcome.not_killed;
        self.too_many |= heard.too_many;
        for (call, mut seen) in heard.outcome.calls {
            if let Some(recorded) = self.outcome.calls.remove(&call) {
                // With what nobody has counted it is no count.
                if recorded.count == 0 {
                    seen.count = 0;
                }
                seen.merge(recorded);
            }
            self.outcome.calls.insert(call, seen);
        }
    }

    /// The list.
    pub fn finish(self, ending: Ending) -> Result<Outcome> {
        if let Some(e) = self.write_error {
            return Err(e).tried("cannot write the records");
        }
        let mut outcome = self.outcome;
        outcome.status = ending.status;
        outcome.stopped = ending.stopped;
        outcome.losses = ending.losses;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Via;
    use crate::syscalls::Calls;
    use nix::errno::Errno;
    use std::collections::VecDeque;

    /// A log that holds what it is given.
    struct Fake(VecDeque<(u16, String)>, Option<(u16, String)>);

    const OVERRUN: u16 = 0;
    const BROKEN: u16 = 1;

    impl Fake {
        fn new(events: &[(u16, &str)]) -> Self {
            let events = events.iter().map(|&(kind, text)| (kind, text.to_owned()));
            Self(events.collect(), None)
        }
    }

    impl Source for Fake {
        fn take(&mut self) -> Result<audit::Event<'_>> {
            self.1 = self.0.pop_front();
            Ok(match &self.1 {
                None => audit::Event::Empty,
                Some((OVERRUN, _)) => audit::Event::Overrun,
                Some((BROKEN, _)) => return Err(Errno::EIO).tried("cannot read"),
                Some((kind, text)) => audit::Event::Record(*kind, text),
            })
        }

        fn wait(&mut self, _: Duration) -> Result<()> {
            Ok(())
        }
    }

    fn call(session: u32, nr: u32) -> String {
        format!(
            "audit(1.2:3): ses={session} pid=9 comm=\"a\" arch=c000003e syscall={nr} code=0x7ffc0000"
        )
    }

    fn collect(events: &[(u16, &str)], marker: Option<&str>) -> (Outcome, bool, bool, Vec<Change>) {
        let calls = Calls::new();
        let job = Job::new(&[], &calls, Via::Log);
        let mut changes = Vec::new();
        let mut collector = Collector::recorded(&job, 7, "begins 0123".to_owned(), &mut changes);
        let mut log = Fake::new(events);
        let seen = match marker {
            Some(marker) => collector
                .drain(&mut log, marker, Duration::from_millis(4))
                .unwrap(),
            None => collector.take(&mut log, None).unwrap(),
        };
        let canary = collector.canary;
        let outcome = collector.finish(Ending::default()).unwrap();
        (outcome, seen, canary, changes)
    }

    fn numbers(outcome: &Outcome) -> Vec<(u32, u64)> {
        let pair = |(call, seen): (&Call, &crate::syscalls::Seen)| (call.nr, seen.count);
        outcome.calls.iter().map(pair).collect()
    }

    #[test]
    fn only_records_of_the_session_count() {
        let login = "audit(1.2:3): pid=9 old-ses=7 ses=8 res=1";
        let (outcome, _, canary, _) = collect(
            &[
                (AUDIT_SECCOMP, &call(7, 1)),
                (AUDIT_SECCOMP, &call(8, 2)),
                (AUDIT_LOGIN, login),
                (AUDIT_SECCOMP, &call(8, 3)),
                (AUDIT_SECCOMP, &call(7, 1)),
                (AUDIT_SECCOMP, &call(7, CANARY)),
                (AUDIT_SECCOMP, &call(7, 4).replace("7ffc", "8000")),
            ],
            None,
        );
        assert_eq!(numbers(&outcome), [(1, 2), (3, 1)]);
        assert_eq!(outcome.records, 3);
        assert!(canary);
        assert_eq!(outcome.losses, []);
    }

    #[test]
    fn what_a_listener_has_heard_is_known_better() {
        let calls = Calls::new();
        let mut job = Job::new(&[], &calls, Via::Log);
        job.ask = true;
        let fcntl = "fcntl".parse().unwrap();
        let heard = |counted: bool| {
            let mut heard = Collector::heard(&job);
            heard.count(fcntl, || (Some("heard".to_owned()), Origin::default()));
            heard.select(fcntl, &[0, 8, 0, 0, 0, 0]);
            let mut changes = Vec::new();
            let mut collector = Collector::recorded(&job, 7, String::new(), &mut changes);
            let records = [call(7, fcntl.nr), call(7, 41), call(7, 0)];
            let events: Vec<(u16, &str)> = records.iter().map(|r| (AUDIT_SECCOMP, &**r)).collect();
            collector.take(&mut Fake::new(&events), None).unwrap();
            if !counted {
                collector.forget_counts();
            }
            collector.only_harmless(&job.asked());
            collector.join(heard);
            collector.finish(Ending::default()).unwrap()
        };
        let outcome = heard(true);
        let seen = &outcome.calls[&fcntl];
        assert_eq!((seen.count, seen.first.as_deref()), (2, Some("heard")));
        assert!(seen.harmless && seen.values.contains(&vec![8]));
        assert_eq!(outcome.records, 4);
        // socket's record is another filter's, read has no arguments that matter.
        assert_eq!(
            outcome.calls.values().filter(|seen| seen.harmless).count(),
            1
        );
        // A part is no count.
        assert_eq!(heard(false).calls[&fcntl].count, 0);
    }

    #[test]
    fn what_cannot_be_read_is_a_loss() {
        let (outcome, ..) = collect(
            &[(OVERRUN, ""), (AUDIT_SECCOMP, "audit(1.2:3): ses=7 sysc")],
            None,
        );
        assert_eq!(outcome.losses, [Loss::Overrun(1), Loss::Unreadable(1)]);
    }

    #[test]
    fn only_our_own_marker_is_the_end() {
        let ours = "audit(1.2:3): pid=1 msg='ends 0123'";
        let forged = [
            // A program writes one, of another type or without the nonce.
            (
                AUDIT_TRUSTED_APP,
                "audit(1.2:3): pid=9 msg='ends session 7'",
            ),
            (1107, ours),
            (AUDIT_SECCOMP, &call(7, 1)),
        ];
        let (outcome, seen, ..) = collect(&forged, Some("ends 0123"));
        assert!(!seen);
        assert_eq!(numbers(&outcome), [(1, 1)]);
        let (outcome, seen, ..) = collect(
            &[
                (
                    AUDIT_TRUSTED_APP,
                    "audit(1.2:3): pid=9 msg='ends session 7'",
                ),
                (AUDIT_SECCOMP, &call(7, 1)),
                (AUDIT_TRUSTED_APP, ours),
                (AUDIT_SECCOMP, &call(7, 2)),
            ],
            Some("ends 0123"),
        );
        assert!(seen);
        assert_eq!(numbers(&outcome), [(1, 1)]);
    }

    #[test]
    fn changes_of_settings_are_kept() {
        let text = "audit(1.2:3): op=set audit_enabled=1 old=1 auid=0 ses=3 res=1";
        let begin = "audit(1.2:3): pid=1 msg='begins 0123'";
        // Those before are the run's own, or those of one before.
        let events = [
            (AUDIT_CONFIG_CHANGE, text),
            (AUDIT_TRUSTED_APP, begin),
            (AUDIT_CONFIG_CHANGE, text),
        ];
        let (_, _, _, changes) = collect(&events, None);
        assert_eq!(changes.len(), 1);
        // They are there as well if the log cannot be read to its end.
        let calls = Calls::new();
        let job = Job::new(&[], &calls, Via::Log);
        let mut changes = Vec::new();
        let mut collector = Collector::recorded(&job, 7, "begins 0123".to_owned(), &mut changes);
        let mut log = Fake::new(&[&events[1..], &[(BROKEN, "")]].concat());
        assert!(collector.take(&mut log, None).is_err());
        assert_eq!(changes.len(), 1);
    }
}
