// SPDX-License-Identifier: GPL-2.0

//! File descriptors that are passed on, an extension of [`kernel::fs::file`].
//!
//! C header: [`include/linux/file.h`](srctree/include/linux/file.h)

use core::ptr;

use kernel::{
    bindings,
    error::to_result,
    ffi::c_int,
    fs::{
        File,
        LocalFile, //
    },
    prelude::*,
    sync::aref::ARef,
    types::NotThreadSafe, //
};

/// This thread uses the position of no file, as in ioctl(2).
///
/// # Invariants
///
/// No call of `fdget_pos()` is active on this thread.
pub(crate) struct NoFdgetPos(NotThreadSafe);

impl NoFdgetPos {
    /// # Safety
    ///
    /// No call of `fdget_pos()` may be active on this thread while the value exists.
    pub(super) unsafe fn new() -> Self {
        // INVARIANT: By the safety requirements.
        Self(NotThreadSafe)
    }
}

/// A file that is passed from one task to another.
///
/// # Examples
///
/// ```ignore
/// // The one who gives it.
/// let file = PassedFile::fget(fd, no_fdget_pos)?;
///
/// // The one who gets it, as a descriptor of its own.
/// let fd = file.receive(O_CLOEXEC)?;
/// ```
pub(crate) struct PassedFile(ARef<File>);

impl PassedFile {
    /// The file of descriptor `fd` of the current task, `EBADF` where there is none.
    pub(crate) fn fget(fd: u32, _: &NoFdgetPos) -> Result<Self> {
        let file = LocalFile::fget(fd)?;
        // SAFETY: By the type invariants of `NoFdgetPos`.
        Ok(Self(unsafe { LocalFile::assume_no_fdget_pos(file) }))
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
