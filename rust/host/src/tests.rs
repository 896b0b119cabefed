// SPDX-License-Identifier: GPL-2.0

//! Tests of the rules against what `include/uapi/linux/seccomp.h`, `kernel/seccomp.c` and the
//! documentation say, written down a second time.

extern crate std;

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use crate::action::{Action, LogRule};
use crate::action_set::{ActionSet, AVAIL, TEXT_SIZE};
use crate::verdict::Verdict;

mod once;
mod programs;

pub(crate) use programs::count_step;

/// `SECCOMP_RET_*`, name, and whether a record needs to be asked for (`None`: there is none).
const RULES: [(u32, &str, Option<bool>); 8] = [
    (0x8000_0000, "kill_process", Some(false)),
    (0x0000_0000, "kill_thread", Some(false)),
    (0x0003_0000, "trap", Some(true)),
    (0x0005_0000, "errno", Some(true)),
    (0x7fc0_0000, "user_notif", Some(true)),
    (0x7ff0_0000, "trace", Some(true)),
    (0x7ffc_0000, "log", Some(false)),
    (0x7fff_0000, "allow", None),
];

/// The text of a set as the sysctl and the audit record have it.
fn text(set: ActionSet, separator: u8) -> String {
    let text = set.text(separator);
    let end = text
        .iter()
        .position(|&byte| byte == 0)
        .expect("a NUL ends it");
    assert!(text[end..].iter().all(|&byte| byte == 0));
    String::from_utf8(text[..end].to_vec()).expect("names are ASCII")
}

/// What `actions_logged` makes of a text, the slow way: `None` is `EINVAL`.
fn naive_parse(text: &[u8]) -> Option<Vec<&'static str>> {
    let mut names = Vec::new();
    let mut rest: Vec<u8> = text.iter().copied().take_while(|&b| b != 0).collect();
    loop {
        let end = rest.iter().position(|&b| b == b' ').unwrap_or(rest.len());
        let word: Vec<u8> = rest.drain(..end).collect();
        if word.is_empty() {
            return Some(names);
        }
        let (_, name, _) = RULES.iter().find(|(_, name, _)| name.as_bytes() == word)?;
        if *name == "allow" {
            // It is known, but the whole is refused in the end; an unknown name later changes
            // nothing about that.
            return None;
        }
        names.push(*name);
        if rest.is_empty() {
            return Some(names);
        }
        rest.remove(0);
    }
}

fn names_of(set: ActionSet) -> Vec<&'static str> {
    Action::ALL
        .iter()
        .filter(|&&action| set.contains(action))
        .map(|action| action.name())
        .collect()
}

#[test]
fn the_table_is_the_headers() {
    assert_eq!(Action::ALL.len(), RULES.len());
    for (action, (code, name, requested)) in Action::ALL.iter().zip(RULES) {
        assert_eq!(action.code(), code);
        assert_eq!(action.name(), name);
        let rule = match requested {
            Some(false) => LogRule::Always,
            Some(true) => LogRule::OnRequest,
            None => LogRule::Never,
        };
        assert_eq!(action.log_rule(), rule);
    }
}

#[test]
fn the_table_goes_both_ways() {
    for &action in Action::ALL {
        assert_eq!(Action::from_code(action.code()), Some(action));
        assert_eq!(Action::from_name(action.name().as_bytes()), Some(action));
        assert_eq!(action.log_bit().count_ones(), 1);
        assert_eq!(
            Action::ALL
                .iter()
                .filter(|other| other.log_bit() == action.log_bit())
                .count(),
            1
        );
    }
    for name in ["", "kill", "LOG", "log ", " log", "logs", "lo", "allow\0"] {
        assert_eq!(Action::from_name(name.as_bytes()), None, "{name:?}");
    }
}

#[test]
fn every_high_half_of_a_return_value() {
    for high in 0..=u16::MAX {
        let code = u32::from(high) << 16;
        let expected = RULES.iter().position(|&(value, ..)| value == code);
        for data in [0, 1, 0x7fff, 0x8000, 0xffff] {
            let verdict = Verdict::from_ret(code | data);
            assert_eq!(verdict.code(), code);
            assert_eq!(u32::from(verdict.data()), data);
            assert_eq!(verdict.action(), expected.map(|i| Action::ALL[i]));
        }
    }
}

#[test]
fn precedence_is_that_of_the_documentation() {
    // Documentation/userspace-api/seccomp_filter.rst, "in decreasing order of precedence".
    for pair in Action::ALL.windows(2) {
        let (strict, lax) = (
            Verdict::from_ret(pair[0].code() | 0xffff),
            Verdict::from_ret(pair[1].code()),
        );
        assert!(strict.is_stricter_than(lax), "{pair:?}");
        assert!(!lax.is_stricter_than(strict), "{pair:?}");
        // Among equals the filter attached last has decided, which is asked first.
        let equal = Verdict::from_ret(pair[0].code());
        assert!(
            !equal.is_stricter_than(Verdict::from_ret(pair[0].code())),
            "{pair:?}"
        );
    }
    // The data do not count.
    assert!(!Verdict::from_ret(0x5_0001).is_stricter_than(Verdict::from_ret(0x5_0000)));
    assert!(Verdict::from_ret(0x5_ffff).is_stricter_than(Verdict::from_ret(0x6_0000)));
    assert_eq!(Verdict::ALLOW.action(), Some(Action::Allow));
    assert_eq!(Verdict::KILL_PROCESS.action(), Some(Action::KillProcess));
}

