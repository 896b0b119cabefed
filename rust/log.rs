// SPDX-License-Identifier: GPL-2.0

//! What is logged, and the audit record of it.
//!
//! C header: [`include/linux/audit.h`](srctree/include/linux/audit.h)

use kernel::{
    bindings,
    ffi::{
        c_int,
        c_long,
        c_ulong, //
    },
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

use crate::{
    action::Action,
    action_set::ActionSet,
    task::Caller, //
};

/// The bits of the [`ActionSet`] that the administrator lets through to the log.
static ACTIONS_LOGGED: Atomic<u32> = Atomic::new(ActionSet::LOGGABLE.bits());

/// The actions that the administrator lets through to the log.
#[inline(always)]
pub(crate) fn actions_logged() -> ActionSet {
    ActionSet::from_bits(ACTIONS_LOGGED.load(Relaxed))
}

/// Lets the actions of `set`, and no others, through to the log.
pub(crate) fn set_actions_logged(set: ActionSet) {
    ACTIONS_LOGGED.store(set.bits(), Relaxed);
}

/// Writes an audit record of system call `nr` if `action` is to be logged.
///
/// `signal` is the one that the task is killed with, 0 if it is not killed. `code` is the value
/// that the filter returned for the action; an unknown one is logged where
/// [`Action::KillProcess`] is. `requested` says whether the filter that decided has
/// `SECCOMP_FILTER_FLAG_LOG`.
#[inline(always)]
pub(crate) fn log(
    caller: Caller,
    nr: c_int,
    signal: u32,
    action: Action,
    code: u32,
    requested: bool,
) {
    if actions_logged().logs(action, requested) {
        record(caller, nr, signal, code);
    }
}

/// Writes an audit record of system call `nr`, `signal` and `code` as in [`log`].
#[inline(always)]
pub(crate) fn record(_caller: Caller, nr: c_int, signal: u32, code: u32) {
    // SAFETY: The function reads the state of the current task, which is in a system call as
    // `_caller` shows, and may sleep. The casts are those that C makes by assignment.
    unsafe { bindings::audit_seccomp(nr as c_ulong, signal as c_long, code as c_int) };
}
