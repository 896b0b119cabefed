// SPDX-License-Identifier: GPL-2.0

//! What is logged, and the audit record of it.

use kernel::{
    ffi::{
        c_int,
        c_long, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

#[cfg(CONFIG_SECCOMP_FILTER)]
use crate::uapi::SeccompData;
use crate::{
    abstractions::{
        audit,
        syscall::Caller,
        trace, //
    },
    action::Action,
    action_set::ActionSet,
    verdict::Verdict, //
};
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
use crate::{
    logged_once::{
        self,
        Logged, //
    },
    once::{
        Asked,
        Present, //
    }, //
};

/// The bits of the [`ActionSet`] that the administrator lets through to the log: C's
/// `seccomp_actions_logged`.
static ACTIONS_LOGGED: Atomic<u32> = Atomic::new(ActionSet::LOGGABLE.bits());

/// The actions that the administrator lets through to the log.
#[inline(always)]
pub(crate) fn actions_logged() -> ActionSet {
    ActionSet::from_bits(ACTIONS_LOGGED.load(Relaxed))
}

/// Lets the actions of `set`, and no others, through to the log.
#[cfg(CONFIG_SYSCTL)]
pub(crate) fn set_actions_logged(set: ActionSet) {
    ACTIONS_LOGGED.store(set.bits(), Relaxed);
}

/// How a filter wants its decisions logged, and what it has logged.
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) struct FilterLog {
    /// `SECCOMP_FILTER_FLAG_LOG`.
    pub(crate) requested: bool,
    /// `SECCOMP_FILTER_FLAG_LOG_ONCE`.
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    pub(crate) once: Asked,
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    logged: Logged,
}

#[cfg(CONFIG_SECCOMP_FILTER)]
impl FilterLog {
    /// That of a filter without flags which has logged nothing.
    pub(crate) const fn new() -> Self {
        Self {
            requested: false,
            #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
            once: Asked::NO,
            #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
            logged: Logged::new(),
        }
    }

    /// Gives a filter that is about to be attached the flag, or not.
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    pub(crate) fn set_once(&mut self, once: bool) {
        if once {
            self.once = Asked::YES;
            logged_once::set_in_use();
        }
    }
}

/// Writes an audit record of the system call of `data` if `action`, which the filter whose `log` it
/// is has decided for, is to be logged. Returns whether audit was given one.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[inline(always)]
pub(crate) fn seccomp_log(
    caller: Caller<'_>,
    data: &SeccompData,
    action: Action,
    log: &FilterLog,
) -> bool {
    ActionSet::logs(actions_logged, action, log.requested)
        && log_named(caller, data.nr, data, action, log)
}

/// As [`seccomp_log`], and tells those who look at the tracepoint, `verdict` being the filter's.
///
/// Apart, for those whose instructions do not count.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[cold]
#[inline(never)]
pub(crate) fn seccomp_log_and_trace(
    caller: Caller<'_>,
    data: &SeccompData,
    action: Action,
    verdict: Verdict,
    log: &FilterLog,
) {
    let logged = seccomp_log(caller, data, action, log);
    trace_verdict(caller, data.nr, verdict, logged);
}

/// Tells those who look at the tracepoint, if anybody does.
#[inline(always)]
pub(crate) fn trace_verdict(caller: Caller<'_>, nr: c_int, verdict: Verdict, logged: bool) {
    if trace::is_enabled() {
        trace::trace_seccomp_verdict(caller, nr, verdict.code(), verdict.data(), logged);
    }
}

/// Writes the record of a decision that is to be logged, unless the first time only is wanted and
/// has been. Returns whether it was given to audit.
///
/// A function of its own where helpers are calls: its caller has fewer registers to save.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[cfg_attr(CONFIG_RUST_INLINE_HELPERS, inline(always))]
#[cfg_attr(not(CONFIG_RUST_INLINE_HELPERS), inline(never))]
fn log_named(
    caller: Caller<'_>,
    nr: c_int,
    #[cfg_attr(not(CONFIG_SECCOMP_LOG_ONCE), expect(unused_variables))] data: &SeccompData,
    action: Action,
    #[cfg_attr(not(CONFIG_SECCOMP_LOG_ONCE), expect(unused_variables))] log: &FilterLog,
) -> bool {
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    if logged_once::is_in_use() {
        let now = logged_once::present().or(log.once);
        if now.is_once(action) {
            if log.logged.has(nr, data.arch, now) {
                return false;
            }
            record_first(caller, data, action.code(), &log.logged, now);
            return true;
        }
    }

    record(caller, nr as c_long, action.code());
    true
}

/// Writes an audit record of system call `nr`, which the task is killed for with signal `signr`, if
/// `action` is to be logged.
///
/// `verdict` can be of an action that is not known, which is logged where [`Action::KillProcess`]
/// is.
#[inline(always)]
pub(crate) fn seccomp_log_kill(
    caller: Caller<'_>,
    nr: c_int,
    signr: c_int,
    action: Action,
    verdict: Verdict,
) {
    let logged = ActionSet::logs(actions_logged, action, true);
    if logged {
        audit::audit_seccomp(caller, nr as c_long, signr, verdict.code());
    }
    trace_verdict(caller, nr, verdict, logged);
}

/// Writes the record, apart from the callers, which save no registers for it then.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[cold]
#[inline(never)]
fn record(caller: Caller<'_>, nr: c_long, code: u32) {
    audit::audit_seccomp(caller, nr, 0, code);
}

/// Writes the record of a call that is to be logged once and was not yet, and remembers in `logged`
/// that it was, `then` being what it was decided by.
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
#[cold]
#[inline(never)]
fn record_first(caller: Caller<'_>, data: &SeccompData, code: u32, logged: &Logged, then: Present) {
    audit::audit_seccomp(caller, data.nr as c_long, 0, code);
    // Not before: of a call that counts as logged the record is with audit, which counts what it
    // then loses.
    logged.remember(data.nr, data.arch, then);
}
