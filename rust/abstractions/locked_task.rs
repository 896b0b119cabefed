// SPDX-License-Identifier: GPL-2.0

//! Another task's seccomp state, looked at with the lock held that guards it.
//!
//! C header: [`include/linux/sched/signal.h`](srctree/include/linux/sched/signal.h)

#[cfg(CONFIG_CHECKPOINT_RESTORE)]
use kernel::ffi::c_int;
use kernel::{
    bindings,
    ffi::c_ulong,
    sync::aref::ARef,
    task::Task,
    types::NotThreadSafe, //
};

#[cfg(CONFIG_CHECKPOINT_RESTORE)]
use super::task_seccomp::Any;
use super::{
    task_seccomp::{
        Seccomp,
        TaskFilter, //
    },
    tree::Node, //
};

/// A task that stays what it is while this exists, for a look at its seccomp state.
///
/// # Invariants
///
/// The task is valid, its siglock is held.
pub(crate) struct LockedTask<'a> {
    task: &'a Task,
    flags: c_ulong,
    _not_send: NotThreadSafe,
}

impl<'a> LockedTask<'a> {
    /// Takes the siglock of `task`, `None` if it has been reaped.
    pub(crate) fn lock(task: &'a Task) -> Option<Self> {
        let mut flags = 0;
        // SAFETY: The task is valid by its type.
        let sighand = unsafe { bindings::lock_task_sighand(task.as_ptr(), &mut flags) };
        // Nothing may be made that unlocks what was not locked.
        if sighand.is_null() {
            return None;
        }
        // INVARIANT: The function has taken the lock, as it returned one.
        Some(Self {
            task,
            flags,
            _not_send: NotThreadSafe,
        })
    }

    /// The task's mode: one of `SECCOMP_MODE_*`.
    #[cfg(CONFIG_CHECKPOINT_RESTORE)]
    pub(crate) fn mode(&self) -> c_int {
        // SAFETY: The task is valid by its type.
        unsafe { Seccomp::<Any>::of(self.task.as_ptr()) }.mode()
    }

    /// A reference to the newest of the task's filters.
    pub(crate) fn filter<T: TaskFilter>(&self) -> Option<ARef<Node<T>>> {
        // SAFETY: The task is valid by its type. The lock is held, so that the slot does not
        // change.
        unsafe { Seccomp::<T>::of(self.task.as_ptr()).slot().clone_node() }
    }
}

impl Drop for LockedTask<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the lock is held, with the flags that it was taken with.
        unsafe { bindings::unlock_task_sighand(self.task.as_ptr(), &mut self.flags) };
    }
}

#[cfg(CONFIG_SECCOMP_RUST_KUNIT_TEST)]
#[kernel::macros::kunit_tests(seccomp_rust_locked_task)]
mod tests {
    use super::*;
    use kernel::{
        alloc::flags::__GFP_ZERO,
        prelude::*, //
    };

    #[test]
    fn a_task_that_was_reaped() -> Result {
        let reaped = KBox::<bindings::task_struct>::new_uninit(GFP_KERNEL | __GFP_ZERO)?;
        // SAFETY: A task without a sighand is looked at no further.
        let task = unsafe { &*reaped.as_ptr().cast::<Task>() };
        assert!(LockedTask::lock(task).is_none());
        Ok(())
    }

    #[cfg(CONFIG_CHECKPOINT_RESTORE)]
    #[test]
    fn a_task_that_is_looked_at() {
        let mode = LockedTask::lock(kernel::current!()).map(|task| task.mode());
        assert_eq!(mode, Some(0));
    }
}
