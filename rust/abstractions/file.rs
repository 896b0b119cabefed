// SPDX-License-Identifier: GPL-2.0

//! File descriptors that are passed on, an extension of [`kernel::fs::file`].
//!
//! C header: [`include/linux/file.h`](srctree/include/linux/file.h)

use core::ptr;

use kernel::{
    bindings,
    error::to_result,
    ffi::c_int,
    fs::LocalFile,
    prelude::*,
    sync::aref::ARef, //
};

/// A file that is passed from one task to another.
///
/// # Examples
///
/// ```ignore
/// // The one who gives it.
/// let file = PassedFile::fget(fd)?;
///
/// // The one who gets it, as a descriptor of its own.
/// let fd = file.receive(O_CLOEXEC)?;
/// ```
///
/// # Invariants
///
/// No task uses the position of the file without its lock on account of this reference.
pub(crate) struct PassedFile(ARef<LocalFile>);

// SAFETY: What keeps a `LocalFile` on its thread is its position, which a task that gets the file
// by `receive_fd()` uses by its own descriptor, whose existence makes the file a shared one.
unsafe impl Send for PassedFile {}

impl PassedFile {
    /// The file of descriptor `fd` of the current task, `EBADF` where there is none.
    pub(crate) fn fget(fd: u32) -> Result<Self> {
        // INVARIANT: This type offers no use of the position.
        Ok(Self(LocalFile::fget(fd)?))
    }

    /// Gives the current task a new descriptor for the file; `flags` may be `O_CLOEXEC`.
    ///
    /// Fails as `receive_fd()`: for want of a free descriptor or by the security module.
    pub(crate) fn receive(&self, flags: u32) -> Result<c_int> {
        // SAFETY: The file is valid by its type, and the function takes a reference of its own.
        check(unsafe { bindings::receive_fd(self.0.as_ptr(), ptr::null_mut(), flags) })
    }

    /// Gives the current task the file as descriptor `fd`, in place of what that was.
    ///
    /// Fails as `receive_fd_replace()`.
    pub(crate) fn receive_as(&self, fd: u32, flags: u32) -> Result<c_int> {
        // SAFETY: As for `receive()`. Any number is one that the function refuses or takes.
        check(unsafe { bindings::receive_fd_replace(fd as c_int, self.0.as_ptr(), flags) })
    }
}

/// A result that is a descriptor or a negative errno.
fn check(fd: c_int) -> Result<c_int> {
    to_result(fd).map(|()| fd)
}
