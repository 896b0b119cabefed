// SPDX-License-Identifier: GPL-2.0

//! The lock of a process' signal handlers, and what it guards: its threads, and their seccomp
//! state.
//!
//! C header: [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h)

use core::{
    iter,
    mem::offset_of, //
};

use kernel::{
    bindings,
    ffi::c_int,
    prelude::*,
    sync::{
        aref::ARef,
        atomic::Atomic, //
    },
    task::{
        Pid,
        Task, //
    },
    types::NotThreadSafe, //
};

use super::{
    task_seccomp::{
        Any,
        Seccomp,
        TaskFilter, //
    },
    tree::{
        Leaf,
        Node,
        UniqueNode,
        Unused, //
    }, //
};

/// The siglock of the current task's process is held, with interrupts off.
///
/// # Examples
///
/// ```ignore
/// let siglock = Siglock::lock();
/// for thread in siglock.other_threads().filter(|thread| !thread.is_exiting()) {
///     thread.set_no_new_privs();
/// }
/// ```
///
/// # Invariants
///
/// The lock is held by this task.
pub(crate) struct Siglock {
    /// The current task.
    task: *mut bindings::task_struct,
    _not_send: NotThreadSafe,
}

impl Siglock {
    /// Takes the lock.
    pub(crate) fn lock() -> Self {
        let task = Task::current_raw();
        // SAFETY: The current task has its sighand until it is reaped.
        unsafe { bindings::spin_lock_irq(&raw mut (*(*task).sighand).siglock) };
        // INVARIANT: The lock has been taken.
        Self {
            task,
            _not_send: NotThreadSafe,
        }
    }

    /// The current task.
    pub(crate) fn current(&self) -> Thread<'_> {
        // INVARIANT: The lock is that of the current task.
        Thread {
            task: self.task,
            _lock: self,
        }
    }

    /// The other threads of the process.
    pub(crate) fn other_threads(&self) -> impl Iterator<Item = Thread<'_>> {
        // SAFETY: The current task has its signal structure, in which the list of threads begins.
        let head = unsafe { &raw mut (*(*self.task).signal).thread_head };
        // SAFETY: The list changes with the lock held alone.
        let mut next = unsafe { (*head).next };

        iter::from_fn(move || {
            if core::ptr::eq(next, head) {
                return None;
            }
            let task = next
                .wrapping_byte_sub(offset_of!(bindings::task_struct, thread_node))
                .cast::<bindings::task_struct>();
            // SAFETY: What is on the list is a thread of the process, which is valid while it is
            // on the list.
            next = unsafe { (*task).thread_node.next };
            Some(task)
        })
        .filter(|&task| task != self.task)
        // INVARIANT: The threads of a process share their sighand.
        .map(|task| Thread { task, _lock: self })
    }

    /// Whether the whole process is being killed, or dumps core.
    pub(crate) fn is_group_exiting(&self) -> bool {
        // SAFETY: The current task has its signal structure, whose flags the lock guards.
        unsafe { (*(*self.task).signal).flags & bindings::SIGNAL_GROUP_EXIT != 0 }
    }
}

impl Drop for Siglock {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the lock is held by this task.
        unsafe { bindings::spin_unlock_irq(&raw mut (*(*self.task).sighand).siglock) };
    }
}

/// A thread of the process whose siglock is held.
///
/// # Invariants
///
/// `task` is a thread that has not been reaped, and the lock is its siglock.
#[derive(Clone, Copy)]
pub(crate) struct Thread<'l> {
    task: *mut bindings::task_struct,
    _lock: &'l Siglock,
}

impl<'l> Thread<'l> {
    /// Whether the thread is exiting: it makes no system calls any more, and may have let go of
    /// its filters.
    pub(crate) fn is_exiting(self) -> bool {
        // SAFETY: The thread is valid by the type invariants.
        unsafe { (*self.task).flags & bindings::PF_EXITING != 0 }
    }

    /// The number of the thread in the pid namespace of the current task, 0 if it has none there.
    pub(crate) fn pid_vnr(self) -> Pid {
        // SAFETY: The thread is valid by the type invariants.
        unsafe { bindings::task_pid_vnr(self.task) }
    }

    /// Whether the thread can gain no privileges by execve(2).
    pub(crate) fn no_new_privs(self) -> bool {
        // SAFETY: The thread is valid by the type invariants.
        unsafe { bindings::task_no_new_privs(self.task) }
    }

    /// Has the thread gain no privileges by execve(2), for good.
    pub(crate) fn set_no_new_privs(self) {
        // SAFETY: The thread is valid by the type invariants; the bit is set atomically.
        unsafe { bindings::task_set_no_new_privs(self.task) };
    }

    /// Has the entry code ask seccomp about each system call of the thread, what was stored before
    /// being visible before that; see Documentation/ordering.rst.
    ///
    /// `mitigate` adds what the architecture does against speculation by a program that is confined.
    pub(crate) fn set_syscall_work_seccomp(self, mitigate: bool) {
        // SAFETY: The thread is valid by the type invariants; the flag is set atomically.
        unsafe {
            bindings::smp_mb__before_atomic();
            if mitigate {
                bindings::arch_seccomp_spec_mitigate(self.task);
            }
            bindings::set_task_syscall_work_seccomp(self.task);
        }
    }

