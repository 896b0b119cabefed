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

/// A system call that is decided about, as its record has it.
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) trait Call {
    /// Its number.
    fn nr(&self) -> c_int;

    /// Its convention.
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn arch(&self) -> u32;
}

#[cfg(CONFIG_SECCOMP_FILTER)]
impl Call for SeccompData {
    #[inline(always)]
    fn nr(&self) -> c_int {
        self.nr
    }

    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    #[inline(always)]
    fn arch(&self) -> u32 {
        self.arch
    }
}

/// What a tracer has left of it.
#[cfg(CONFIG_SECCOMP_FILTER)]
impl Call for Caller<'_> {
    fn nr(&self) -> c_int {
        Caller::nr(*self)
    }

    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    fn arch(&self) -> u32 {
        Caller::arch(*self)
    }
}

/// Writes an audit record of `call` if `action`, which the filter whose `log` it is has decided for
/// by `verdict`, is to be logged. With `TRACED` those are told who look at the tracepoint.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[inline(always)]
pub(crate) fn seccomp_log<const TRACED: bool>(
    caller: Caller<'_>,
    call: &impl Call,
    action: Action,
    verdict: Verdict,
    log: &FilterLog,
) {
    if TRACED {
        log_and_trace(caller, call, action, verdict, log);
    } else {
        log_decision(caller, call, action, log);
    }
}

/// As [`seccomp_log`] with the tracepoint. Apart, as it is hardly ever wanted.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[cold]
#[inline(never)]
fn log_and_trace(
    caller: Caller<'_>,
    call: &impl Call,
    action: Action,
    verdict: Verdict,
    log: &FilterLog,
) {
    let logged = log_decision(caller, call, action, log);
    trace::trace_seccomp_verdict(caller, call.nr(), verdict.code(), verdict.data(), logged);
}

/// Tells those who look at the tracepoint of a call that is made after all.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[cold]
#[inline(never)]
pub(crate) fn trace_unlogged(caller: Caller<'_>, nr: c_int, verdict: Verdict) {
    trace::trace_seccomp_verdict(caller, nr, verdict.code(), verdict.data(), false);
}

/// Writes the record if there is to be one. Returns whether there was.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[inline(always)]
fn log_decision(caller: Caller<'_>, call: &impl Call, action: Action, log: &FilterLog) -> bool {
    let nr = call.nr();
    actions_logged().logs(action, log.requested) && log_named(caller, call, nr, action, log)
}

/// Writes the record of a decision that is to be logged, unless the first time only is wanted and
/// has been. Returns whether it was written.
///
/// A function of its own where helpers are calls: its caller has fewer registers to save.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[cfg_attr(CONFIG_RUST_INLINE_HELPERS, inline(always))]
#[cfg_attr(not(CONFIG_RUST_INLINE_HELPERS), inline(never))]
fn log_named(
    caller: Caller<'_>,
    #[cfg_attr(not(CONFIG_SECCOMP_LOG_ONCE), expect(unused_variables))] call: &impl Call,
    nr: c_int,
    action: Action,
    #[cfg_attr(not(CONFIG_SECCOMP_LOG_ONCE), expect(unused_variables))] log: &FilterLog,
) -> bool {
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    if logged_once::is_in_use() {
        let now = logged_once::present().or(log.once);
        if now.is_once(action) {
            if log.logged.has(nr, call.arch(), now) {
                return false;
            }
            record_first(caller, call, action.code(), &log.logged, now);
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
    let logged = actions_logged().logs(action, true);
    if logged {
        audit::audit_seccomp(caller, nr as c_long, signr, verdict.code());
    }
    if trace::is_enabled() {
        trace::trace_seccomp_verdict(caller, nr, verdict.code(), verdict.data(), logged);
    }
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
fn record_first(caller: Caller<'_>, call: &impl Call, code: u32, logged: &Logged, then: Present) {
    audit::audit_seccomp(caller, call.nr() as c_long, 0, code);
    // Not before: of a call that counts as logged the record is with audit, which counts what it
    // then loses.
    logged.remember(call.nr(), call.arch(), then);
}
