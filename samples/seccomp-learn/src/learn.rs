// SPDX-License-Identifier: GPL-2.0-only

//! Learning: as many runs as it takes.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::error::Result;
use crate::profile::History;
use crate::run::follow::Blocked;
use crate::run::{run, Event, Job, Loss, Outcome};
use crate::syscalls::{add, Call, Calls, Seen};

/// After so many passes a program counts as one that never does the same twice.
pub const MAX_PASSES: u32 = 100;

/// What to learn from, and how hard to try.
#[non_exhaustive]
pub struct Lesson<'a> {
    /// What to run. What it allows is known before: it is allowed in each pass,
    /// and kept.
    pub job: Job<'a>,
    /// So many complete passes; at most so many with `stable`.
    pub passes: Option<u32>,
    /// Passes until so many in a row were complete and brought nothing new.
    pub stable: Option<u32>,
    /// Values of arguments that no pass before had are new as well.
    pub arguments: bool,
    /// At most this many more while a pass is incomplete.
    pub retries: u32,
    /// Is told which pass begins.
    pub on_pass: &'a dyn Fn(u32),
}

impl<'a> Lesson<'a> {
    /// One pass.
    pub fn new(job: Job<'a>) -> Self {
        Self {
            job,
            passes: None,
            stable: None,
            arguments: false,
            retries: 0,
            on_pass: &|_| {},
        }
    }
}

/// What was learnt.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Learnt {
    /// The calls, those that were known among them.
    pub calls: Calls,
    /// Records of all passes.
    pub records: u64,
    /// Why the list may not be whole; of the last pass.
    pub losses: Vec<Loss>,
    /// Those of each pass before, with its number. A call that such a pass has
    /// lost and that no other made is not known.
    pub earlier: Vec<(u32, Vec<Loss>)>,
    /// How it went.
    pub history: History,
    /// Calls that only one pass of several made: another day may bring others.
    /// `None` where not every pass recorded every call.
    pub once: Option<Vec<Call>>,
    /// The command's exit status in the last pass.
    pub status: i32,
}

/// Runs the command, and records in each pass every call that was not known
/// before the first. After a pass that lost records, what is known is allowed,
/// so that there is less to record.
///
/// # Errors
///
/// As [`run`].
pub fn learn(lesson: &Lesson<'_>) -> Result<Learnt> {
    // One that comes between two passes is for the next.
    let blocked = Blocked::new()?;
    let mask = lesson.job.mask.unwrap_or(blocked.before());
    learn_by(lesson, &mut |job| {
        run(&Job {
            mask: Some(mask),
            ..job.clone()
        })
    })
}

