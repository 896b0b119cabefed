// SPDX-License-Identifier: GPL-2.0

//! The functions that C calls: those of `include/linux/seccomp.h`, the body of seccomp(2) and the
//! initcall.
//!
//! Of the upper layer this file alone has `unsafe`, because what C hands over it cannot prove. Each
//! function makes of it what has its rules in its type, and goes to the one that does the work.
//!
//! C header: [`include/linux/seccomp.h`](srctree/include/linux/seccomp.h)

use kernel::{
    bindings,
    ffi::{
        c_long,
        c_uint,
        c_ulong,
        c_void, //
    },
    prelude::*, //
};

use crate::{
    abstractions::{
        syscall::Caller,
        task_seccomp, //
    },
    operations,
    permit, //
};

/// A result as C has it: the value, or a negative errno.
fn to_c(result: Result<c_long>) -> c_long {
    result.unwrap_or_else(|error| error.to_errno() as c_long)
}

/// Decides whether the system call that the calling task is making is to be run.
///
/// Called for a task with `SYSCALL_WORK_SECCOMP` alone, by the entry code and, out of a page fault,
/// by the emulation of a vsyscall. Returns `false` where the call is not to be run;
/// its return value is then set, or a signal pending. May not return at all.
///
/// # Safety
///
/// Must be called on the path of a system call of the current task, its registers saved, in a
/// place that may sleep. A page fault of user space is such a place: its registers are saved in the
/// same way, and the emulation has put the number of the system call among them.
#[export]
pub(crate) unsafe extern "C" fn __seccomp_permit_syscall() -> bool {
    // SAFETY: By the safety requirements.
    unsafe { Caller::with(permit::permit_syscall) }
}

/// `PR_GET_SECCOMP`: the mode of the calling task. A task in strict mode does not live to see it.
///
/// # Safety
///
/// None; `unsafe` is what `#[export]` wants.
#[export]
pub(crate) unsafe extern "C" fn prctl_get_seccomp() -> c_long {
    task_seccomp::current_mode() as c_long
}

/// `PR_SET_SECCOMP`: puts the calling task into a mode. Returns 0 or a negative errno.
///
/// # Safety
///
/// Must be called in a system call of the current task.
#[export]
pub(crate) unsafe extern "C" fn prctl_set_seccomp(mode: c_ulong, filter: *mut c_void) -> c_long {
    to_c(operations::prctl_set_seccomp(
        mode,
        UserPtr::from_ptr(filter),
    ))
}

/// seccomp(2), whose entry is in `syscall.c`.
///
/// # Safety
///
/// Must be called in a system call of the current task.
#[export]
pub(crate) unsafe extern "C" fn do_seccomp(
    op: c_uint,
    flags: c_uint,
    uargs: *mut c_void,
) -> c_long {
    to_c(operations::do_seccomp(op, flags, UserPtr::from_ptr(uargs)))
}

#[cfg(CONFIG_SYSCTL)]
/// Registers the sysctls: an initcall, made one in `syscall.c`.
///
/// # Safety
///
/// Must be called once, while the kernel starts.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn seccomp_sysctl_init() -> kernel::ffi::c_int {
    crate::sysctl::seccomp_sysctl_init();
    0
}

#[cfg(CONFIG_SECCOMP_FILTER)]
mod filter {
    use super::*;

    use crate::filter::Filter;

    // SAFETY: A task gets its filter by `push_filter()` or `replace_filter()`, which take a
    // `TaskFilter`, and this is the only one; or by fork, which copies it, counted below.
    unsafe impl task_seccomp::TaskFilter for Filter {}

    /// Counts the filters of `tsk`, the current task, for another that C makes of it.
    ///
    /// # Safety
    ///
    /// `tsk` must be valid, its siglock held, and its `seccomp.filter` be copied to another task that
    /// is not running yet.
    #[export]
    pub(crate) unsafe extern "C" fn get_seccomp_filter(tsk: *mut bindings::task_struct) {
        // SAFETY: By the safety requirements.
        unsafe { task_seccomp::get_filter::<Filter>(tsk) };
    }

    /// Detaches `tsk`, which is exiting, from its filters.
    ///
    /// # Safety
    ///
    /// `tsk` must be valid and have its sighand, and be in no system call of which a filter could
    /// still be asked.
    #[export]
    pub(crate) unsafe extern "C" fn seccomp_filter_release(tsk: *mut bindings::task_struct) {
        // SAFETY: By the safety requirements.
        let task = unsafe { task_seccomp::ExitingTask::from_raw(tsk) };

        match task {
            Some(task) => drop(task.take_filter::<Filter>()),
            None => {
                kernel::warn_on!(true);
            }
        }
    }
}

#[cfg(all(CONFIG_SECCOMP_FILTER, CONFIG_CHECKPOINT_RESTORE))]
mod ptrace {
    use super::*;

    use kernel::task::Task;

    /// `PTRACE_SECCOMP_GET_FILTER`: the program of a filter of `task`.
    ///
    /// # Safety
    ///
    /// `task` must be traced by the current task, and stopped.
    #[export]
    pub(crate) unsafe extern "C" fn seccomp_get_filter(
        task: *mut bindings::task_struct,
        filter_off: c_ulong,
        data: *mut c_void,
    ) -> c_long {
        // SAFETY: A task that is traced is valid. `Task` has its layout.
        let task = unsafe { &*task.cast::<Task>() };
        to_c(crate::ptrace::seccomp_get_filter(
            task,
            filter_off,
            UserPtr::from_ptr(data),
        ))
    }

    /// `PTRACE_SECCOMP_GET_METADATA`: what there is to know of a filter of `task`.
    ///
    /// # Safety
    ///
    /// As for [`seccomp_get_filter`].
    #[export]
    pub(crate) unsafe extern "C" fn seccomp_get_metadata(
        task: *mut bindings::task_struct,
        size: c_ulong,
        data: *mut c_void,
    ) -> c_long {
        // SAFETY: As for `seccomp_get_filter()`.
        let task = unsafe { &*task.cast::<Task>() };
        to_c(crate::ptrace::seccomp_get_metadata(
            task,
            size,
            UserPtr::from_ptr(data),
        ))
    }
}

#[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
mod proc {
    use super::*;

    use kernel::{
        ffi::c_int,
        seq_file::SeqFile,
        task::Task, //
    };

    /// Shows `/proc/PID/seccomp_cache`. Returns 0 or a negative errno.
    ///
    /// # Safety
    ///
    /// `m` must be the seq file that is read, and `task` be valid.
    #[export]
    pub(crate) unsafe extern "C" fn proc_pid_seccomp_cache(
        m: *mut bindings::seq_file,
        _ns: *mut bindings::pid_namespace,
        _pid: *mut bindings::pid,
        task: *mut bindings::task_struct,
    ) -> c_int {
        // SAFETY: By the safety requirements; procfs reads a seq file in one task at a time.
        let m = unsafe { SeqFile::from_raw(m) };
        // SAFETY: By the safety requirements. `Task` has its layout.
        let task = unsafe { &*task.cast::<Task>() };

        match crate::proc::proc_pid_seccomp_cache(m, task) {
            Ok(()) => 0,
            Err(error) => error.to_errno(),
        }
    }
}
