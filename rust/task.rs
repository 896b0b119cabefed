// SPDX-License-Identifier: GPL-2.0

//! The calling task in the middle of a system call.
//!
//! With `filter.rs` this is the thin edge: the rest of the path has no `unsafe`.
//!
//! C headers: [`include/asm-generic/syscall.h`](srctree/include/asm-generic/syscall.h),
//! [`include/linux/ptrace.h`](srctree/include/linux/ptrace.h)

use core::{
    marker::PhantomData,
    mem::{
        offset_of,
        MaybeUninit, //
    },
    ptr, //
};

use kernel::{
    bindings,
    ffi::{
        c_int,
        c_long, //
    },
    static_assert,
    sync::barrier::{
        smp_mb,
        Read, //
    },
    task::Task, //
};

use crate::filter::Filter;

static_assert!(offset_of!(bindings::seccomp, mode) == bindings::OFFSET_OF_SECCOMP_MODE);
static_assert!(offset_of!(bindings::seccomp, filter) == bindings::OFFSET_OF_SECCOMP_FILTER);

/// The calling task, between the entry of a system call and its execution.
///
/// # Invariants
///
/// - `task` is the task that runs this code, and stays so while the value exists: a task does not
///   leave the system call path it is on, and the value cannot be sent to another.
/// - The task is in a system call whose registers have been saved on its stack.
#[derive(Clone, Copy)]
pub(crate) struct Caller {
    task: *mut bindings::task_struct,
    /// Neither `Send` nor `Sync`.
    _not_send: PhantomData<*mut ()>,
}

impl Caller {
    /// Takes hold of the calling task.
    ///
    /// # Safety
    ///
    /// Must be called on the path of a system call, its registers saved, and the value must not
    /// outlive that call.
    #[inline(always)]
    pub(crate) unsafe fn current() -> Self {
        // INVARIANT: The function's safety requirements are the type invariants.
        Self {
            task: Task::current_raw(),
            _not_send: PhantomData,
        }
    }

    /// The same task, found anew where that takes one instruction: cheaper than to hand it on and
    /// to keep it in a register.
    #[inline(always)]
    pub(crate) fn again(self) -> Self {
        if !cfg!(CONFIG_RUST_INLINE_HELPERS) {
            return self;
        }
        // SAFETY: `self` shows that the place is one to call the function in.
        unsafe { Self::current() }
    }

    /// The task's seccomp state.
    #[inline(always)]
    fn seccomp(self) -> *mut bindings::seccomp {
        // SAFETY: By the type invariants `task` is valid, and the field lies there in it.
        unsafe { self.task.byte_add(bindings::OFFSET_OF_TASK_SECCOMP).cast() }
    }

    /// The task's seccomp mode: one of `SECCOMP_MODE_*`.
    #[inline(always)]
    pub(crate) fn mode(self) -> c_int {
        // SAFETY: By the type invariants `task` is valid. `seccomp_sync_threads()` of another
        // thread may store the mode at any time, hence the volatile load (C's `READ_ONCE()`).
        unsafe { ptr::read_volatile(&raw const (*self.seccomp()).mode) }
    }

    /// Keeps the task on its CPU until the value is dropped.
    #[inline(always)]
    pub(crate) fn pin(self) -> Pinned {
        // SAFETY: The current task is in a place that may be preempted, and [`Pinned`] undoes this.
        unsafe { bindings::inline_migrate_disable() };

        // INVARIANT: Migration has been disabled above.
        Pinned(self._not_send)
    }

    /// Marks the task as one that must not come back from the kernel.
    pub(crate) fn set_dead(self) {
        // SAFETY: By the type invariants `task` is valid and current. No other thread changes the
        // mode of a task that has one.
        unsafe { (*self.seccomp()).mode = bindings::SECCOMP_MODE_DEAD as c_int };
    }

