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

/// What is to be done with a system call.
enum Outcome {
    /// Run it.
    Permit,
    /// Do not run it. Its return value is set, or a signal is on its way.
    Deny,
    /// Ask the filters again: the tracer may have made another call of it.
    Recheck,
}

/// Decides by the task's filters about a system call that the cache does not allow.
///
/// `newest` is the filter to start from, `None` where the task is in filter mode but has none.
/// Returns whether the system call is to be run.
#[inline(never)]
pub(crate) fn permit(caller: Caller, newest: Option<&Filter>) -> bool {
    match decide(caller, newest, false) {
        Outcome::Permit => true,
        Outcome::Deny => false,
        Outcome::Recheck => recheck(caller),
    }
}

/// Decides about a system call that a tracer has let through, which it is not asked about twice.
#[cold]
#[inline(never)]
fn recheck(caller: Caller) -> bool {
    // Another thread may have attached a filter in the meantime.
    let newest = caller.newest_filter();

    newest.is_some_and(|filter| filter.is_cached_allow(caller.nr(), caller.arch()))
        || matches!(decide(caller, newest, true), Outcome::Permit)
}

/// Asks the filters, and does what they say.
#[inline]
fn decide(caller: Caller, newest: Option<&Filter>, rechecking: bool) -> Outcome {
    let mut nr = caller.nr();
    let data = caller.seccomp_data();
    let (verdict, matched) = match newest {
        Some(filter) => filter.run_chain(&data),
        None => (no_filter(), None),
    };

    let action = match verdict.action() {
        Some(Action::Allow) => return Outcome::Permit,

        Some(action @ Action::Log) => {
            log(caller, nr, 0, action, action.code(), true);
            return Outcome::Permit;
        }

        Some(action @ Action::Errno) => {
            caller.set_errno(verdict.data().min(bindings::MAX_ERRNO as u16));
            action
        }

        Some(action @ Action::Trap) => {
            // The handler is to see the registers as they were.
            caller.roll_back();
            caller.force_sigsys(nr, verdict.data(), false);
            action
        }

        Some(action @ Action::Trace) => {
            if rechecking {
                return Outcome::Permit;
            }
            if caller.has_seccomp_tracer() {
                caller.notify_tracer(verdict.data());
                // A fatal signal can end the stop before the tracer has seen it, with the system
                // call as it was. The task is about to die; that call must not run before.
                if !caller.is_being_killed() {
                    nr = caller.nr();
                    // By a negative number a tracer says that the call is to be skipped.
                    if nr >= 0 {
                        return Outcome::Recheck;
                    }
                }
            } else {
                caller.set_errno(bindings::ENOSYS as u16);
            }
            action
        }

        Some(action @ Action::UserNotif) => {
            // The filter that asks for its listener is always known.
            if matched.is_some_and(|filter| filter.ask_listener(caller, nr, &data)) {
                return Outcome::Permit;
            }
            action
        }

        Some(Action::KillThread | Action::KillProcess) | None => {
            kill(caller, nr, verdict);
            return Outcome::Deny;
        }
    };

    let requested = matched.is_some_and(Filter::wants_log);
    log(caller, nr, 0, action, action.code(), requested);
    Outcome::Deny
}

/// Kills the process, or the thread alone where the verdict says so and there are others.
#[cold]
#[inline(never)]
fn kill(caller: Caller, nr: c_int, verdict: Verdict) {
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
}

/// The verdict for a task in filter mode without a filter, which must not happen.
#[cold]
#[inline(never)]
fn no_filter() -> Verdict {
    kernel::warn_on!(true);

    Verdict::KILL_PROCESS
}
