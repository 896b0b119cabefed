// SPDX-License-Identifier: GPL-2.0

//! `/proc/PID/seccomp_cache`.

use kernel::{
    prelude::*,
    seq_file::SeqFile,
    seq_print,
    task::Task, //
};

use crate::{
    abstractions::{
        capability::{
            file_capable,
            Capability, //
        },
        locked_task::LockedTask,
        seq_file::file_of,
        syscall::Convention, //
    },
    filter::Filter, //
};

/// Shows what the allow cache of `task` has: a line for each system call.
pub(crate) fn proc_pid_seccomp_cache(m: &SeqFile, task: &Task) -> Result {
    // A program in a sandbox is not to learn what its filters consist of.
    if !file_capable(file_of(m), Capability::SYS_ADMIN) {
        return Err(EACCES);
    }

    let filter = LockedTask::lock(task).ok_or(ESRCH)?.filter::<Filter>();
    if let Some(filter) = filter {
        filter
            .cache()
            .for_each(|convention, allows| show(m, convention, allows));
    }
    Ok(())
}

/// Shows the bitmap of one convention.
fn show(m: &SeqFile, convention: &Convention, allows: &dyn Fn(usize) -> bool) {
    for nr in 0..convention.nr_syscalls {
        let status = if allows(nr) { "ALLOW" } else { "FILTER" };
        seq_print!(m, "{} {nr} {status}\n", convention.name());
    }
}