    /// Whether a tracer that restores a checkpoint has suspended seccomp for the task, with
    /// `PTRACE_O_SUSPEND_SECCOMP`.
    #[inline(always)]
    pub(crate) fn is_suspended(self) -> bool {
        cfg!(CONFIG_CHECKPOINT_RESTORE) && self.ptrace() & bindings::PT_SUSPEND_SECCOMP != 0
    }

    /// What a tracer has set for the task: `PT_*`.
    #[inline(always)]
    fn ptrace(self) -> u32 {
        // SAFETY: By the type invariants `task` is valid, and the field lies there in it.
        let ptrace = unsafe { self.task.byte_add(bindings::OFFSET_OF_TASK_PTRACE) };

        // SAFETY: As before. A tracer may store to the field at any time, hence the volatile load.
        unsafe { ptr::read_volatile(ptrace.cast()) }
    }

    /// The newest of the task's filters, `None` without one.
    ///
    /// Whoever has seen that the task is in filter mode sees the filter that came with the mode.
    #[inline(always)]
    pub(crate) fn newest_filter(&self) -> Option<&Filter> {
        // The other half is in `seccomp_assign_mode()`: the filter is stored before the mode, and
        // that before the flag that makes the entry code come here.
        smp_mb(Read);

        // SAFETY: By the type invariants `task` is valid. `seccomp_sync_threads()` may store
        // another filter at any time, hence the volatile load (C's `READ_ONCE()`).
        let filter = unsafe { ptr::read_volatile(&raw const (*self.seccomp()).filter) };

        // SAFETY: A filter is valid once a task can see it, and stays so for as long as the task
        // is on this path: it is freed by the last task that has it when that task exits, and
        // where another thread replaces it by one of its descendants, that one holds a reference.
        unsafe { Filter::from_raw(filter) }
    }

    /// The number of the system call, which a tracer may have made negative.
    #[inline(always)]
    pub(crate) fn nr(self) -> c_int {
        // SAFETY: By the type invariants `task` is current, its registers saved.
        unsafe { bindings::task_syscall_nr(self.task) }
    }

    /// The calling convention of the system call: an `AUDIT_ARCH_*` value.
    #[inline(always)]
    pub(crate) fn arch(self) -> u32 {
        // SAFETY: `task` is current by the type invariants. The bits are what counts, not the
        // sign that C's `int` gives them.
        unsafe { bindings::syscall_get_arch(self.task) as u32 }
    }

    /// Whether the system call was made by another convention than the kernel's native one.
    pub(crate) fn in_compat_syscall(self) -> bool {
        // SAFETY: The function reads the state of the current task, which is in a system call by
        // the type invariants.
        unsafe { bindings::in_compat_syscall() }
    }

    /// Puts the system call that the task is making into `call`, `after_trace` as in [`Call`].
    #[inline(always)]
    pub(crate) fn read_call(self, call: &mut MaybeUninit<Call>, after_trace: bool) -> &Call {
        let place = call.as_mut_ptr();
        // SAFETY: `place` is valid for writes, and so are its fields. This one is written first,
        // for the value not to be kept across a call.
        let data = unsafe {
            (&raw mut (*place).after_trace).write(after_trace);
            &raw mut (*place).data
        };

        #[cfg(CONFIG_COMPAT)]
        if self.arch() == bindings::SECCOMP_ARCH_COMPAT {
            // SAFETY: As for the other convention below.
            unsafe { self.read_compat_data(data) };
        } else {
            // SAFETY: By the type invariants `task` is current, its registers saved. Its system
            // call is of this convention, there being no third, and `data` is valid for writes.
            unsafe { bindings::native_seccomp_data(self.task, data) };
        }
        #[cfg(not(CONFIG_COMPAT))]
        // SAFETY: As above, there being no other convention.
        unsafe {
            bindings::native_seccomp_data(self.task, data)
        };

        // SAFETY: Both fields have been written.
        unsafe { call.assume_init_ref() }
    }