#[test]
fn actions_avail_has_its_text() {
    let expected = "kill_process kill_thread trap errno user_notif trace log allow\0";
    assert_eq!(AVAIL.as_slice(), expected.as_bytes());
    assert_eq!(TEXT_SIZE, expected.len());
}

#[test]
fn at_boot_all_that_can_be_is_logged() {
    assert_eq!(
        text(ActionSet::LOGGABLE, b' '),
        "kill_process kill_thread trap errno user_notif trace log"
    );
    assert_eq!(text(ActionSet::EMPTY, b' '), "");
    assert!(ActionSet::EMPTY.is_empty() && !ActionSet::LOGGABLE.is_empty());
}

#[test]
fn every_set_is_written_and_read_back() {
    for bits in 0..=u32::from(u8::MAX) {
        let set = ActionSet::from_bits(bits);
        assert_eq!(set.bits(), bits);
        assert_eq!(text(set, b' '), names_of(set).join(" "));
        assert_eq!(text(set, b','), names_of(set).join(","));
        let parsed = ActionSet::parse_loggable(text(set, b' ').as_bytes());
        let expected = (!set.contains(Action::Allow)).then_some(set);
        assert_eq!(parsed, expected);
    }
}

#[test]
fn log_decision() {
    for bits in 0..=u32::from(u8::MAX) {
        let set = ActionSet::from_bits(bits);
        for (&action, (.., requested)) in Action::ALL.iter().zip(RULES) {
            let named = set.contains(action);
            let (plain, flagged) = match requested {
                Some(false) => (named, named),
                Some(true) => (false, named),
                None => (false, false),
            };
            assert_eq!(ActionSet::logs(|| set, action, false), plain);
            assert_eq!(ActionSet::logs(|| set, action, true), flagged);
        }
    }
}

#[test]
fn the_text_ends_at_the_first_empty_name() {
    let log = Some(ActionSet::EMPTY.with(Action::Log));
    let none = Some(ActionSet::EMPTY);
    for (text, expected) in [
        ("", none),
        ("\0log", none),
        (" ", none),
        (" log", none),
        (" nonsense", none),
        ("log", log),
        ("log ", log),
        ("log  trap", log),
        ("log  nonsense", log),
        ("log log", log),
        ("log\0trap", log),
        ("log\0nonsense", log),
        ("log trap x", None),
        ("log,trap", None),
        ("log\n", None),
        ("log\ttrap", None),
        ("Log", None),
        ("allow", None),
        ("log allow", None),
        ("log allow ", None),
        ("kill", None),
    ] {
        assert_eq!(
            ActionSet::parse_loggable(text.as_bytes()),
            expected,
            "{text:?}"
        );
    }
}

/// Text that is nearly that of a set.
fn nearly_names() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => proptest::sample::select(RULES.map(|(_, name, _)| String::from(name)).to_vec()),
        1 => "[a-z_]{0,12}",
        1 => Just(String::new()),
    ];
    let separator = prop_oneof![12 => Just(" "), 1 => Just("  "), 1 => Just(","), 1 => Just("\0")];
    proptest::collection::vec((word, separator), 0..10).prop_map(|words| {
        words
            .into_iter()
            .map(|(word, separator)| format!("{word}{separator}"))
            .collect()
    })
}

/// What the naive way makes of a text, as a set.
fn naive_set(text: &[u8]) -> Option<ActionSet> {
    naive_parse(text).map(|names| {
        names.iter().fold(ActionSet::EMPTY, |set, name| {
            set.with(Action::from_name(name.as_bytes()).expect("it is of the table"))
        })
    })
}

proptest! {
    #[test]
    fn parses_as_the_naive_way(text in nearly_names()) {
        prop_assert_eq!(ActionSet::parse_loggable(text.as_bytes()), naive_set(text.as_bytes()));
    }

    #[test]
    fn any_bytes_are_parsed(text in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert_eq!(ActionSet::parse_loggable(&text), naive_set(&text));
    }

    #[test]
    fn verdicts_compare_as_signed(a in any::<u32>(), b in any::<u32>()) {
        let signed = |ret: u32| i64::from((ret & 0xffff_0000) as i32);
        prop_assert_eq!(
            Verdict::from_ret(a).is_stricter_than(Verdict::from_ret(b)),
            signed(a) < signed(b)
        );
    }
}
