// SPDX-License-Identifier: GPL-2.0

//! The mode of a task: once it has one, it keeps it.

use kernel::{
    ffi::c_int,
    prelude::*, //
};

use crate::{
    abstractions::sighand::{
        Siglock,
        Thread, //
    },
    uapi::mode, //
};

/// Whether the calling task can be put into `mode`: it has none, or that one.
pub(crate) fn seccomp_may_assign_mode(lock: &Siglock, mode: c_int) -> bool {
    let current = lock.current().seccomp_mode();
    current == mode::DISABLED || current == mode
}

/// Puts `thread` into `mode`.
///
/// Its filters are in their place: they and the mode are seen by whoever sees the flag that makes
/// the entry code ask seccomp. `mitigate` adds what the architecture does against speculation.
pub(crate) fn seccomp_assign_mode(thread: Thread<'_>, mode: c_int, mitigate: bool) {
    thread.set_seccomp_mode(mode);
    thread.set_syscall_work_seccomp(mitigate);
}

/// `SECCOMP_SET_MODE_STRICT`: puts the calling task into strict mode; `EINVAL` if it is in another.
pub(crate) fn seccomp_set_mode_strict() -> Result {
    let lock = Siglock::lock();

    if !seccomp_may_assign_mode(&lock, mode::STRICT) {
        return Err(EINVAL);
    }
    let current = lock.current();
    current.disable_tsc();
    seccomp_assign_mode(current, mode::STRICT, true);
    Ok(())
}
