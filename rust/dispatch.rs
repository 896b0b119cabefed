// SPDX-License-Identifier: GPL-2.0

//! What becomes of the calling task by the verdict of its filters.
//!
//! The rules are those of `__seccomp_filter()` in [`kernel/seccomp.c`](srctree/kernel/seccomp.c).

#[cfg(not(CONFIG_RUST_INLINE_HELPERS))]
use core::mem::MaybeUninit;

use kernel::{
    ffi::c_int,
    prelude::*, //
};

#[cfg(CONFIG_RUST_INLINE_HELPERS)]
use crate::abstractions::syscall::{
    COMPAT,
    NATIVE, //
};
use crate::{
    abstractions::{
        ptrace::PtraceEvent,
        signal::SIGSYS,
        syscall::Caller,
        trace, //
    },
    action::Action,
    filter::{
        self,
        seccomp_run_filters,
        Filter,
        FilterNode, //
    },
    listener::seccomp_do_user_notification,
    log::{
        seccomp_log,
        seccomp_log_and_trace,
        seccomp_log_kill,
        trace_verdict, //
    },
    uapi::{
        mode,
        SeccompData, //
    },
    verdict::Verdict, //
};

/// The largest errno that a system call can return: C's `MAX_ERRNO`.
const MAX_ERRNO: u16 = 4095;

/// Decides by the task's filters, `newest` on top, about a system call that their cache does not
/// allow. Returns whether it is to be run; if it is not, its return value is set or a signal is on
/// its way.
#[cfg(CONFIG_RUST_INLINE_HELPERS)]
#[doc(alias = "__seccomp_filter")]
#[inline(never)]
pub(crate) fn seccomp_filter(caller: Caller<'_>, newest: Option<&FilterNode>) -> bool {
    if caller.is_seccomp_suspended() {
        return true;
    }
    let Some(newest) = newest else {
        return no_filter(caller);
    };
    // For each convention on its own: told nothing, the compiler makes one code of both, by
    // computing where the arguments are, which is some 20 instructions more.
    let data = if caller.arch() == NATIVE.arch {
        populate_seccomp_data(caller)
    } else {
        populate_compat(caller)
    };
    decide(caller, newest, &data, false)
}

/// The same where helpers are calls, with one for all that is asked before the filters. Whoever calls
/// this has saved the registers that it needs.
///
/// In place of both it would take 1 to 5 instructions more where helpers are inlined.
#[cfg(not(CONFIG_RUST_INLINE_HELPERS))]
#[doc(alias = "__seccomp_filter")]
#[inline(always)]
pub(crate) fn seccomp_filter(caller: Caller<'_>, newest: Option<&FilterNode>) -> bool {
    let mut data = MaybeUninit::uninit();
    let Some(data) = caller.data_unless_suspended(&mut data) else {
        return true;
    };
    let Some(newest) = newest else {
        return no_filter(caller);
    };
    decide(caller, newest, data, false)
}

/// Runs the filters on `data`, and does what they say. `recheck_after_trace` says that a tracer has
/// let the system call through, which it is not asked about twice.
#[inline(always)]
fn decide(
    caller: Caller<'_>,
    newest: &FilterNode,
    data: &SeccompData,
    recheck_after_trace: bool,
) -> bool {
    match seccomp_run_filters(newest, data) {
        None => true,
        Some((verdict, filter)) => {
            let caller = caller.again();
            // Two functions, so that the one that is hardly ever wanted takes nothing from the other.
            if trace::is_enabled() {
                return dispatch_and_trace(caller, verdict, filter, data, recheck_after_trace);
            }
            dispatch::<false>(caller, verdict, filter, data, recheck_after_trace)
        }
    }
}

/// What filters get to see of the system call.
#[inline(always)]
fn populate_seccomp_data(caller: Caller<'_>) -> SeccompData {
    SeccompData {
        nr: caller.nr(),
        arch: caller.arch(),
        instruction_pointer: caller.instruction_pointer(),
        args: caller.arguments().map(|arg| arg as u64),
    }
}

/// The same, of a system call of another convention than the native one.
#[cfg(CONFIG_RUST_INLINE_HELPERS)]
#[inline(never)]
fn populate_compat(caller: Caller<'_>) -> SeccompData {
    if caller.arch() != COMPAT.arch {
        return populate_any(caller);
    }
    populate_seccomp_data(caller)
}

/// The same, of a system call of any convention, those among them that the architecture's headers
/// do not tell seccomp of.
#[cold]
#[inline(never)]
fn populate_any(caller: Caller<'_>) -> SeccompData {
    populate_seccomp_data(caller)
}

/// Carries out `verdict`, which is that of `filter`. Returns as [`seccomp_filter`] does. With `TRACED`
/// those are told who look at the tracepoint.
///
/// Where something is to be done after a call is in functions of their own, so that this one has no
/// register to save: 4 instructions for each of the other actions. Where helpers are calls that does
/// not help, and the caller has saved the registers.
#[cfg_attr(CONFIG_RUST_INLINE_HELPERS, inline(never))]
#[cfg_attr(not(CONFIG_RUST_INLINE_HELPERS), inline(always))]
fn dispatch<const TRACED: bool>(
    caller: Caller<'_>,
    verdict: Verdict,
    filter: &Filter,
    data: &SeccompData,
    recheck_after_trace: bool,
) -> bool {
    match verdict.action() {
        Some(Action::Allow) => true,

        Some(action @ Action::Log) => {
            log::<TRACED>(caller, data, action, verdict, filter);
            true
        }

        Some(action @ Action::Errno) => {
            let errno = verdict.data().min(MAX_ERRNO);
            caller.set_return_value(-c_int::from(errno), 0);
            log::<TRACED>(caller, data, action, verdict, filter);
            false
        }

        Some(Action::Trap) => trap(caller, verdict, filter, data),

        Some(Action::Trace) if recheck_after_trace => true,

        Some(action @ Action::Trace) => {
            if !caller.ptrace_event_enabled(PtraceEvent::Seccomp) {
                caller.set_return_value(ENOSYS.to_errno(), 0);
                log::<TRACED>(caller, data, action, verdict, filter);
                return false;
            }
            ask_tracer(caller, verdict, filter, data)
        }

        Some(Action::UserNotif) => ask_listener(caller, verdict, filter, data),

        Some(Action::KillThread | Action::KillProcess) | None => kill(caller, data.nr, verdict),
    }
}

