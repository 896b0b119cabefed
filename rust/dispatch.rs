// SPDX-License-Identifier: GPL-2.0

//! What becomes of the calling task by the verdict of its filters.
//!
//! The rules are those of `__seccomp_filter()` in
//! [`kernel/seccomp.c`](srctree/kernel/seccomp.c).

use kernel::{
    bindings,
    ffi::c_int, //
};

use crate::{
    action::{
        Action,
        Verdict, //
    },
    filter::Filter,
    log::log,
    task::Caller, //
};

/// Decides by the task's filters about a system call that the cache does not allow.
///
/// `newest` is the filter to start from, `None` where the task is in filter mode but has none.
/// `after_trace` says that a tracer has let the system call through, which it is not asked about
/// twice. Returns whether the system call is to be run; if it is not, its return value is set or a
/// signal is on its way.
#[inline(never)]
pub(crate) fn permit(caller: Caller, newest: Option<&Filter>, after_trace: bool) -> bool {
    let nr = caller.nr();
    let Some(newest) = newest else {
        return no_filter(caller, nr);
    };
    let data = caller.seccomp_data();
    let Some((verdict, filter)) = newest.run_chain(&data) else {
        return true;
    };

    match verdict.action() {
        Some(Action::Allow) => true,

        Some(action @ Action::Log) => {
            log(caller, nr, 0, action, action.code(), true);
            true
        }

        Some(action @ Action::Errno) => {
            caller.set_errno(verdict.data().min(bindings::MAX_ERRNO as u16));
            deny(caller, nr, action, filter)
        }

        Some(action @ Action::Trap) => {
            // The handler is to see the registers as they were.
            caller.roll_back();
            caller.force_sigsys(nr, verdict.data(), false);
            deny(caller, nr, action, filter)
        }

        Some(Action::Trace) if after_trace => true,

        Some(action @ Action::Trace) => {
            if !caller.has_seccomp_tracer() {
                caller.set_errno(bindings::ENOSYS as u16);
                return deny(caller, nr, action, filter);
            }
            ask_tracer(caller, nr, verdict, filter)
        }

        Some(action @ Action::UserNotif) => {
            filter.ask_listener(caller, nr, &data) || deny(caller, nr, action, filter)
        }

        Some(Action::KillThread | Action::KillProcess) | None => kill(caller, nr, verdict),
    }
}

/// Logs that system call `nr` is not run, where `filter` asked for it.
#[inline(always)]
fn deny(caller: Caller, nr: c_int, action: Action, filter: &Filter) -> bool {
    log(caller, nr, 0, action, action.code(), filter.wants_log());
    false
}

/// Stops for the tracer, and decides about what it leaves behind.
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
    let newest = caller.newest_filter();
    newest.is_some_and(|filter| filter.is_cached_allow(nr, caller.arch()))
        || permit(caller, newest, true)
}

/// Kills the process, or the thread alone where the verdict says so and there are others. The
/// system call is not run.
#[cold]
#[inline(never)]
fn kill(caller: Caller, nr: c_int, verdict: Verdict) -> bool {
    let action = verdict.action().unwrap_or(Action::KillProcess);

    caller.set_dead();
    log(caller, nr, bindings::SIGSYS, action, verdict.code(), true);

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
fn no_filter(caller: Caller, nr: c_int) -> bool {
    kernel::warn_on!(true);

    kill(caller, nr, Verdict::KILL_PROCESS)
}
