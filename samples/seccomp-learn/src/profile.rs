// SPDX-License-Identifier: GPL-2.0-only

//! The allowlist itself.

use std::collections::BTreeSet;

use crate::absent::Absent;
use crate::action::Action;
use crate::condition::When;
use crate::evidence::{self, Evidence};
use crate::implied;
use crate::syscalls::{add, Arch, Call, Calls, Seen};

/// An allowlist: these calls, and what happens to the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The calls that are allowed.
    pub calls: Calls,
    /// What happens to the others; `None` where the profile's format does not
    /// say.
    pub action: Option<Action>,
    /// Why the list may not be whole, if it may not.
    pub incomplete: Option<String>,
    /// How it was learnt, if it was.
    pub history: Option<History>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What is answered as a kernel does that does not have it.
    pub absent: Absent,
}

/// How a profile was learnt: what the result knows of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// Passes made.
    pub passes: u32,
    /// The pass in which the last new call came; 0 if none did.
    pub last_new: u32,
    /// Passes that lost records, before a later one that did not.
    pub lossy: u32,
}

impl Profile {
    /// Adds what another profile has. The action of this one stays, if it has
    /// one; counts add up; the list is complete only if both are.
    pub fn merge(&mut self, other: Self) {
        for (call, seen) in other.calls {
            add(&mut self.calls, call, seen);
        }
        self.action = self.action.or(other.action);
        self.incomplete = match (self.incomplete.take(), other.incomplete) {
            (Some(mine), Some(other)) if mine != other => Some(format!("{mine}; {other}")),
            (mine, other) => mine.or(other),
        };
        evidence::add(&mut self.evidence, other.evidence);
        self.absent.merge(other.absent, &self.calls);
        // The passes of two lessons have no common count.
        self.history = None;
    }

    /// Has the calls that are newer than the names that are known, and than all
    /// that the profile allows, answered with ENOSYS.
    pub fn answer_newer(&mut self) {
        for arch in self.archs() {
            let mine = self.calls.keys().filter(|call| call.arch() == arch);
            let numbers = mine.map(|call| call.nr).filter(|&nr| nr < Absent::END);
            // x32's are beyond the end of all others'.
            if let Some(newest) = numbers
                .max()
                .max(arch.newest())
                .filter(|_| arch != Arch::X32)
            {
                self.absent.newer.insert(arch, newest + 1);
            }
        }
    }

    /// Adds the calls that the ones which were seen imply, each with its reason.
    pub fn imply(&mut self) {
        implied::add(self);
    }

    /// Takes the implied calls out again.
    pub fn exact(&mut self) {
        self.calls.retain(|_, seen| seen.implied.is_none());
    }

    /// How many of the calls nobody has seen.
    pub fn implied(&self) -> usize {
        let implied = |seen: &&Seen| seen.implied.is_some();
        self.calls.values().filter(implied).count()
    }

    /// Adds a call, with any arguments, without saying that anybody has made it.
    pub fn allow(&mut self, call: Call) {
        self.allow_when(call, When::Always);
    }

    /// Adds a call in these cases, beside those in which it is there. It is no
    /// longer answered with ENOSYS in the others.
    pub fn allow_when(&mut self, call: Call, when: When) {
        let seen = Seen {
            when,
            ..Seen::default()
        };
        add(&mut self.calls, call, seen);
        self.absent.calls.remove(&call);
    }

    /// Whether the profile allows a call with these arguments.
    pub fn allows(&self, call: Call, args: &[u64; 6]) -> bool {
        let seen = self.calls.get(&call);
        seen.is_some_and(|seen| seen.when.holds(args))
    }

    /// The calls that had conditions before and have none any more.
    pub fn lifted(&self, new: &Self) -> Vec<Call> {
        let changed = self.changed(new).into_iter();
        changed
            .filter(|(_, _, after)| after.is_always())
            .map(|(call, ..)| call)
            .collect()
    }

    /// Of what was removed, the call that does the same as one that was added.
    pub fn moved(removed: &[Call], added: Call) -> Option<Call> {
        let name = added.name()?;
        let same = |call: &&Call| {
            let other = call.name();
            call.arch() == added.arch() && other.is_some_and(|other| implied::same(&other, &name))
        };
        removed.iter().find(same).copied()
    }