/// Carries out `verdict` as [`dispatch`] does, and tells those who look at the tracepoint.
#[cold]
#[inline(never)]
fn dispatch_and_trace(
    caller: Caller<'_>,
    verdict: Verdict,
    filter: &Filter,
    data: &SeccompData,
    recheck_after_trace: bool,
) -> bool {
    dispatch::<true>(caller, verdict, filter, data, recheck_after_trace)
}

/// Logs `action`, if its rule and `filter` say so. A closure in [`dispatch`] cannot be told to be
/// inlined, and on arm64 is a call then: 15 instructions more.
#[inline(always)]
fn log<const TRACED: bool>(
    caller: Caller<'_>,
    data: &SeccompData,
    action: Action,
    verdict: Verdict,
    filter: &Filter,
) {
    if TRACED {
        seccomp_log_and_trace(caller, data, action, verdict, filter.log());
    } else {
        seccomp_log(caller, data, action, filter.log());
    }
}

/// Logs that the system call of `data` is not run, where `filter` asked for it. Returns `false`.
fn skip(
    caller: Caller<'_>,
    data: &SeccompData,
    action: Action,
    verdict: Verdict,
    filter: &Filter,
) -> bool {
    seccomp_log_and_trace(caller, data, action, verdict, filter.log());
    false
}

/// Has the signal handler of the task look after the system call of `data`.
#[inline(never)]
fn trap(caller: Caller<'_>, verdict: Verdict, filter: &Filter, data: &SeccompData) -> bool {
    // The handler is to see the registers as they were.
    caller.rollback();
    caller.force_sig_seccomp(data.nr, verdict.data(), false);
    skip(caller, data, Action::Trap, verdict, filter)
}

/// Has the listener of `filter` decide about the system call of `data`.
#[inline(never)]
fn ask_listener(caller: Caller<'_>, verdict: Verdict, filter: &Filter, data: &SeccompData) -> bool {
    if seccomp_do_user_notification(caller, filter, data) {
        trace_verdict(caller, data.nr, verdict, false);
        return true;
    }
    skip(caller, data, Action::UserNotif, verdict, filter)
}

/// Stops for the tracer, and decides about what it leaves behind.
#[cold]
#[inline(never)]
fn ask_tracer(caller: Caller<'_>, verdict: Verdict, filter: &Filter, data: &SeccompData) -> bool {
    caller.ptrace_event(PtraceEvent::Seccomp, verdict.data());

    // A fatal signal can end the stop before the tracer has seen it, with the system call as it
    // was. The task is about to die; that call must not run before.
    if caller.fatal_signal_pending() {
        return skip(caller, data, Action::Trace, verdict, filter);
    }

    // By a negative number a tracer says that the call is to be skipped. The record has it.
    let nr = caller.nr();
    if nr < 0 {
        let data = SeccompData { nr, ..*data };
        return skip(caller, &data, Action::Trace, verdict, filter);
    }

    trace_verdict(caller, nr, verdict, false);
    recheck_after_trace(caller)
}

/// Decides about a system call that a tracer has let through. It may be another one now, and
/// another thread may have attached a filter in the meantime.
fn recheck_after_trace(caller: Caller<'_>) -> bool {
    // Behind a read barrier as on the way in, for what another thread has attached.
    let state = caller.state();

    let Some(newest) = filter::newest(&state) else {
        return no_filter(caller);
    };
    // The cache is more than a short cut: it has uretprobe(2) and uprobe(2), whatever filters say.
    newest.cache().check_allow(state.nr(), state.arch())
        || decide(caller, newest, &populate_any(caller), true)
}

/// Kills the process, or the thread alone where the verdict says so and there are others. The
/// system call is not run.
#[cold]
#[inline(never)]
fn kill(caller: Caller<'_>, nr: c_int, verdict: Verdict) -> bool {
    let action = match verdict.action() {
        Some(Action::KillThread) => Action::KillThread,
        _ => Action::KillProcess,
    };

    caller.set_seccomp_mode(mode::DEAD);
    seccomp_log_kill(caller, nr, SIGSYS, action, verdict);

    if action == Action::KillThread && !caller.is_last_thread() {
        caller.do_exit(SIGSYS);
    }

    // The last thread takes the process with it, and a core dump is to show the registers as they
    // were.
    caller.rollback();
    caller.force_sig_seccomp(nr, verdict.data(), true);
    false
}

/// A task in filter mode without a filter, which must not happen: not to fail open, it is killed.
#[cold]
#[inline(never)]
fn no_filter(caller: Caller<'_>) -> bool {
    kernel::warn_on!(true);

    kill(caller, caller.nr(), Verdict::KILL_PROCESS)
}
