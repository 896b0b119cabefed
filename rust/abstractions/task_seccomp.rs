// SPDX-License-Identifier: GPL-2.0

//! The seccomp state of a task: its mode, and the tree that its filters are in.
//!
//! What a filter is this file does not know.
//!
//! C header: [`include/linux/seccomp_types.h`](srctree/include/linux/seccomp_types.h)

use core::mem::offset_of;

use kernel::{
    bindings,
    ffi::c_int,
    static_assert,
    sync::atomic::{
        Atomic,
        Relaxed, //
    }, //
};

use super::{
    syscall::{
        Caller,
        SyscallState, //
    },
    tree::{
        Leaf,
        Node,
        Slot,
        Unused, //
    }, //
};

/// The type of the filters that tasks have.
///
/// # Safety
///
/// Every `seccomp.filter` of a task that is not null must be a [`Leaf`] of this type.
pub(crate) unsafe trait TaskFilter: Unused + Send + Sync + 'static {}

/// A task's `struct seccomp`, `T` being what its filters are.
///
/// It is written with the task's siglock held, but for the mode of a task that is to die.
#[repr(C)]
pub(crate) struct Seccomp<T: Unused> {
    mode: Atomic<c_int>,
    filter_count: Atomic<c_int>,
    filter: Slot<T>,
}

/// Stands for whatever filters are, where none is looked at.
pub(super) enum Any {}

impl Unused for Any {
    fn unused(&self) {}
}
static_assert!(size_of::<Seccomp<Any>>() == size_of::<bindings::seccomp>());
static_assert!(align_of::<Seccomp<Any>>() == align_of::<bindings::seccomp>());
static_assert!(offset_of!(Seccomp<Any>, mode) == offset_of!(bindings::seccomp, mode));
static_assert!(
    offset_of!(Seccomp<Any>, filter_count) == offset_of!(bindings::seccomp, filter_count)
);
static_assert!(offset_of!(Seccomp<Any>, filter) == offset_of!(bindings::seccomp, filter));

impl<T: Unused> Seccomp<T> {
    /// The seccomp state of `task`.
    ///
    /// # Safety
    ///
    /// `task` must be valid for `'a`, and `T` must be the type of its filters.
    #[inline(always)]
    pub(super) unsafe fn of<'a>(task: *mut bindings::task_struct) -> &'a Self {
        // SAFETY: By the safety requirements. The layouts agree by the assertions above, and all
        // that changes is atomic.
        unsafe { &*(&raw mut (*task).seccomp).cast() }
    }

    /// The mode: one of `SECCOMP_MODE_*`.
    #[inline(always)]
    pub(crate) fn mode(&self) -> c_int {
        self.mode.load(Relaxed)
    }

    /// Stores the mode.
    pub(crate) fn set_mode(&self, mode: c_int) {
        self.mode.store(mode, Relaxed);
    }

    /// How many filters the task has.
    pub(crate) fn filter_count(&self) -> &Atomic<c_int> {
        &self.filter_count
    }

    /// The task's slot in the tree of filters.
    pub(super) fn slot(&self) -> &Slot<T> {
        &self.filter
    }
}

impl Caller<'_> {
    /// Stores the calling task's mode. Without the siglock, so another thread may read it.
    pub(crate) fn set_seccomp_mode(self, mode: c_int) {
        // SAFETY: The task is valid for `'call` by the type invariants. No filter is looked at.
        unsafe { Seccomp::<Any>::of(self.as_ptr()) }.set_mode(mode);
    }
}

#[cfg(CONFIG_SECCOMP_FILTER)]
impl<'call> SyscallState<'call> {
    /// The newest of the calling task's filters.
    #[inline(always)]
    pub(crate) fn filter<T: TaskFilter>(&self) -> Option<&'call Node<T>> {
        // SAFETY: By the type invariants this was in the task's slot during `'call`, in which nobody
        // empties it: the task itself does, when it exits. The slot has nodes of this type, by the
        // safety requirements of `TaskFilter`.
        unsafe { Slot::from_loaded(self.filter_as_ptr().cast()) }
    }
}

/// The mode of the current task: one of `SECCOMP_MODE_*`.
pub(crate) fn current_mode() -> c_int {
    let task = kernel::task::Task::current_raw();
    // SAFETY: The current task is valid. No filter is looked at.
    unsafe { Seccomp::<Any>::of(task) }.mode()
}

/// Counts one more task that has `task`'s newest filter, if it has any, for C to copy the pointer
/// into that task.
///
/// # Safety
///
/// `task` must be valid, with the siglock held that guards its seccomp state, and the copy must be
/// made.
pub(crate) unsafe fn get_filter<T: TaskFilter>(task: *mut bindings::task_struct) {
    // SAFETY: By the safety requirements.
    if let Some(leaf) = unsafe { Seccomp::<T>::of(task).filter.clone_leaf() } {
        // C's copy owns it.
        core::mem::forget(leaf);
    }
}

/// A task that is exiting, and does not come back to a system call.
///
/// # Invariants
///
/// The task is valid, has `PF_EXITING` set, and its sighand.
pub(crate) struct ExitingTask(*mut bindings::task_struct);

impl ExitingTask {
    /// Takes `task` for an exiting one, `None` if it is not.
    ///
    /// # Safety
    ///
    /// `task` must be valid and have its sighand while the value exists; if it is exiting, it must
    /// not use its filters any more.
    pub(crate) unsafe fn from_raw(task: *mut bindings::task_struct) -> Option<Self> {
        // SAFETY: By the safety requirements.
        let flags = unsafe { (*task).flags };
        // INVARIANT: By the safety requirements, and by what is looked at here.
        (flags & bindings::PF_EXITING != 0).then_some(Self(task))
    }

    /// Detaches the task from its filters.
    pub(crate) fn take_filter<T: TaskFilter>(&self) -> Option<Leaf<T>> {
        // SAFETY: The task is valid by the type invariants.
        let seccomp = unsafe { Seccomp::<T>::of(self.0) };
        // Threads that are synchronised leave out the exiting ones, so that it stays empty.
        if seccomp.filter.is_empty() {
            return None;
        }
        // SAFETY: By the type invariants the task is valid and has its sighand.
        let siglock = unsafe { &raw mut (*(*self.0).sighand).siglock };
        // SAFETY: The lock is valid, and this is process context.
        unsafe { bindings::spin_lock_irq(siglock) };
        // SAFETY: The lock is held. The task does not use its filters any more.
        let leaf = unsafe { seccomp.filter.take() };
        // SAFETY: The lock is held by this task.
        unsafe { bindings::spin_unlock_irq(siglock) };
        leaf
    }
}
