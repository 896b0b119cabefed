// SPDX-License-Identifier: GPL-2.0

//! Files that have no name: a descriptor for an object of the kernel.
//!
//! C headers: [`include/linux/anon_inodes.h`](srctree/include/linux/anon_inodes.h),
//! [`include/linux/fs.h`](srctree/include/linux/fs.h)

use core::{
    marker::PhantomData,
    ptr, //
};

use kernel::{
    bindings,
    error::from_err_ptr,
    ffi::{
        c_int,
        c_long,
        c_uint,
        c_ulong, //
    },
    fs::{
        file::FileDescriptorReservation,
        File, //
    },
    prelude::*,
    sync::aref::{
        ARef,
        AlwaysRefCounted, //
    }, //
};

use super::{
    file::NoFdgetPos,
    wait::WaitQueue, //
};

/// What a file of an anonymous inode does, `Self` being the object that it keeps alive.
///
/// # Examples
///
/// A descriptor for `object`, which appears when nothing can fail any more:
///
/// ```ignore
/// let fd = FileDescriptorReservation::get_unused_fd_flags(O_CLOEXEC)?;
/// let file = NewAnonFile::<Object>::new(c_str!("object"))?;
/// object.make_ready()?;
/// Ok(file.install(fd, object))
/// ```
pub(crate) trait AnonFile: AlwaysRefCounted + Send + Sync + Sized + 'static {
    /// The queue that is woken when what [`Self::poll`] tells has changed.
    fn wait_queue(&self) -> &WaitQueue;

    /// The events of `EPOLL*` that there are.
    fn poll(&self) -> u32;

    /// Carries out ioctl(2), for callers of every convention.
    fn ioctl(&self, cmd: u32, arg: usize, no_fdget_pos: &NoFdgetPos) -> Result<c_long>;

    /// The last descriptor of the file is closed.
    fn release(this: ARef<Self>);
}

/// A file that has no object and no descriptor yet.
///
/// # Invariants
///
/// The file's operations are those of `T`, and its private data is null. Nobody else has the file.
pub(crate) struct NewAnonFile<T: AnonFile> {
    file: ARef<File>,
    _operations: PhantomData<fn(T)>,
}

impl<T: AnonFile> NewAnonFile<T> {
    /// Makes a file, to be read and written, that shows as `anon_inode:NAME`.
    pub(crate) fn new(name: &CStr) -> Result<Self> {
        // SAFETY: The name is copied, and the operations are static.
        let file = from_err_ptr(unsafe {
            bindings::anon_inode_getfile(
                name.as_char_ptr(),
                &Operations::<T>::TABLE,
                ptr::null_mut(),
                bindings::O_RDWR as c_int,
            )
        })?;
        let file = ptr::NonNull::new(file.cast::<File>()).ok_or(ENOMEM)?;

        // INVARIANT: The file is new.
        Ok(Self {
            // SAFETY: The function returns a file with a reference for its caller, and nobody has
            // used its position.
            file: unsafe { ARef::from_raw(file) },
            _operations: PhantomData,
        })
    }

    /// Gives the file its object, and the current task the file as the descriptor that was
    /// reserved, which is returned.
    pub(crate) fn install(self, fd: FileDescriptorReservation, object: ARef<T>) -> c_int {
        // SAFETY: By the type invariants nobody else has the file.
        unsafe { (*self.file.as_ptr()).private_data = ARef::into_raw(object).as_ptr().cast() };

        let number = fd.reserved_fd();
        fd.fd_install(self.file);
        number as c_int
    }
}

/// The operations of a file of `T`'s, as C calls them.
struct Operations<T>(PhantomData<T>);

impl<T: AnonFile> Operations<T> {
    const TABLE: bindings::file_operations = bindings::file_operations {
        poll: Some(Self::poll),
        release: Some(Self::release),
        unlocked_ioctl: Some(Self::ioctl),
        compat_ioctl: Some(Self::ioctl),
        ..pin_init::zeroed()
    };

    /// The object of a file.
    ///
    /// # Safety
    ///
    /// `file` must be one that [`NewAnonFile::install`] was called for, and have a descriptor, or
    /// be held by a system call, for `'a`.
    unsafe fn object<'a>(file: *mut bindings::file) -> &'a T {
        // SAFETY: By the safety requirements the file's private data is an `ARef` of `T`, which
        // `release()` takes, when there is neither descriptor nor system call.
        unsafe { &*(*file).private_data.cast::<T>() }
    }

    /// # Safety
    ///
    /// To be called by poll(2) and its like alone, for a file with [`Self::TABLE`].
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table_struct,
    ) -> bindings::__poll_t {
        // SAFETY: A file that is polled has been installed.
        let object = unsafe { Self::object(file) };

        // SAFETY: The file and the table are those of the call. A poller leaves the queue before
        // the file is released, so that the object, and the queue in it, are still there.
        unsafe { bindings::poll_wait(file, object.wait_queue().as_ptr(), table) };

        object.poll()
    }

    /// # Safety
    ///
    /// To be called by ioctl(2) alone, for a file with [`Self::TABLE`].
    unsafe extern "C" fn ioctl(file: *mut bindings::file, cmd: c_uint, arg: c_ulong) -> c_long {
        // SAFETY: A file whose descriptor is used has been installed.
        let object = unsafe { Self::object(file) };
        // SAFETY: ioctl(2) gets its file by `fdget()`.
        let no_fdget_pos = unsafe { NoFdgetPos::new() };

        match object.ioctl(cmd, arg, &no_fdget_pos) {
            Ok(value) => value,
            Err(error) => error.to_errno() as c_long,
        }
    }

    /// # Safety
    ///
    /// To be called when the last reference to a file with [`Self::TABLE`] is dropped.
    unsafe extern "C" fn release(_inode: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: The file is valid, and nobody else uses it any more.
        let object = unsafe { (*file).private_data }.cast::<T>();
        // A file that was never installed has none.
        if let Some(object) = ptr::NonNull::new(object) {
            // SAFETY: The private data is an `ARef` of `T`, which the file owned.
            T::release(unsafe { ARef::from_raw(object) });
        }
        0
    }
}
