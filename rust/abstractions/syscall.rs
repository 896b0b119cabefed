// SPDX-License-Identifier: GPL-2.0

//! The system call that the current task is making.
//!
//! C headers: [`include/asm-generic/syscall.h`](srctree/include/asm-generic/syscall.h),
//! [`arch/x86/include/asm/seccomp.h`](srctree/arch/x86/include/asm/seccomp.h)

use core::{
    marker::PhantomData,
    mem::MaybeUninit, //
};

#[cfg(all(CONFIG_SECCOMP_FILTER, not(CONFIG_RUST_INLINE_HELPERS)))]
use kernel::prelude::FromBytes;
#[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
use kernel::str::{
    CStr,
    CStrExt as _, //
};
use kernel::{
    bindings,
    ffi::{
        c_char,
        c_int,
        c_long,
        c_ulong, //
    },
    task::Task, //
};

/// A convention by which system calls are made.
pub(crate) struct Convention {
    /// Its `AUDIT_ARCH_*` value.
    pub(crate) arch: u32,
    /// The numbers that a table of the convention's system calls covers are those below this one;
    /// 0 where the architecture knows no such convention.
    pub(crate) nr_syscalls: usize,
    #[cfg_attr(not(CONFIG_SECCOMP_CACHE_DEBUG), expect(dead_code))]
    name: unsafe extern "C" fn() -> *const c_char,
}

impl Convention {
    /// What the kernel calls it, as in `/proc/PID/seccomp_cache`.
    #[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
    pub(crate) fn name(&self) -> &'static CStr {
        // SAFETY: The function returns a string constant.
        unsafe { CStr::from_char_ptr((self.name)()) }
    }
}

/// The kernel's own convention: `SECCOMP_ARCH_NATIVE`.
pub(crate) const NATIVE: Convention = Convention {
    arch: bindings::SYSCALL_NATIVE_ARCH,
    nr_syscalls: bindings::SYSCALL_NATIVE_NR,
    name: bindings::syscall_native_name,
};

/// That of the programs of an older machine: `SECCOMP_ARCH_COMPAT`.
pub(crate) const COMPAT: Convention = Convention {
    arch: bindings::SYSCALL_COMPAT_ARCH,
    nr_syscalls: bindings::SYSCALL_COMPAT_NR,
    name: bindings::syscall_compat_name,
};

/// The native numbers of uretprobe(2) and uprobe(2), which the kernel has programs call; -1 where
/// the architecture has none.
pub(crate) const UPROBE_SYSCALLS: [c_int; 2] =
    [bindings::SYSCALL_URETPROBE, bindings::SYSCALL_UPROBE];

/// The native system calls that strict mode allows: `__NR_seccomp_*`, and those of uprobes, which
/// are not the program's own doing.
pub(crate) const MODE1_SYSCALLS: [c_int; 6] = [
    bindings::SYSCALL_MODE1_READ,
    bindings::SYSCALL_MODE1_WRITE,
    bindings::SYSCALL_MODE1_EXIT,
    bindings::SYSCALL_MODE1_SIGRETURN,
    bindings::SYSCALL_URETPROBE,
    bindings::SYSCALL_UPROBE,
];

/// The system calls of the other convention that strict mode allows.
#[cfg(CONFIG_COMPAT)]
#[doc(alias = "get_compat_mode1_syscalls")]
pub(crate) fn compat_mode1_syscalls() -> impl Iterator<Item = c_int> {
    // SAFETY: The function returns an array of constants, which a negative one ends.
    let mut next = unsafe { bindings::get_compat_mode1_syscalls() };

    core::iter::from_fn(move || {
        // SAFETY: The one before was not the last.
        let nr = unsafe { *next };
        (nr >= 0).then(|| {
            next = next.wrapping_add(1);
            nr
        })
    })
}

