// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the rules, in the kernel that stands on them, and against its own C headers.
//!
//! `rust/host/` tests the same files on the host, where generated input costs nothing.

use kernel::prelude::*;

#[kunit_tests(seccomp_rust)]
mod rules {
    use crate::{
        action::{
            Action,
            LogRule, //
        },
        action_set::{
            ActionSet,
            AVAIL, //
        },
        verdict::Verdict, //
    };

    #[test]
    fn values_and_names_lead_back_to_the_action() {
        for &action in Action::ALL {
            assert_eq!(Action::from_code(action.code()), Some(action));
            assert_eq!(Action::from_name(action.name().as_bytes()), Some(action));
        }
        assert_eq!(Action::from_name(b"kill"), None);
        assert_eq!(Action::from_code(0x7ffd_0000), None);
    }

    #[test]
    fn known_and_unknown_verdicts() {
        for high in 0..=u32::from(u16::MAX) {
            let verdict = Verdict::from_ret(high << 16 | 0x1234);
            let known = Action::ALL.iter().any(|action| action.code() == high << 16);
            assert_eq!(verdict.action().is_some(), known);
            assert_eq!(verdict.code(), high << 16);
            assert_eq!(verdict.data(), 0x1234);
        }
    }

    #[test]
    fn the_strictest_comes_first() {
        for pair in Action::ALL.windows(2) {
            let strict = Verdict::from_ret(pair[0].code());
            let lax = Verdict::from_ret(pair[1].code());
            assert!(strict.is_stricter_than(lax));
            assert!(!lax.is_stricter_than(strict));
            assert!(!lax.is_stricter_than(lax));
        }
    }

    #[test]
    fn logged_if_named_and_asked_for() {
        for bits in 0..256 {
            let set = ActionSet::from_bits(bits);
            for &action in Action::ALL {
                let (plain, flagged) = match action.log_rule() {
                    LogRule::Always => (set.contains(action), set.contains(action)),
                    LogRule::OnRequest => (false, set.contains(action)),
                    LogRule::Never => (false, false),
                };
                assert_eq!(set.logs(action, false), plain);
                assert_eq!(set.logs(action, true), flagged);
            }
        }
    }

    #[test]
    fn sysctl_text() {
        let names: &[u8] = b"kill_process kill_thread trap errno user_notif trace log allow\0";
        assert_eq!(AVAIL.as_slice(), names);

        for bits in 0..256 {
            let set = ActionSet::from_bits(bits);
            let text = set.text(b' ');
            let expected = (!set.contains(Action::Allow)).then_some(set);
            assert_eq!(ActionSet::parse_loggable(&text), expected);
        }
    }

    #[test]
    fn sysctl_text_that_is_odd() {
        let log = Some(ActionSet::EMPTY.with(Action::Log));
        assert_eq!(ActionSet::parse_loggable(b"log  nonsense"), log);
        assert_eq!(ActionSet::parse_loggable(b" log"), Some(ActionSet::EMPTY));
        assert_eq!(ActionSet::parse_loggable(b"log nonsense"), None);
        assert_eq!(ActionSet::parse_loggable(b"allow"), None);
        assert_eq!(ActionSet::parse_loggable(b"LOG"), None);
    }
}