    /// The calls that both allow, in other cases: before, and after.
    pub fn changed<'a>(&'a self, new: &'a Self) -> Vec<(Call, &'a When, &'a When)> {
        let both = self.calls.iter().filter_map(|(call, seen)| {
            let other = new.calls.get(call)?;
            (seen.when != other.when).then_some((*call, &seen.when, &other.when))
        });
        both.collect()
    }

    /// The architectures that the calls are of.
    pub fn archs(&self) -> BTreeSet<Arch> {
        self.calls.keys().map(|call| call.arch()).collect()
    }

    /// What is in one and not in the other: removed from `self`, added by `new`.
    pub fn diff(&self, new: &Self) -> (Vec<Call>, Vec<Call>) {
        let only = |a: &Self, b: &Self| {
            a.calls
                .keys()
                .filter(|call| !b.calls.contains_key(call))
                .copied()
                .collect()
        };
        (only(self, new), only(new, self))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::condition::tests::{args, when};
    use crate::syscalls::{is_known, X32_BIT};
    use proptest::prelude::*;

    /// Profiles of calls that have names, on the given architectures.
    pub fn named(archs: &'static [Arch]) -> impl Strategy<Value = Profile> {
        prop::collection::btree_set((prop::sample::select(archs), 0..470u32), 0..60).prop_map(
            |calls| {
                let mut profile = Profile::default();
                for (arch, nr) in calls {
                    let nr = if arch == Arch::X32 { nr | X32_BIT } else { nr };
                    let call = Call {
                        arch: arch.audit(),
                        nr,
                    };
                    if call.name().is_some_and(|name| is_known(&name)) {
                        profile.allow(call);
                    }
                }
                profile
            },
        )
    }

    proptest! {
        #[test]
        fn merging_keeps_everything_and_adds_nothing(a in named(&Arch::NAMED), b in named(&Arch::NAMED)) {
            let mut both = a.clone();
            both.merge(b.clone());
            prop_assert!(a.diff(&both).0.is_empty());
            prop_assert!(b.diff(&both).0.is_empty());
            for call in both.calls.keys() {
                prop_assert!(a.calls.contains_key(call) || b.calls.contains_key(call));
            }
        }

        #[test]
        fn a_difference_says_both_ways(a in named(&Arch::NAMED), b in named(&Arch::NAMED)) {
            let (removed, added) = a.diff(&b);
            let mut back = b.clone();
            back.calls.retain(|call, _| !added.contains(call));
            removed.iter().for_each(|&call| back.allow(call));
            prop_assert_eq!(back.calls.keys().collect::<Vec<_>>(), a.calls.keys().collect::<Vec<_>>());
        }
    }

    proptest! {
        #[test]
        fn merged_conditions_allow_what_either_does(
            a in prop_oneof![Just(When::Always), when()], b in when(), args in args()) {
            let call = Arch::NATIVE.call("socket").unwrap();
            let [mut mine, mut other] = [Profile::default(), Profile::default()];
            mine.allow_when(call, a);
            other.allow_when(call, b);
            let before = mine.clone();
            mine.merge(other.clone());
            prop_assert_eq!(
                mine.allows(call, &args),
                before.allows(call, &args) || other.allows(call, &args)
            );
            prop_assert_eq!(before.changed(&mine).is_empty(), before.calls == mine.calls);
        }
    }

    /// The same, some with conditions.
    pub fn conditional(archs: &'static [Arch]) -> impl Strategy<Value = Profile> {
        (named(archs), prop::collection::vec(when(), 0..6)).prop_map(|(mut profile, whens)| {
            for (seen, when) in profile.calls.values_mut().step_by(3).zip(whens) {
                seen.when = when;
            }
            profile
        })
    }

    /// Asserts that two profiles allow the same, with these arguments and those
    /// that their conditions name.
    pub fn same_meaning(a: &Profile, b: &Profile, args: &[[u64; 6]]) {
        assert_eq!(
            a.calls.keys().collect::<Vec<_>>(),
            b.calls.keys().collect::<Vec<_>>()
        );
        for (call, seen) in &a.calls {
            let cases = seen.when.cases().into_iter().flatten();
            let near = cases.map(|case| {
                let mut args = [0; 6];
                for test in case.tests() {
                    args[usize::from(test.arg)] = test.value;
                }
                args
            });
            for args in args.iter().copied().chain(near) {
                let (mine, other) = (a.allows(*call, &args), b.allows(*call, &args));
                assert_eq!(mine, other, "{call} {args:x?}: {}", seen.when);
            }
        }
    }

    #[test]
    fn an_incomplete_list_makes_the_sum_incomplete() {
        let mut sum = Profile::default();
        sum.merge(Profile {
            incomplete: Some("3 lost".to_owned()),
            ..Profile::default()
        });
        assert_eq!(sum.incomplete.as_deref(), Some("3 lost"));
    }

    #[test]
    fn counts_that_are_huge_stay_huge() {
        let mut sum = Profile::default();
        for _ in 0..2 {
            let mut other = Profile::default();
            let call = Arch::NATIVE.call("read").unwrap();
            other.allow(call);
            other.calls.get_mut(&call).unwrap().count = u64::MAX;
            other.calls.get_mut(&call).unwrap().passes = u32::MAX;
            sum.merge(other);
        }
        assert_eq!(sum.calls.values().next().unwrap().count, u64::MAX);
    }

    #[test]
    fn newer_calls_are_those_beyond_all_that_is_known() {
        let mut profile = Profile::default();
        profile.allow("read".parse().unwrap());
        profile.allow("4000".parse().unwrap());
        profile.allow("-1".parse().unwrap());
        profile.allow("i386:read".parse().unwrap());
        profile.answer_newer();
        assert_eq!(profile.absent.newer[&Arch::NATIVE], 4001);
        let old = profile.absent.newer[&Arch::I386];
        assert!((430..640).contains(&old), "{old}");
        let mut other = Profile::default();
        other
            .absent
            .calls
            .extend(["read", "clone3"].map(|name| name.parse::<Call>().unwrap()));
        other.merge(profile);
        assert_eq!(other.absent.calls.len(), 1);
        assert_eq!(other.absent.newer.len(), 2);
    }

    #[test]
    fn what_anybody_has_seen_is_not_implied() {
        let yield_ = Arch::NATIVE.call("sched_yield").unwrap();
        let mut implied = Profile::default();
        implied.allow(Arch::NATIVE.call("futex").unwrap());
        implied.imply();
        assert!(implied.calls[&yield_].implied.is_some());
        let mut seen = Profile::default();
        seen.allow(yield_);
        let mut sum = implied.clone();
        sum.merge(seen.clone());
        assert!(sum.calls[&yield_].implied.is_none());
        seen.merge(implied.clone());
        assert!(seen.calls[&yield_].implied.is_none());
        implied.exact();
        assert_eq!(implied.calls.len(), 1);
    }
}