/// The task that makes a system call, from its entry to where it is run.
///
/// # Invariants
///
/// - `task` is the task that runs this code, and stays so for `'call`.
/// - For `'call` the task is in a system call whose registers have been saved on its stack, in a
///   place that may sleep.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'call> {
    task: *mut bindings::task_struct,
    /// Invariant in `'call`, neither `Send` nor `Sync`.
    _call: PhantomData<*mut &'call ()>,
}

impl<'call> Caller<'call> {
    /// Has `f` look at the system call that the current task is making, and at what it is decided by
    /// before a filter is run.
    ///
    /// # Examples
    ///
    /// ```ignore
    /// // SAFETY: The entry code has saved the registers and enabled interrupts.
    /// unsafe { Caller::with(|state| state.arch() == NATIVE.arch && state.nr() >= 0) }
    /// ```
    ///
    /// # Safety
    ///
    /// Must be called on the path of a system call of the current task, its registers saved, in a
    /// place that may sleep.
    #[inline(always)]
    pub(crate) unsafe fn with<R>(f: impl for<'any> FnOnce(SyscallState<'any>) -> R) -> R {
        // SAFETY: By the safety requirements, for as long as `f` runs; it cannot keep the value
        // longer, knowing nothing of `'any`.
        f(unsafe { SyscallState::read() })
    }

    /// The task, as C has it.
    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *mut bindings::task_struct {
        self.task
    }

    /// The same task, found anew where that takes one instruction: cheaper than to hand it on and
    /// to keep it in a register.
    #[inline(always)]
    pub(crate) fn again(self) -> Self {
        if !cfg!(CONFIG_RUST_INLINE_HELPERS) {
            return self;
        }
        // INVARIANT: It is the task of `self`, which is the current one.
        Self {
            task: Task::current_raw(),
            _call: PhantomData,
        }
    }

    /// What the system call is decided by before a filter is run, as it is now.
    #[cfg(CONFIG_SECCOMP_FILTER)]
    #[inline(always)]
    pub(crate) fn state(self) -> SyscallState<'call> {
        // SAFETY: By the type invariants the current task is in a system call, its registers saved,
        // for `'call`.
        unsafe { SyscallState::read() }
    }

    /// The number of the system call, which a tracer may have made negative.
    #[inline(always)]
    pub(crate) fn nr(self) -> c_int {
        // SAFETY: By the type invariants `task` is current, its registers saved.
        unsafe { bindings::task_syscall_nr(self.task) }
    }

    /// The convention of the system call: an `AUDIT_ARCH_*` value.
    #[inline(always)]
    pub(crate) fn arch(self) -> u32 {
        // SAFETY: `task` is current by the type invariants. The bits are what counts, not the
        // sign that C's `int` gives them.
        unsafe { bindings::syscall_get_arch(self.task) as u32 }
    }

    /// Where the instruction behind the system call's own is.
    #[inline(always)]
    pub(crate) fn instruction_pointer(self) -> u64 {
        // SAFETY: By the type invariants `task` is current, its registers saved.
        unsafe { bindings::task_kstk_eip(self.task) as u64 }
    }

    /// The six arguments, of which the system call need not have as many.
    #[inline(always)]
    pub(crate) fn arguments(self) -> [c_ulong; 6] {
        let mut args = [0; 6];
        // SAFETY: By the type invariants `task` is current, its registers saved; the function
        // writes six words.
        unsafe { bindings::task_syscall_arguments(self.task, args.as_mut_ptr()) };
        args
    }

    /// Puts number, convention, instruction pointer and arguments into `data`: the fields of a `T`,
    /// which has the layout of `struct seccomp_data`.
    ///
    /// What a tracer has set for the task, `PT_*`, comes with it: where helpers are calls, one in
    /// place of five.
    #[cfg(all(CONFIG_SECCOMP_FILTER, not(CONFIG_RUST_INLINE_HELPERS)))]
    #[inline(always)]
    pub(super) fn data_and_ptrace_flags<T: FromBytes>(
        self,
        data: &mut MaybeUninit<T>,
    ) -> (&T, u32) {
        const {
            assert!(size_of::<T>() == size_of::<bindings::seccomp_data>());
            assert!(align_of::<T>() == align_of::<bindings::seccomp_data>());
        }
        // SAFETY: By the type invariants `task` is current, its registers saved; the function
        // writes a structure of the size and the alignment of `data`.
        let flags = unsafe { bindings::task_syscall_data(self.task, data.as_mut_ptr().cast()) };
        // SAFETY: The structure has no padding, so that the function has written all of `data`, and
        // any bytes are a valid `T`.
        (unsafe { data.assume_init_ref() }, flags)
    }

    /// Makes the system call, which is not run, return `error`, a negative errno, or `val` where
    /// that is 0.
    pub(crate) fn set_return_value(self, error: c_int, val: c_long) {
        // SAFETY: By the type invariants `task` is current, its registers saved.
        unsafe { bindings::task_syscall_set_return_value(self.task, error, val) };
    }

    /// Puts the registers back to what they were when the system call was made.
    pub(crate) fn rollback(self) {
        // SAFETY: By the type invariants `task` is current, its registers saved.
        unsafe { bindings::task_syscall_rollback(self.task) };
    }
}