    /// Has the thread, the current one, read no time stamp counter, where strict mode is so.
    pub(crate) fn disable_tsc(self) {
        // SAFETY: The function acts on the current task, whatever the thread is, and may be called
        // with the lock held.
        unsafe { bindings::disable_TSC() };
    }

    /// The thread's mode: one of `SECCOMP_MODE_*`.
    pub(crate) fn seccomp_mode(self) -> c_int {
        self.seccomp::<Any>().mode()
    }

    /// Stores the thread's mode.
    pub(crate) fn set_seccomp_mode(self, mode: c_int) {
        self.seccomp::<Any>().set_mode(mode);
    }

    /// How many filters the thread has.
    #[cfg(CONFIG_SECCOMP_FILTER)]
    pub(crate) fn filter_count(self) -> &'l Atomic<c_int> {
        self.seccomp::<Any>().filter_count()
    }

    /// The seccomp state of the thread. Its filters may be looked at if `T` is their type.
    fn seccomp<T: Unused>(self) -> &'l Seccomp<T> {
        // SAFETY: The thread is valid while the lock is held.
        unsafe { Seccomp::of(self.task) }
    }

    /// The newest of the thread's filters.
    pub(crate) fn filter<T: TaskFilter>(self) -> Option<&'l Node<T>> {
        // SAFETY: The slot is emptied with the lock held, not while this one has it.
        unsafe { self.seccomp::<T>().slot().get() }
    }

    /// A reference to the newest of the thread's filters.
    pub(crate) fn clone_node<T: TaskFilter>(self) -> Option<ARef<Node<T>>> {
        // SAFETY: As for `filter()`. The lock is held.
        unsafe { self.seccomp::<T>().slot().clone_node() }
    }

    /// Another leaf of the thread's newest filter.
    pub(crate) fn clone_filter<T: TaskFilter>(self) -> Option<Leaf<T>> {
        // SAFETY: As for `filter()`. The lock is held.
        unsafe { self.seccomp::<T>().slot().clone_leaf() }
    }
}

impl Siglock {
    /// Puts `node` on the current task's newest filter, in place of which the task gets it.
    pub(crate) fn push_filter<T: TaskFilter>(&self, node: UniqueNode<T>) {
        // SAFETY: The lock is held, and the current task has not exited.
        unsafe { self.current().seccomp::<T>().slot().push(node) }
    }
}

impl Thread<'_> {
    /// Gives the thread `leaf` in place of its own filter, which must be below that or the same;
    /// else gives it back, as it does for a thread that is exiting.
    pub(crate) fn replace_filter<T: TaskFilter>(self, leaf: Leaf<T>) -> Result<(), Leaf<T>> {
        if self.is_exiting() {
            return Err(leaf);
        }
        // SAFETY: The lock is held, under which a thread that exits says so, and this one has not.
        unsafe { self.seccomp::<T>().slot().replace(leaf) }
    }
}

/// No thread of the current process executes a program while this exists.
///
/// # Invariants
///
/// The process' `cred_guard_mutex` is held by this task.
pub(crate) struct CredGuard(NotThreadSafe);

impl CredGuard {
    /// Takes the mutex; fails with `EINTR` for a signal that ends the task.
    pub(crate) fn lock_killable() -> Result<Self> {
        // SAFETY: The mutex is that of the current task's signal structure, which it has until it
        // is reaped.
        kernel::error::to_result(unsafe { bindings::mutex_lock_killable(Self::mutex()) })?;
        // INVARIANT: The mutex has been taken.
        Ok(Self(NotThreadSafe))
    }

    /// The mutex of the current task.
    fn mutex() -> *mut bindings::mutex {
        // SAFETY: The current task has its signal structure.
        unsafe { &raw mut (*(*Task::current_raw()).signal).cred_guard_mutex }
    }
}

impl Drop for CredGuard {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the mutex is held by this task.
        unsafe { bindings::mutex_unlock(Self::mutex()) };
    }
}

/// Whether the current task can gain no privileges by execve(2).
pub(crate) fn current_no_new_privs() -> bool {
    // SAFETY: The current task is valid.
    unsafe { bindings::task_no_new_privs(Task::current_raw()) }
}

/// The number of `task` in the pid namespace of the current task, 0 if it has none there.
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) fn task_pid_vnr(task: &Task) -> Pid {
    // SAFETY: The task is valid by its type.
    unsafe { bindings::task_pid_vnr(task.as_ptr()) }
}

#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
#[kernel::macros::kunit_tests(seccomp_rust_sighand)]
mod tests {
    use super::*;

    // The tests run in a thread of the kernel, which is a process of one thread.

    #[test]
    fn a_thread_alone() {
        let siglock = Siglock::lock();
        let alone = siglock.other_threads().next().is_none();
        let exiting = siglock.is_group_exiting();
        let current = siglock.current();
        let (dying, mode) = (current.is_exiting(), current.seccomp_mode());
        // Not before: what fails is printed.
        drop(siglock);
        assert!(alone);
        assert!(!exiting && !dying);
        assert_eq!(mode, 0);
    }

    #[test]
    fn the_lock_is_given_back() {
        drop(Siglock::lock());
        drop(Siglock::lock());
    }
}
