// SPDX-License-Identifier: GPL-2.0

//! Records of the audit subsystem.
//!
//! C header: [`include/linux/audit.h`](srctree/include/linux/audit.h)

#[cfg(CONFIG_SYSCTL)]
use kernel::str::{
    CStr,
    CStrExt as _, //
};
use kernel::{
    bindings,
    ffi::{
        c_int,
        c_long,
        c_ulong, //
    }, //
};

use super::syscall::Caller;

/// Whether audit is on: C's `audit_enabled`.
#[cfg(CONFIG_SYSCTL)]
pub(crate) fn audit_enabled() -> bool {
    // SAFETY: The function reads a variable.
    unsafe { bindings::audit_is_enabled() }
}

/// Writes an `AUDIT_SECCOMP` record of system call `syscall` of the current task: the C function
/// of that name, which tools put probes on.
///
/// `signr` is the signal that the call brings the task, 0 for none, and `code` the action.
#[inline(always)]
pub(crate) fn audit_seccomp(_caller: Caller<'_>, syscall: c_long, signr: c_int, code: u32) {
    // SAFETY: The function reads the state of the current task, which is in a system call as
    // `_caller` shows, and may sleep. The casts are those that C makes by assignment.
    unsafe { bindings::audit_seccomp(syscall as c_ulong, signr as c_long, code as c_int) };
}

/// Writes an `AUDIT_CONFIG_CHANGE` record of `actions_logged_once`, as
/// [`audit_seccomp_actions_logged`] does of `actions_logged`.
#[cfg(all(CONFIG_SYSCTL, CONFIG_SECCOMP_LOG_ONCE))]
pub(crate) fn audit_seccomp_actions_logged_once(names: &CStr, old_names: &CStr, done: bool) {
    // SAFETY: Both are strings that outlive the call, in which they are copied.
    unsafe {
        bindings::audit_seccomp_actions_logged_once(
            names.as_char_ptr(),
            old_names.as_char_ptr(),
            c_int::from(done),
        )
    };
}

/// Writes an `AUDIT_CONFIG_CHANGE` record of `actions_logged`: the names it is to have from now
/// on, those that it had, and whether that was done.
#[cfg(CONFIG_SYSCTL)]
pub(crate) fn audit_seccomp_actions_logged(names: &CStr, old_names: &CStr, done: bool) {
    // SAFETY: Both are strings that outlive the call, in which they are copied.
    unsafe {
        bindings::audit_seccomp_actions_logged(
            names.as_char_ptr(),
            old_names.as_char_ptr(),
            c_int::from(done),
        )
    };
}