/// What a system call is decided by before a filter is run.
///
/// # Invariants
///
/// `state.mode` and `state.filter` are what the calling task had in its `seccomp` at some moment of
/// `'call`, later than the entry code's look at `SYSCALL_WORK_SECCOMP`; `state.nr` and, where helpers
/// are calls, `state.arch` are those of the system call at that moment.
#[derive(Clone, Copy)]
pub(crate) struct SyscallState<'call> {
    caller: Caller<'call>,
    state: bindings::seccomp_syscall_state,
}

impl<'call> SyscallState<'call> {
    /// Reads that of the current task.
    ///
    /// # Safety
    ///
    /// As for [`Caller::with`], and `'call` must not outlast the system call.
    #[inline(always)]
    unsafe fn read() -> Self {
        let mut state = MaybeUninit::uninit();
        // The entry code has seen the flag, which another thread may have set. The function has a
        // read barrier before its loads, whose other half is in
        // `Thread::set_syscall_work_seccomp()`; the whole argument is in Documentation/ordering.rst.
        // SAFETY: By the safety requirements the registers are saved. The function writes a
        // structure of this type.
        let task = unsafe { bindings::seccomp_syscall_state(state.as_mut_ptr()) };

        // INVARIANT: As the function does it, behind the barrier.
        Self {
            // INVARIANT: The task is the current one; the rest are the safety requirements.
            caller: Caller {
                task,
                _call: PhantomData,
            },
            // SAFETY: The function has written each field.
            state: unsafe { state.assume_init() },
        }
    }

    /// Whose it is.
    #[inline(always)]
    pub(crate) fn caller(&self) -> Caller<'call> {
        self.caller
    }

    /// The mode of the task: one of `SECCOMP_MODE_*`.
    #[inline(always)]
    pub(crate) fn mode(&self) -> c_int {
        self.state.mode
    }

    /// The number of the system call, which a tracer may have made negative.
    #[inline(always)]
    pub(crate) fn nr(&self) -> c_int {
        self.state.nr
    }

    /// The convention of the system call: an `AUDIT_ARCH_*` value.
    #[inline(always)]
    pub(crate) fn arch(&self) -> u32 {
        if cfg!(CONFIG_RUST_INLINE_HELPERS) {
            return self.caller.arch();
        }
        self.state.arch
    }

    /// The newest filter of the task, as C has it.
    #[cfg(CONFIG_SECCOMP_FILTER)]
    #[inline(always)]
    pub(super) fn filter_as_ptr(&self) -> *mut bindings::seccomp_filter {
        self.state.filter
    }
}

/// Whether the current task is in a system call of another convention than the native one.
pub(crate) fn in_compat_syscall() -> bool {
    // SAFETY: The function reads the state of the current task, in whatever context.
    unsafe { bindings::in_compat_syscall() }
}
