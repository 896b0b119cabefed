// SPDX-License-Identifier: GPL-2.0

//! What is logged, and the audit record of it.

use kernel::{
    ffi::c_int,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

use crate::{
    abstractions::{
        audit,
        syscall::Caller, //
    },
    action::Action,
    action_set::ActionSet, //
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

/// Writes an audit record of system call `nr` if `action` is to be logged.
///
/// `signr` is the signal that the task is killed with, 0 if it is not killed. `code` is the value
/// that the filter returned for the action; an unknown one is logged where
/// [`Action::KillProcess`] is. `requested` says whether the filter that decided has
/// `SECCOMP_FILTER_FLAG_LOG`.
#[inline(always)]
pub(crate) fn seccomp_log(
    caller: Caller<'_>,
    nr: c_int,
    signr: c_int,
    action: Action,
    code: u32,
    requested: bool,
) {
    if actions_logged().logs(action, requested) {
        record(caller, nr, signr, code);
    }
}

/// Writes the record, apart from the callers, which save no registers for it then.
#[cold]
#[inline(never)]
fn record(caller: Caller<'_>, nr: c_int, signr: c_int, code: u32) {
    audit::audit_seccomp(caller, nr, signr, code);
}
