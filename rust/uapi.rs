// SPDX-License-Identifier: GPL-2.0

//! What programs and seccomp hand each other, as it lies in memory, and the proof that it is what
//! the C header says.
//!
//! C header: [`include/uapi/linux/seccomp.h`](srctree/include/uapi/linux/seccomp.h)

use core::mem::offset_of;

use kernel::{
    ffi::c_int,
    prelude::*,
    uapi, //
};
use zerocopy_derive::Immutable;

use crate::action::Action;

/// `SECCOMP_MODE_*`, and the mode of a task that a kill has been decided for, which user space
/// never sees.
pub(crate) mod mode {
    use super::*;

    /// Seccomp does not look at the task's system calls.
    pub(crate) const DISABLED: c_int = uapi::SECCOMP_MODE_DISABLED as c_int;
    /// A fixed list of system calls is allowed.
    pub(crate) const STRICT: c_int = uapi::SECCOMP_MODE_STRICT as c_int;
    /// Filters decide.
    pub(crate) const FILTER: c_int = uapi::SECCOMP_MODE_FILTER as c_int;
    /// The task is to die.
    pub(crate) const DEAD: c_int = FILTER + 1;
}

/// `SECCOMP_FILTER_FLAG_LOG_ONCE`, which the header does not have: the filter logs each system call
/// the first time only. Far from the flags there are, so that the next ones find their place.
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
pub(crate) const SECCOMP_FILTER_FLAG_LOG_ONCE: u32 = 1 << 31;

/// What filters see of a system call: `struct seccomp_data`.
#[derive(Clone, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct SeccompData {
    pub(crate) nr: c_int,
    pub(crate) arch: u32,
    pub(crate) instruction_pointer: u64,
    pub(crate) args: [u64; 6],
}

/// What a listener receives: `struct seccomp_notif`.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct SeccompNotif {
    pub(crate) id: u64,
    pub(crate) pid: u32,
    pub(crate) flags: u32,
    pub(crate) data: SeccompData,
}

/// What it answers: `struct seccomp_notif_resp`.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[derive(FromBytes)]
#[repr(C)]
pub(crate) struct SeccompNotifResp {
    pub(crate) id: u64,
    pub(crate) val: i64,
    pub(crate) error: i32,
    pub(crate) flags: u32,
}

/// A descriptor that it passes on: `struct seccomp_notif_addfd`.
#[cfg(CONFIG_SECCOMP_FILTER)]
#[derive(FromBytes, IntoBytes)]
#[repr(C)]
pub(crate) struct SeccompNotifAddfd {
    pub(crate) id: u64,
    pub(crate) flags: u32,
    pub(crate) srcfd: u32,
    pub(crate) newfd: u32,
    pub(crate) newfd_flags: u32,
}

/// The sizes of three of them: `struct seccomp_notif_sizes`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct SeccompNotifSizes {
    pub(crate) seccomp_notif: u16,
    pub(crate) seccomp_notif_resp: u16,
    pub(crate) seccomp_data: u16,
}

/// What a tracer learns of a filter: `struct seccomp_metadata`.
#[cfg(all(CONFIG_SECCOMP_FILTER, CONFIG_CHECKPOINT_RESTORE))]
#[derive(IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct SeccompMetadata {
    pub(crate) filter_off: u64,
    pub(crate) flags: u64,
}

/// Proves at compile time that a structure lies in memory as the header's, field by field.
macro_rules! same_layout {
    ($ours:ty, $theirs:ty { $($field:ident),* }) => {
        static_assert!(size_of::<$ours>() == size_of::<$theirs>());
        static_assert!(align_of::<$ours>() == align_of::<$theirs>());
        $( static_assert!(offset_of!($ours, $field) == offset_of!($theirs, $field)); )*
    };
}

same_layout!(
    SeccompData,
    uapi::seccomp_data {
        nr,
        arch,
        instruction_pointer,
        args
    }
);
#[cfg(CONFIG_SECCOMP_FILTER)]
same_layout!(
    SeccompNotif,
    uapi::seccomp_notif {
        id,
        pid,
        flags,
        data
    }
);
#[cfg(CONFIG_SECCOMP_FILTER)]
same_layout!(
    SeccompNotifResp,
    uapi::seccomp_notif_resp {
        id,
        val,
        error,
        flags
    }
);
#[cfg(CONFIG_SECCOMP_FILTER)]
same_layout!(
    SeccompNotifAddfd,
    uapi::seccomp_notif_addfd {
        id,
        flags,
        srcfd,
        newfd,
        newfd_flags
    }
);
#[cfg(all(CONFIG_SECCOMP_FILTER, CONFIG_CHECKPOINT_RESTORE))]
same_layout!(
    SeccompMetadata,
    uapi::seccomp_metadata { filter_off, flags }
);
same_layout!(
    SeccompNotifSizes,
    uapi::seccomp_notif_sizes {
        seccomp_notif,
        seccomp_notif_resp,
        seccomp_data
    }
);

// The pure rules cannot read the header, being compiled for the host as well.
static_assert!(Action::KillProcess.code() == uapi::SECCOMP_RET_KILL_PROCESS);
static_assert!(Action::KillThread.code() == uapi::SECCOMP_RET_KILL_THREAD);
static_assert!(Action::Trap.code() == uapi::SECCOMP_RET_TRAP);
static_assert!(Action::Errno.code() == uapi::SECCOMP_RET_ERRNO);
static_assert!(Action::UserNotif.code() == uapi::SECCOMP_RET_USER_NOTIF);
static_assert!(Action::Trace.code() == uapi::SECCOMP_RET_TRACE);
static_assert!(Action::Log.code() == uapi::SECCOMP_RET_LOG);
static_assert!(Action::Allow.code() == uapi::SECCOMP_RET_ALLOW);
#[cfg(CONFIG_SECCOMP_FILTER)]
mod filter {
    use super::*;

    use crate::{
        cache,
        verdict, //
    };

    static_assert!(verdict::RET_ACTION_FULL == uapi::SECCOMP_RET_ACTION_FULL);
    static_assert!(verdict::RET_DATA == uapi::SECCOMP_RET_DATA);
    static_assert!(cache::OFFSET_NR as usize == offset_of!(SeccompData, nr));
    static_assert!(cache::OFFSET_ARCH as usize == offset_of!(SeccompData, arch));
}
