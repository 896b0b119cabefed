// SPDX-License-Identifier: GPL-2.0

//! Seccomp: the path of a system call, the log, the sysctls.
//!
//! What attaches filters, synchronises threads, serves listeners and lets CRIU look at filters is
//! C, in [`kernel/seccomp.c`](srctree/kernel/seccomp.c). This crate owns what a system call of a
//! task in a seccomp mode goes through:
//!
//! - this file: the entry points that C calls, and the mode of the task;
//! - `filter`: the allow cache and the chain of filters, which end in a verdict;
//! - `dispatch`: what becomes of the task by the verdict;
//! - `strict`: strict mode, which has no filters;
//! - `log`: whether an action is logged, and the audit record;
//! - `sysctl`: `actions_avail` and `actions_logged`;
//! - `action` and `action_set`: the rules, pure, on which all of them stand;
//! - `task`: the calling task.
//!
//! C header: [`kernel/seccomp/rust/seccomp.h`](srctree/kernel/seccomp/rust/seccomp.h)

use kernel::{
    bindings,
    ffi::c_int,
    prelude::export, //
};

use crate::{
    action::Action,
    task::Caller, //
};

mod action;
mod action_set;
mod dispatch;
mod filter;
mod log;
mod strict;
#[cfg(CONFIG_SYSCTL)]
mod sysctl;
mod task;
#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
mod tests;

/// Decides whether the system call that the calling task is making is to be run.
///
/// Called by the entry code for a task with `SYSCALL_WORK_SECCOMP`. Returns `false` where it is
/// not to be run; its return value is then set, or a signal pending. May not return at all.
///
/// # Safety
///
/// Must be called on the path of a system call of the current task, its registers saved, in a
/// place that may sleep.
#[export]
pub unsafe extern "C" fn __seccomp_permit_syscall() -> bool {
    // SAFETY: By the safety requirements; the value does not leave this path.
    let caller = unsafe { Caller::current() };

    if caller.is_suspended() {
        return true;
    }

    let mode = caller.mode();
    if mode != bindings::SECCOMP_MODE_FILTER as c_int {
        return permit_without_filter(caller, mode);
    }

    let Some(newest) = caller.newest_filter() else {
        return dispatch::no_filter(caller);
    };
    if newest.is_cached_allow(caller.nr(), caller.arch()) {
        return true;
    }

    dispatch::permit(caller, newest, false)
}

/// Decides in the modes that know no filters.
#[cold]
#[inline(never)]
fn permit_without_filter(caller: Caller, mode: c_int) -> bool {
    const STRICT: c_int = bindings::SECCOMP_MODE_STRICT as c_int;
    const DEAD: c_int = bindings::SECCOMP_MODE_DEAD as c_int;

    match mode {
        STRICT => strict::permit(caller),
        DEAD => {
            // A task that seccomp has killed has made another system call.
            // SAFETY: The function reports where it was called.
            unsafe { bindings::warn_on_once(true) };
            caller.exit(bindings::SIGKILL)
        }
        // SAFETY: Stopping is all that is left where the mode is none that there is.
        _ => unsafe { bindings::BUG() },
    }
}

/// Whether the kernel knows the action of value `action`, as `SECCOMP_GET_ACTION_AVAIL` asks.
///
/// # Safety
///
/// None; `unsafe` is what `#[export]` wants.
#[export]
pub unsafe extern "C" fn seccomp_action_avail(action: u32) -> bool {
    Action::from_code(action).is_some()
}