fn learn_by(
    lesson: &Lesson<'_>,
    run: &mut dyn FnMut(&Job<'_>) -> Result<Outcome>,
) -> Result<Learnt> {
    let mut learnt = Learnt::default();
    let mut found = Calls::new();
    let mut retries = lesson.retries;
    // Complete passes, and those at the end that brought nothing new.
    let (mut complete, mut quiet) = (0, 0);
    let limit = match lesson.stable {
        Some(_) => lesson.passes.unwrap_or(MAX_PASSES),
        None => lesson.passes.unwrap_or(1),
    };
    loop {
        let pass = learnt.history.passes + 1;
        learnt.history.passes = pass;
        (lesson.on_pass)(pass);
        let mut allowed = lesson.job.allowed.clone();
        if !learnt.earlier.is_empty() {
            for (&call, seen) in &found {
                allow_known(&mut allowed, lesson, call, seen);
            }
        }
        let known = lesson.job.allowed.keys().chain(found.keys());
        let known: Mutex<BTreeSet<Call>> = Mutex::new(known.copied().collect());
        let outcome = run(&Job {
            allowed: &allowed,
            on_event: &|event| match event {
                // The log and the listener may both have it.
                Event::New(_, call) => {
                    let mut known = known.lock().unwrap_or_else(|e| e.into_inner());
                    if known.insert(call) {
                        (lesson.job.on_event)(Event::New(known.len(), call));
                    }
                }
                other => (lesson.job.on_event)(other),
            },
            ..lesson.job.clone()
        })?;
        learnt.status = outcome.status;
        learnt.records += outcome.records;
        let mut new = false;
        for (call, mut seen) in outcome.calls {
            let there = [lesson.job.allowed.get(&call), found.get(&call)];
            let values = |there: &Seen| seen.values.is_subset(&there.values);
            let known = |there: &Seen| {
                seen.when.implies(&there.when) && (!lesson.arguments || values(there))
            };
            new |= !there.into_iter().flatten().any(known);
            seen.passes = 1;
            add(&mut found, call, seen);
        }
        if new {
            learnt.history.last_new = pass;
        }
        let lost = !outcome.losses.is_empty();
        let ended = outcome.losses.iter().any(|loss| {
            matches!(
                loss,
                Loss::Interrupted(_) | Loss::Killed | Loss::StillRunning
            )
        });
        learnt.losses = outcome.losses;
        if lost && !ended && !outcome.stopped && retries > 0 {
            retries -= 1;
            quiet = 0;
            learnt
                .earlier
                .push((pass, std::mem::take(&mut learnt.losses)));
            continue;
        }
        if !lost {
            complete += 1;
            quiet = if new { 0 } else { quiet + 1 };
        }
        let enough = match lesson.stable {
            Some(wanted) => quiet >= wanted,
            None => complete >= limit,
        };
        if lost || enough || outcome.stopped || complete >= limit {
            break;
        }
    }
    if let Some(wanted) = lesson.stable {
        if quiet < wanted && learnt.losses.is_empty() {
            learnt.losses.push(Loss::Unstable { quiet, wanted });
        }
    }
    learnt.history.lossy = learnt.earlier.len() as u32;
    if learnt.earlier.is_empty() && learnt.history.passes > 1 {
        let once = found.iter().filter(|(_, seen)| seen.passes == 1);
        learnt.once = Some(once.map(|(&call, _)| call).collect());
    }
    learnt.calls = lesson.job.allowed.clone();
    for (call, seen) in found {
        add(&mut learnt.calls, call, seen);
    }
    Ok(learnt)
}

/// Allows what is known of a call after a pass that lost records. Where arguments
/// matter others may come, which are still to be seen; that is no record to lose.
fn allow_known(allowed: &mut Calls, lesson: &Lesson<'_>, call: Call, seen: &Seen) {
    let selection = &lesson.job.arguments;
    if !lesson.arguments || selection.looks_at(call).is_none() {
        add(allowed, call, seen.clone());
        return;
    }
    let when = selection.harmless(call);
    if !when.is_never() {
        let harmless = Seen {
            when,
            ..Seen::default()
        };
        add(allowed, call, harmless);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Case, Op, Test, When};
    use crate::run::Via;
    use crate::syscalls::Arch;
    use std::cell::RefCell;

    fn call(name: &str) -> Call {
        Arch::NATIVE.call(name).unwrap()
    }

    /// Passes that make these calls, `!` for one that loses records.
    fn play(passes: &[&str], set: impl FnOnce(&mut Lesson<'_>)) -> (Learnt, Vec<String>) {
        let base = Calls::new();
        let mut lesson = Lesson::new(Job::new(&[], &base, Via::Log));
        set(&mut lesson);
        let allowed = RefCell::new(Vec::new());
        let mut left = passes.iter();
        let learnt = learn_by(&lesson, &mut |job| {
            let mut outcome = Outcome::default();
            let names: Vec<String> = job.allowed.keys().map(Call::to_string).collect();
            allowed.borrow_mut().push(names.join(" "));
            for name in left.next().expect("a pass too many").split_whitespace() {
                match name {
                    "!" => outcome.losses.push(Loss::Counted(3)),
                    "stop" => outcome.stopped = true,
                    name if job.allowed.contains_key(&call(name)) => {}
                    name => {
                        let seen = Seen {
                            count: 1,
                            ..Seen::default()
                        };
                        outcome.records += 1;
                        outcome.calls.insert(call(name), seen);
                    }
                }
            }
            Ok(outcome)
        })
        .unwrap();
        assert!(left.next().is_none(), "a pass is missing");
        (learnt, allowed.into_inner())
    }

    fn names(learnt: &Learnt) -> String {
        let names: Vec<String> = learnt.calls.keys().map(Call::to_string).collect();
        names.join(" ")
    }

    #[test]
    fn passes_are_counted() {
        let (learnt, allowed) = play(&["read", "read write", "read"], |l| l.passes = Some(3));
        assert_eq!(names(&learnt), "read write");
        assert_eq!(learnt.history.passes, 3);
        assert_eq!(learnt.history.last_new, 2);
        assert_eq!(learnt.once, Some(vec![call("write")]));
        assert_eq!(learnt.calls[&call("read")].passes, 3);
        // Each pass records everything.
        assert_eq!(allowed, ["", "", ""]);
    }

    #[test]
    fn stable_means_so_many_in_a_row() {
        let passes = ["read", "read", "write", "read", "read", "write"];
        let (learnt, _) = play(&passes, |l| l.stable = Some(3));
        assert_eq!(learnt.history.passes, 6);
        assert_eq!(learnt.history.last_new, 3);
        assert_eq!(learnt.losses, []);
    }

    #[test]
    fn what_is_not_stable_says_so() {
        let (learnt, _) = play(&["read", "write", "write"], |l| {
            l.stable = Some(2);
            l.passes = Some(3);
        });
        let unstable = Loss::Unstable {
            quiet: 1,
            wanted: 2,
        };
        assert_eq!(learnt.losses, [unstable]);
        let (learnt, _) = play(&["read stop"], |l| l.stable = Some(1));
        assert!(matches!(learnt.losses[..], [Loss::Unstable { .. }]));
        let (learnt, _) = play(&["read stop"], |l| l.passes = Some(5));
        assert_eq!(learnt.losses, []);
    }

    #[test]
    fn a_retry_says_what_was_lost_before() {
        let (learnt, allowed) = play(&["read write !", "read"], |l| l.retries = 5);
        assert_eq!(names(&learnt), "read write");
        assert_eq!(learnt.losses, []);
        assert_eq!(learnt.earlier, [(1, vec![Loss::Counted(3)])]);
        assert_eq!(learnt.history.lossy, 1);
        // What is known is allowed, so nobody counts it any more.
        assert_eq!(allowed, ["", "read write"]);
        assert_eq!(learnt.once, None);
    }

    #[test]
    fn other_arguments_are_new() {
        let socket = call("socket");
        let is = |domain| {
            let test = Test::new(0, Op::Eq, domain);
            When::any([Case::from_iter([test])])
        };
        let mut base = Calls::new();
        let seen = |domain| Seen {
            when: is(domain),
            ..Seen::default()
        };
        let mut known = seen(2);
        base.insert(socket, known.clone());
        let mut lesson = Lesson::new(Job::new(&[], &base, Via::Log));
        lesson.stable = Some(2);
        let mut left = [2, 10, 10, 10].into_iter();
        let learnt = learn_by(&lesson, &mut |_| {
            let mut outcome = Outcome::default();
            let domain = left.next().expect("a pass too many");
            outcome.calls.insert(socket, seen(domain));
            Ok(outcome)
        })
        .unwrap();
        assert_eq!(learnt.history.last_new, 2);
        assert_eq!(learnt.history.passes, 4);
        known.when.or(is(10));
        assert_eq!(learnt.calls[&socket].when, known.when);
    }

    #[test]
    fn a_retry_asks_for_other_arguments() {
        let (socket, fcntl) = (call("socket"), call("fcntl"));
        let base = Calls::new();
        let mut lesson = Lesson::new(Job::new(&[], &base, Via::Log));
        (lesson.retries, lesson.arguments) = (1, true);
        let mut passes = [vec![1, 1], vec![2, 1]].into_iter();
        let learnt = learn_by(&lesson, &mut |job| {
            let values = passes.next().expect("a pass too many");
            let mut outcome = Outcome::default();
            if values[0] == 1 {
                outcome.losses.push(Loss::Counted(3));
                outcome.calls.insert(fcntl, Seen::default());
                outcome.calls.insert(call("read"), Seen::default());
            } else {
                assert!(job.allowed[&call("read")].when.is_always());
                assert!(!job.allowed.contains_key(&socket));
                let known = &job.allowed[&fcntl].when;
                assert!(known.holds(&[0, 3, 0, 0, 0, 0]) && !known.holds(&[0, 8, 0, 0, 0, 0]));
            }
            let mut seen = Seen::default();
            seen.select(values);
            outcome.calls.insert(socket, seen);
            Ok(outcome)
        })
        .unwrap();
        assert_eq!(learnt.losses, []);
        assert_eq!(learnt.calls[&socket].values.len(), 2);
    }

    #[test]
    fn retries_end() {
        let (learnt, _) = play(&["read !", "read !"], |l| l.retries = 1);
        assert_eq!(learnt.losses, [Loss::Counted(3)]);
        let (learnt, _) = play(&["read !"], |_| {});
        assert_eq!(learnt.losses, [Loss::Counted(3)]);
        assert_eq!(learnt.earlier, []);
    }
}
