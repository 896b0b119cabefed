// SPDX-License-Identifier: GPL-2.0

//! What becomes of the calling task by the verdict of its filters.
//!
//! The rules are those of `__seccomp_filter()` in
//! [`kernel/seccomp.c`](srctree/kernel/seccomp.c).

use core::mem::MaybeUninit;

use kernel::{
    bindings,
    ffi::c_int, //
};

use crate::{
    action::{
        Action,
        Verdict, //
    },
    filter::{
        Decision,
        Filter, //
    },
    log,
    task::{
        Call,
        Caller, //
    }, //
};

/// Decides by the task's filters about a system call that the cache does not allow.
///
/// `newest` is the filter to start from. `after_trace` says that a tracer has let the system call
/// through, which it is not asked about twice. Returns whether the system call is to be run; if it
/// is not, its return value is set or a signal is on its way.
#[inline(never)]
pub(crate) fn permit(caller: Caller, newest: &Filter, after_trace: bool) -> bool {
    let caller = caller.again();
    let mut call = MaybeUninit::uninit();
    let call = caller.read_call(&mut call, after_trace);
    let pinned = caller.pin();

    let Some(mut decision) = newest.first_objection(&call.data, &pinned) else {
        return true;
    };
    if let Some(rest) = decision.filter.prev() {
        decision.make_stricter(rest, &call.data, &pinned);
    }

    drop(pinned);
    carry_out(caller, &decision, call)
}

/// Carries out what has been decided about `call`. Returns as [`permit`] does.
///
/// What is to be done after a call is in functions of its own, so that this one needs no register
/// that would have to be saved.
#[inline(never)]
fn carry_out(caller: Caller, decision: &Decision<'_>, call: &Call) -> bool {
    let caller = caller.again();
    let &Decision { verdict, filter } = decision;
    let nr = call.data.nr;

    match verdict.action() {
        Some(Action::Allow) => true,

        Some(action @ Action::Log) => log_and(true, caller, nr, action),

        Some(action @ Action::Errno) => {
            caller.set_errno(verdict.data().min(bindings::MAX_ERRNO as u16));
            deny(caller, nr, action, filter)
        }

        Some(Action::Trap) => trap(caller, nr, verdict, filter),

        Some(Action::Trace) if call.after_trace => true,

        Some(action @ Action::Trace) => {
            if !caller.has_seccomp_tracer() {
                caller.set_errno(bindings::ENOSYS as u16);
                return deny(caller, nr, action, filter);
            }
            ask_tracer(caller, nr, verdict, filter)
        }

        Some(Action::UserNotif) => ask_listener(caller, call, filter),

        Some(Action::KillThread | Action::KillProcess) | None => kill(caller, nr, verdict),
    }
}

/// Logs that system call `nr` is not run, where `filter` asked for it. Returns `false`.
#[inline(always)]
fn deny(caller: Caller, nr: c_int, action: Action, filter: &Filter) -> bool {
    filter.wants_log() && log_and(false, caller, nr, action)
}

/// Logs system call `nr`, as `action` or the filter asks for. Returns `permitted`.
#[inline(always)]
fn log_and(permitted: bool, caller: Caller, nr: c_int, action: Action) -> bool {
    if log::actions_logged().logs(action, true) {
        return record_and(permitted, caller, nr, action.code());
    }
    permitted
}

/// Writes an audit record of system call `nr`. Returns `permitted`.
#[cold]
#[inline(never)]
fn record_and(permitted: bool, caller: Caller, nr: c_int, code: u32) -> bool {
    log::record(caller, nr, 0, code);
    permitted
}

/// Has the signal handler of the task look after system call `nr`.
#[inline(never)]
fn trap(caller: Caller, nr: c_int, verdict: Verdict, filter: &Filter) -> bool {
    // The handler is to see the registers as they were.
    caller.roll_back();
    caller.force_sigsys(nr, verdict.data(), false);
    deny(caller, nr, Action::Trap, filter)
}

/// Has the listener of `filter` decide about `call`.
#[inline(never)]
fn ask_listener(caller: Caller, call: &Call, filter: &Filter) -> bool {
    let nr = call.data.nr;

    filter.ask_listener(caller, nr, &call.data) || deny(caller, nr, Action::UserNotif, filter)
}

/// Stops for the tracer, and decides about what it leaves behind.
#[cold]
#[inline(never)]
fn ask_tracer(caller: Caller, nr: c_int, verdict: Verdict, filter: &Filter) -> bool {
    caller.notify_tracer(verdict.data());

    // A fatal signal can end the stop before the tracer has seen it, with the system call as it
    // was. The task is about to die; that call must not run before.
    if caller.is_being_killed() {
        return deny(caller, nr, Action::Trace, filter);
    }

    // By a negative number a tracer says that the call is to be skipped.
    let nr = caller.nr();
    if nr < 0 {
        return deny(caller, nr, Action::Trace, filter);
    }

    // It may be another call now, and another thread may have attached a filter in the meantime.
    // The cache is not asked: what it would save is nothing beside the stop.
    match caller.newest_filter() {
        Some(newest) => permit(caller, newest, true),
        None => no_filter(caller),
    }
}

/// Kills the process, or the thread alone where the verdict says so and there are others. The
/// system call is not run.
#[cold]
#[inline(never)]
fn kill(caller: Caller, nr: c_int, verdict: Verdict) -> bool {
    let action = match verdict.action() {
        Some(Action::KillThread) => Action::KillThread,
        _ => Action::KillProcess,
    };

    caller.set_dead();
    log::log(caller, nr, bindings::SIGSYS, action, verdict.code(), true);

    if action == Action::KillThread && !caller.is_last_thread() {
        caller.exit(bindings::SIGSYS);
    }

    // The last thread takes the process with it, and a core dump is to show the registers as they
    // were.
    caller.roll_back();
    caller.force_sigsys(nr, verdict.data(), true);
    false
}

/// A task in filter mode without a filter, which must not happen: not to fail open, it is killed.
#[cold]
#[inline(never)]
pub(crate) fn no_filter(caller: Caller) -> bool {
    kernel::warn_on!(true);

    kill(caller, caller.nr(), Verdict::KILL_PROCESS)
}
