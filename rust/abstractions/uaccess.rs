// SPDX-License-Identifier: GPL-2.0

//! Structures of user space that may grow, an extension of [`kernel::uaccess`].
//!
//! C header: [`include/linux/uaccess.h`](srctree/include/linux/uaccess.h)

use kernel::{
    bindings,
    error::to_result,
    ffi::c_void,
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};
use zerocopy::Immutable;

/// Reads a `T` at `ptr`; `EFAULT` where that is no memory of user space.
pub(crate) fn copy_from_user<T: FromBytes>(ptr: UserPtr) -> Result<T> {
    let mut value = core::mem::MaybeUninit::<T>::uninit();
    // SAFETY: `value` is valid for writes of its size. As in C, where a size that is known to the
    // compiler needs no check of the kernel's side.
    let left = unsafe {
        bindings::_copy_from_user(
            value.as_mut_ptr().cast::<c_void>(),
            ptr.as_const_ptr(),
            size_of::<T>(),
        )
    };
    if left != 0 {
        return Err(EFAULT);
    }
    // SAFETY: All bytes have been written, and any are a value of `T`.
    Ok(unsafe { value.assume_init() })
}

/// Writes `value` to `ptr`; `EFAULT` where that is no memory of user space.
pub(crate) fn copy_to_user<T: IntoBytes + Immutable>(ptr: UserPtr, value: &T) -> Result {
    let bytes = value.as_bytes();
    UserSlice::new(ptr, bytes.len()).writer().write_slice(bytes)
}

/// Whether the `size` bytes at `ptr` are zero; `EFAULT` where they are no memory of user space.
pub(crate) fn check_zeroed_user(ptr: UserPtr, size: usize) -> Result<bool> {
    // SAFETY: The function reads memory of user space, whatever the address.
    match unsafe { bindings::check_zeroed_user(ptr.as_const_ptr(), size) } {
        0 => Ok(false),
        error if error < 0 => Err(Error::from_errno(error)),
        _ => Ok(true),
    }
}

/// Reads a `T` out of the `size` bytes at `ptr`, for a structure that grows: what user space does
/// not have is zero, and what it has more must be, or it is `E2BIG`.
///
/// # Examples
///
/// ```ignore
/// if size < Request::FIRST_SIZE {
///     return Err(EINVAL);
/// }
/// let request: Request = copy_struct_from_user(ptr, size)?;
/// ```
pub(crate) fn copy_struct_from_user<T: FromBytes + IntoBytes>(
    ptr: UserPtr,
    size: usize,
) -> Result<T> {
    let mut value = T::new_zeroed();
    let bytes = value.as_mut_bytes();
    // SAFETY: `bytes` is valid for writes of its length.
    to_result(unsafe {
        bindings::copy_struct_from_user(
            bytes.as_mut_ptr().cast::<c_void>(),
            bytes.len(),
            ptr.as_const_ptr(),
            size,
        )
    })?;
    Ok(value)
}
