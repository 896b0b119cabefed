// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the rules, in the kernel that stands on them, and against its own C headers.
//!
//! `rust/host/` tests the same files on the host, where generated input costs nothing.

use kernel::prelude::*;

#[kunit_tests(seccomp_rust)]
mod rules {
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    use crate::{
        abstractions::syscall::{
            COMPAT,
            NATIVE, //
        },
        logged_once::Logged,
        once::{
            Asked,
            Present, //
        }, //
    };
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
                assert_eq!(ActionSet::logs(|| set, action, false), plain);
                assert_eq!(ActionSet::logs(|| set, action, true), flagged);
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

    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    /// The present after the administrator has written `times` times.
    fn present(times: u32) -> Present {
        (0..times).fold(Present::FIRST, |present, _| present.next(ActionSet::EMPTY))
    }

    #[test]
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn every_number_of_both_tables() {
        let logged = Logged::new();
        for convention in [&NATIVE, &COMPAT] {
            for nr in 0..convention.nr_syscalls as i32 {
                assert!(!logged.has(nr, convention.arch, present(0)));
                logged.remember(nr, convention.arch, present(0));
                assert!(logged.has(nr, convention.arch, present(0)));
                assert!(!logged.has(nr.wrapping_add(1), convention.arch, present(0)));
            }
        }
    }

    #[test]
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn no_number_beyond_them() {
        let logged = Logged::new();
        for convention in [&NATIVE, &COMPAT] {
            let behind = convention.nr_syscalls as i32;
            for nr in [
                behind,
                behind.wrapping_add(1),
                600,
                1024,
                1 << 20,
                1 << 30,
                i32::MAX,
                i32::MIN,
                -1,
            ] {
                logged.remember(nr, convention.arch, present(0));
                assert!(!logged.has(nr, convention.arch, present(0)));
            }
            // Nor any that these could have been taken for.
            for nr in 0..behind {
                assert!(!logged.has(nr, convention.arch, present(0)));
            }
        }
    }

    #[test]
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn forgotten_is_forgotten() {
        let logged = Logged::new();
        logged.remember(5, NATIVE.arch, present(1));
        assert!(logged.has(5, NATIVE.arch, present(1)));
        assert!(!logged.has(5, NATIVE.arch, present(2)));
        assert!(!logged.has(5, COMPAT.arch, present(1)));
        logged.remember(6, NATIVE.arch, present(2));
        // Of a task that was under way.
        logged.remember(5, NATIVE.arch, present(1));
        assert!(logged.has(6, NATIVE.arch, present(2)));
        assert!(!logged.has(5, NATIVE.arch, present(2)));
    }

    #[test]
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn who_asks_for_what() {
        let errno = Present::FIRST.next(ActionSet::EMPTY.with(Action::Errno));
        assert!(errno.is_once(Action::Errno) && !errno.is_once(Action::Log));
        assert!(!errno.or(Asked::NO).is_once(Action::Log));
        for &action in Action::ALL {
            let survives = !matches!(
                action,
                Action::KillProcess | Action::KillThread | Action::Allow
            );
            assert_eq!(Present::FIRST.or(Asked::YES).is_once(action), survives);
            assert!(!Present::FIRST.is_once(action));
        }
    }

    #[test]
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn what_a_filter_takes_for_it() {
        // A table that is none has one word.
        let compat = if COMPAT.nr_syscalls == 0 { 8 } else { 128 };
        assert_eq!(size_of::<Logged>(), 128 + compat);
    }
}
