// SPDX-License-Identifier: GPL-2.0-only

//! What is new in a profile against another, for a person to take or refuse.

use crate::condition::When;
use crate::explain::explain;
use crate::groups;
use crate::lint::{lint, Finding, Severity};
use crate::profile::Profile;
use crate::syscalls::{Arch, Call};

/// How a call differs from what was allowed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not allowed.
    Added,
    /// It was allowed in other cases.
    Condition(When),
}

/// A call to be decided on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Item {
    /// The call.
    pub call: Call,
    /// Its group.
    pub group: &'static str,
    /// What is new.
    pub change: Change,
    /// In which cases it is to be allowed.
    pub when: When,
    /// Nobody has seen it.
    pub implied: bool,
    /// All that is known of it, a sentence each.
    pub why: Vec<String>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl Item {
    /// How bad it is, if it is.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|found| found.severity).min()
    }
}

/// What is new, the most dangerous first.
pub fn items(base: &Profile, new: &Profile) -> Vec<Item> {
    let findings = lint(new);
    let item = |(&call, seen): (&Call, &crate::syscalls::Seen)| {
        let change = match base.calls.get(&call) {
            None => Change::Added,
            // What is allowed in fewer cases needs nobody's consent.
            Some(before) if seen.when.implies(&before.when) => return None,
            Some(before) => Change::Condition(before.when.clone()),
        };
        let mine = findings.iter().filter(|found| found.call == Some(call));
        Some(Item {
            call,
            group: groups::of(&call.label()).1,
            change,
            when: seen.when.clone(),
            implied: seen.implied.is_some(),
            why: explain(new, call),
            findings: mine.cloned().collect(),
        })
    };
    let mut items: Vec<Item> = new.calls.iter().filter_map(item).collect();
    items.sort_by_key(|item| {
        let severity = item.severity().map_or(9, |severity| severity as u8);
        let (rank, _) = groups::of(&item.call.label());
        (severity, rank, item.call.label(), item.call)
    });
    items
}

/// What would stop the program from starting if it were refused.
pub fn needed(call: Call) -> bool {
    call.arch() == Arch::NATIVE && call.name().as_deref() == Some("execve")
}

/// Takes a refused item out of the profile again.
pub fn refuse(profile: &mut Profile, item: &Item) {
    match &item.change {
        Change::Added => {
            profile.calls.remove(&item.call);
        }
        Change::Condition(before) => {
            if let Some(seen) = profile.calls.get_mut(&item.call) {
                seen.when = before.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Case, Op, Test, INT};

    fn domains(domains: &[u64]) -> When {
        When::any(
            domains
                .iter()
                .map(|&domain| Case::from_iter([Test::masked(0, INT, Op::Eq, domain)])),
        )
    }

    fn profile(names: &str, socket: &[u64]) -> Profile {
        let mut profile = Profile::default();
        for name in names.split_whitespace() {
            profile.allow(name.parse().unwrap());
        }
        if !socket.is_empty() {
            profile.allow_when("socket".parse().unwrap(), domains(socket));
        }
        profile
    }

    #[test]
    fn what_is_new_comes_with_the_worst_first() {
        let base = profile("read", &[1]);
        let new = profile("read write ptrace keyctl", &[1, 38]);
        let items = items(&base, &new);
        let names: Vec<String> = items.iter().map(|item| item.call.to_string()).collect();
        assert_eq!(names, ["ptrace", "socket", "keyctl", "write"]);
        assert_eq!(items[0].severity(), Some(Severity::Danger));
        assert_eq!(items[1].change, Change::Condition(domains(&[1])));
        assert!(!items[0].why.is_empty());
    }

    #[test]
    fn what_is_refused_is_as_it_was() {
        let base = profile("read", &[1]);
        let mut new = profile("read write ptrace", &[1, 38]);
        for item in items(&base, &new.clone()) {
            refuse(&mut new, &item);
        }
        assert_eq!(new.calls, base.calls);
    }

    #[test]
    fn what_was_tightened_needs_no_consent() {
        assert!(items(&profile("read", &[1, 2]), &profile("", &[1])).is_empty());
    }
}
