// SPDX-License-Identifier: GPL-2.0

//! Whether a system call is run: the mode of the task, then the verdict of its filters.
//!
//! The rules are those of `__seccomp_permit_syscall()` and `__seccomp_filter()` in
//! [`kernel/seccomp.c`](srctree/kernel/seccomp.c).

use crate::{
    abstractions::{
        bug::{
            bug,
            warn_on_once, //
        },
        signal::SIGKILL,
        syscall::{
            Caller,
            SyscallState, //
        }, //
    },
    strict,
    uapi::mode, //
};

/// Decides whether the system call that the calling task is making is to be run. If it is not, its
/// return value is set, or a signal pending. May not return at all.
#[doc(alias = "__seccomp_permit_syscall")]
#[inline(always)]
pub(crate) fn permit_syscall(state: SyscallState<'_>) -> bool {
    let (caller, mode) = (state.caller(), state.mode());
    #[cfg(CONFIG_SECCOMP_FILTER)]
    if mode == mode::FILTER {
        let newest = crate::filter::newest(&state);
        // Before it is known whether a tracer has suspended seccomp: either way the call is run.
        if let Some(filter) = newest {
            if filter.cache().check_allow(state.nr(), state.arch()) {
                return true;
            }
        }
        return crate::dispatch::seccomp_filter(caller, newest);
    }
    permit_without_filter(caller, mode)
}

/// Decides in the modes that know no filters.
#[cold]
#[inline(never)]
fn permit_without_filter(caller: Caller<'_>, mode: kernel::ffi::c_int) -> bool {
    if caller.is_seccomp_suspended() {
        return true;
    }
    match mode {
        mode::STRICT => strict::permit(caller),
        mode::DEAD => {
            // A task that seccomp has killed has made another system call.
            warn_on_once!(true);
            caller.do_exit(SIGKILL)
        }
        // Without filters their mode is one that cannot be.
        _ => bug(),
    }
}