    /// Reads what filters get to see of a system call of the compat convention, out of the native
    /// one's way.
    ///
    /// # Safety
    ///
    /// The system call must have been made by the compat convention, and `data` must be valid for
    /// writes.
    #[cfg(CONFIG_COMPAT)]
    #[cfg_attr(CONFIG_RUST_INLINE_HELPERS, inline(never))]
    #[cfg_attr(not(CONFIG_RUST_INLINE_HELPERS), inline(always))]
    unsafe fn read_compat_data(self, data: *mut bindings::seccomp_data) {
        // SAFETY: By the type invariants `task` is current, its registers saved, and by the safety
        // requirements.
        unsafe { bindings::compat_seccomp_data(self.task, data) };
    }

    /// Makes the system call, which is not run, fail with `errno`; with 0 it returns 0.
    pub(crate) fn set_errno(self, errno: u16) {
        // SAFETY: By the type invariants `task` is current, its registers saved.
        unsafe { bindings::task_syscall_set_return_value(self.task, -c_int::from(errno), 0) };
    }

    /// Puts the registers back to what they were when the system call was made.
    pub(crate) fn roll_back(self) {
        // SAFETY: By the type invariants `task` is current, its registers saved.
        unsafe { bindings::task_syscall_rollback(self.task) };
    }

    /// Sends the task `SIGSYS` for system call `nr`, `reason` in `si_errno`, so that it is
    /// delivered even where it is blocked or ignored; to be fatal and dump core if `coredump`.
    pub(crate) fn force_sigsys(self, nr: c_int, reason: u16, coredump: bool) {
        // SAFETY: The function acts on the current task and may be called from process context,
        // which the path of a system call is.
        unsafe { bindings::force_sig_seccomp(nr, c_int::from(reason), coredump) };
    }

    /// Whether this is the last thread of its process that has not exited.
    pub(crate) fn is_last_thread(self) -> bool {
        // SAFETY: `task` is current by the type invariants. The signal struct of a task that has
        // not exited is valid.
        unsafe { bindings::task_signal_live(self.task) == 1 }
    }

    /// Whether the task has a tracer that asked for `PTRACE_EVENT_SECCOMP`.
    #[inline(always)]
    pub(crate) fn has_seccomp_tracer(self) -> bool {
        self.ptrace() & bindings::PT_TRACE_SECCOMP != 0
    }

    /// Stops for the tracer, with `message` for it to read by `PTRACE_GETEVENTMSG`. The tracer may
    /// change any register.
    pub(crate) fn notify_tracer(self, message: u16) {
        // SAFETY: The function acts on the current task and may sleep, which the path of a system
        // call may.
        unsafe { bindings::ptrace_event(bindings::PTRACE_EVENT_SECCOMP as c_int, message.into()) };
    }

    /// Whether a signal is pending that will end the task.
    pub(crate) fn is_being_killed(self) -> bool {
        // SAFETY: `task` is current by the type invariants.
        unsafe { bindings::fatal_signal_pending(self.task) != 0 }
    }

    /// Ends the task, which has been marked dead before.
    ///
    /// Nothing is unwound: no caller may hold a value with a destructor.
    pub(crate) fn exit(self, signal: u32) -> ! {
        // SAFETY: The current task is on the path of a system call and holds no lock.
        unsafe { bindings::do_exit(signal as c_long) }
    }
}

/// A system call that filters decide about.
pub(crate) struct Call {
    /// What filters get to see: its number, convention, address and arguments.
    pub(crate) data: bindings::seccomp_data,
    /// A tracer has let it through, which is not to be asked about it twice.
    pub(crate) after_trace: bool,
}

/// The calling task is kept on its CPU, as BPF requires of those who run its programs.
///
/// # Invariants
///
/// Migration of the current task is disabled while the value exists.
pub(crate) struct Pinned(PhantomData<*mut ()>);

impl Drop for Pinned {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: By the type invariants migration is disabled, by the call that made the value.
        unsafe { bindings::inline_migrate_enable() };
    }
}
