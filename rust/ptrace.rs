// SPDX-License-Identifier: GPL-2.0

//! What a tracer that makes a checkpoint reads: `PTRACE_SECCOMP_GET_FILTER` and
//! `PTRACE_SECCOMP_GET_METADATA`.

use kernel::{
    ffi::{
        c_long,
        c_ulong, //
    },
    prelude::*,
    sync::aref::ARef,
    task::Task,
    uaccess::UserSlice,
    uapi, //
};

use crate::{
    abstractions::{
        bpf,
        capability::{
            capable,
            Capability, //
        },
        locked_task::LockedTask,
        task_seccomp::current_mode,
        uaccess::copy_from_user, //
    },
    filter::FilterNode,
    uapi::{
        mode,
        SeccompMetadata, //
    }, //
};

/// Whether the calling task may read filters: it is the administrator's, and not itself confined.
fn may_read() -> Result {
    if !capable(Capability::SYS_ADMIN) || current_mode() != mode::DISABLED {
        return Err(EACCES);
    }
    Ok(())
}

/// Calls `f` with filter `filter_off` of `task`, the oldest being 0.
fn get_nth_filter<R>(
    task: &Task,
    filter_off: u64,
    f: impl FnOnce(&FilterNode) -> Result<R>,
) -> Result<R> {
    let newest = newest_of(task)?;

    let count = newest.path().fold(0u64, |count, _| count.saturating_add(1));
    // The path goes from the newest to the oldest.
    let skip = count
        .checked_sub(filter_off)
        .and_then(|rest| rest.checked_sub(1))
        .ok_or(ENOENT)?;
    // CAST: It is less than the count, which came from as large a type.
    let filter = newest.path().nth(skip as usize).ok_or(ENOENT)?;
    f(filter)
}

/// The newest filter of `task`, `EINVAL` if it is not in filter mode.
fn newest_of(task: &Task) -> Result<ARef<FilterNode>> {
    // A task that is traced by this one is not reaped, so that it can be locked.
    let locked = LockedTask::lock(task).ok_or(ESRCH)?;

    if locked.mode() != mode::FILTER {
        return Err(EINVAL);
    }
    locked.filter().ok_or(EINVAL)
}

/// Writes the program of filter `filter_off` of `task` to `data`, if that is not null, and returns
/// its number of instructions.
pub(crate) fn seccomp_get_filter(
    task: &Task,
    filter_off: c_ulong,
    data: UserPtr,
) -> Result<c_long> {
    may_read()?;

    get_nth_filter(task, filter_off as u64, |filter| {
        let program = filter.prog().insns();
        if !data.as_const_ptr().is_null() {
            let bytes = bpf::bytes_of(program);
            UserSlice::new(data, bytes.len())
                .writer()
                .write_slice(bytes)?;
        }
        Ok(program.len() as c_long)
    })
}

/// Writes what there is to know of a filter of `task` to `data`, which says which; as much as fits
/// into `size` bytes. Returns that size.
pub(crate) fn seccomp_get_metadata(task: &Task, size: c_ulong, data: UserPtr) -> Result<c_long> {
    may_read()?;

    let size = size.min(size_of::<SeccompMetadata>());
    if size < size_of::<u64>() {
        return Err(EINVAL);
    }
    let filter_off = copy_from_user::<u64>(data)?;

    get_nth_filter(task, filter_off, |filter| {
        let log = filter.log();
        let mut flags = 0;
        if log.requested {
            flags |= u64::from(uapi::SECCOMP_FILTER_FLAG_LOG);
        }
        #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
        if log.once == crate::once::Asked::YES {
            flags |= u64::from(crate::uapi::SECCOMP_FILTER_FLAG_LOG_ONCE);
        }
        let metadata = SeccompMetadata { filter_off, flags };
        let bytes = metadata.as_bytes().get(..size).ok_or(EINVAL)?;
        UserSlice::new(data, size).writer().write_slice(bytes)?;
        Ok(size as c_long)
    })
}
