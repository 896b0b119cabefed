// SPDX-License-Identifier: GPL-2.0

//! Capabilities of the current task.
//!
//! C header: [`include/linux/capability.h`](srctree/include/linux/capability.h)

#[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
use kernel::fs::LocalFile;
use kernel::{
    bindings,
    ffi::c_int, //
};

/// A capability: one of `CAP_*`.
#[derive(Clone, Copy)]
pub(crate) struct Capability(c_int);

impl Capability {
    /// `CAP_SYS_ADMIN`.
    pub(crate) const SYS_ADMIN: Self = Self(bindings::CAP_SYS_ADMIN as c_int);
}

/// Whether the current task has `cap` in the initial user namespace.
///
/// An audit record and `PF_SUPERPRIV` tell that it was used.
#[cfg(any(CONFIG_SYSCTL, all(CONFIG_SECCOMP_FILTER, CONFIG_CHECKPOINT_RESTORE)))]
pub(crate) fn capable(cap: Capability) -> bool {
    // SAFETY: The function reads the credentials of the current task.
    unsafe { bindings::capable(cap.0) }
}

/// Whether the current task has `cap` in its own user namespace; a refusal leaves no audit record.
#[cfg(CONFIG_SECCOMP_FILTER)]
pub(crate) fn ns_capable_noaudit_current(cap: Capability) -> bool {
    // SAFETY: The namespace is that of the current task's credentials, which do not go away while
    // the task runs this.
    unsafe { bindings::ns_capable_noaudit(bindings::current_user_ns(), cap.0) }
}

/// Whether the one who opened `file` had `cap` in the initial user namespace.
#[cfg(CONFIG_SECCOMP_CACHE_DEBUG)]
pub(crate) fn file_capable(file: &LocalFile, cap: Capability) -> bool {
    // SAFETY: The file is valid by its type, and the initial user namespace is static.
    unsafe { bindings::file_ns_capable(file.as_ptr(), &raw mut bindings::init_user_ns, cap.0) }
}
