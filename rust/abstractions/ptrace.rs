// SPDX-License-Identifier: GPL-2.0

//! What a tracer has asked for, and stops for it.
//!
//! C header: [`include/linux/ptrace.h`](srctree/include/linux/ptrace.h)

use kernel::{
    bindings,
    ffi::{
        c_int,
        c_ulong, //
    },
    sync::atomic::{
        atomic_load,
        Relaxed, //
    }, //
};

use super::syscall::Caller;

/// An event that a tracer can ask to be stopped for.
#[derive(Clone, Copy)]
pub(crate) enum PtraceEvent {
    /// `PTRACE_EVENT_SECCOMP`.
    Seccomp = bindings::PTRACE_EVENT_SECCOMP as isize,
}

/// Whether a tracer has suspended seccomp, `flags` being what it has set.
#[inline(always)]
const fn suspends_seccomp(flags: u32) -> bool {
    flags & bindings::PT_SUSPEND_SECCOMP != 0
}

impl Caller<'_> {
    /// What a tracer has set for the task: `PT_*`.
    #[inline(always)]
    fn ptrace_flags(self) -> u32 {
        // SAFETY: The task is valid by the type invariants. A tracer may store to the field at any
        // time, hence the marked load.
        unsafe { atomic_load(&raw mut (*self.as_ptr()).ptrace, Relaxed) }
    }

    /// Whether a tracer that restores a checkpoint has suspended seccomp for the task, with
    /// `PTRACE_O_SUSPEND_SECCOMP`.
    #[inline(always)]
    pub(crate) fn is_seccomp_suspended(self) -> bool {
        cfg!(CONFIG_CHECKPOINT_RESTORE) && suspends_seccomp(self.ptrace_flags())
    }

    /// The fields of the system call in `data`, as [`Self::data_and_ptrace_flags`] has them, `None`
    /// where [`Self::is_seccomp_suspended`].
    #[cfg(all(CONFIG_SECCOMP_FILTER, not(CONFIG_RUST_INLINE_HELPERS)))]
    #[inline(always)]
    pub(crate) fn data_unless_suspended<T: kernel::prelude::FromBytes>(
        self,
        data: &mut core::mem::MaybeUninit<T>,
    ) -> Option<&T> {
        let (data, flags) = self.data_and_ptrace_flags(data);
        (!cfg!(CONFIG_CHECKPOINT_RESTORE) || !suspends_seccomp(flags)).then_some(data)
    }

    /// Whether the task has a tracer that asked for `event`.
    #[inline(always)]
    pub(crate) fn ptrace_event_enabled(self, event: PtraceEvent) -> bool {
        self.ptrace_flags() & 1 << (bindings::PT_OPT_FLAG_SHIFT + event as u32) != 0
    }

    /// Stops for the tracer with `event` and `message`, which it reads by `PTRACE_GETEVENTMSG`.
    /// The tracer may change any register.
    pub(crate) fn ptrace_event(self, event: PtraceEvent, message: u16) {
        // SAFETY: The function acts on the current task and may sleep, which the path of a system
        // call may.
        unsafe { bindings::ptrace_event(event as c_int, c_ulong::from(message)) };
    }
}
