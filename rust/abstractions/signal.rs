// SPDX-License-Identifier: GPL-2.0

//! Signals that a system call brings the task that makes it.
//!
//! C header: [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h)

use kernel::{
    bindings,
    ffi::{
        c_int,
        c_long, //
    }, //
};

use super::syscall::Caller;

/// `SIGKILL`.
pub(crate) const SIGKILL: c_int = bindings::SIGKILL as c_int;

/// `SIGSYS`, a bad system call.
pub(crate) const SIGSYS: c_int = bindings::SIGSYS as c_int;

impl Caller<'_> {
    /// Sends the task `SIGSYS` for system call `nr`, `reason` in `si_errno`, so that it is
    /// delivered even where it is blocked or ignored; to be fatal and dump core if `coredump`.
    pub(crate) fn force_sig_seccomp(self, nr: c_int, reason: u16, coredump: bool) {
        // SAFETY: The function acts on the current task and may be called from process context,
        // which the path of a system call is.
        unsafe { bindings::force_sig_seccomp(nr, c_int::from(reason), coredump) };
    }

    /// Whether a signal is pending that will end the task.
    pub(crate) fn fatal_signal_pending(self) -> bool {
        // SAFETY: `as_ptr()` is the current task by the type invariants.
        unsafe { bindings::fatal_signal_pending(self.as_ptr()) != 0 }
    }

    /// Whether this is the last thread of its process that has not exited.
    pub(crate) fn is_last_thread(self) -> bool {
        // SAFETY: `as_ptr()` is the current task by the type invariants, and the signal structure
        // of a task that has not exited is valid.
        unsafe { bindings::task_signal_live(self.as_ptr()) == 1 }
    }

    /// Ends the task, with `signal` as its exit status.
    ///
    /// Nothing is unwound: no caller may hold a value with a destructor.
    pub(crate) fn do_exit(self, signal: c_int) -> ! {
        // SAFETY: The current task is on the path of a system call by the type invariants.
        unsafe { bindings::do_exit(signal as c_long) }
    }
}
