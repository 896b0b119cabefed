// SPDX-License-Identifier: GPL-2.0

//! Tables of sysctls.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use core::{
    marker::PhantomData,
    ptr, //
};

use kernel::{
    bindings,
    error::to_result,
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*, //
};

/// A table of sysctls, in the shape that C reads.
///
/// # Examples
///
/// ```ignore
/// static TABLE: Table<2> = Table::new([
///     Row::text(c_str!("known"), b"red green\0"),
///     Row::handled::<Chosen>(c_str!("chosen"), 0o644),
/// ]);
///
/// TABLE.register(c_str!("kernel/colours"), c_str!("colours"));
/// ```
#[repr(transparent)]
pub(crate) struct Table<const N: usize>([bindings::ctl_table; N]);

// SAFETY: Nothing writes to a table or, through it, to what it points to: a text is read-only by
// its mode, and a sysctl with a handler has no data of its own.
unsafe impl<const N: usize> Sync for Table<N> {}

/// One row of a [`Table`].
pub(crate) struct Row(bindings::ctl_table);

impl Row {
    /// A text that can be read by everybody, and by nobody written. It must end with a NUL.
    pub(crate) const fn text<const LEN: usize>(
        name: &'static CStr,
        text: &'static [u8; LEN],
    ) -> Self {
        // `proc_dostring()` looks for the end of what is there before it looks at `maxlen`.
        assert!(LEN > 0 && text[LEN - 1] == 0);
        Self(bindings::ctl_table {
            procname: name.as_ptr().cast(),
            data: ptr::from_ref(text).cast_mut().cast(),
            maxlen: LEN as c_int,
            mode: 0o444,
            proc_handler: Some(bindings::proc_dostring),
            ..pin_init::zeroed()
        })
    }

    /// A sysctl that `H` reads and writes, with the permissions `mode`.
    pub(crate) const fn handled<H: Handler>(name: &'static CStr, mode: u16) -> Self {
        Self(bindings::ctl_table {
            procname: name.as_ptr().cast(),
            mode,
            proc_handler: Some(proc_handler::<H>),
            ..pin_init::zeroed()
        })
    }
}

impl<const N: usize> Table<N> {
    /// A table of `rows`.
    pub(crate) const fn new(rows: [Row; N]) -> Self {
        let mut table = [rows[0].0; N];
        let mut i = 1;
        while i < N {
            table[i] = rows[i].0;
            i += 1;
        }
        Self(table)
    }

    /// Makes the table the directory `path` below `/proc/sys`, for good. A table that cannot be
    /// registered is said in the log and not there, as in C.
    pub(crate) fn register(&'static self, path: &'static CStr, name: &'static CStr) {
        // SAFETY: The table, its names and its handlers are static, as C requires of a table that
        // is never unregistered.
        unsafe {
            bindings::__register_sysctl_init(
                path.as_char_ptr(),
                self.0.as_ptr(),
                name.as_char_ptr(),
                N,
            )
        };
    }
}

/// What reads and writes a sysctl.
pub(crate) trait Handler {
    /// Does what `access` is for.
    fn handle(access: Access<'_>) -> Result;
}

/// One read or write of a sysctl file.
///
/// # Invariants
///
/// The pointers are the arguments of a `proc_handler`, for the access that is going on.
pub(crate) struct Access<'a> {
    table: *const bindings::ctl_table,
    write: bool,
    buffer: *mut c_void,
    len: *mut usize,
    pos: *mut bindings::loff_t,
    _access: PhantomData<&'a ()>,
}

impl Access<'_> {
    /// Whether it is a write.
    pub(crate) fn is_write(&self) -> bool {
        self.write
    }

    /// Has user space read `text`, up to its NUL, or write it, as `proc_dostring()` does: offset
    /// and length are what user space asked for, and what is too long is cut off. Fails with
    /// `EINVAL` for a `text` that does not end with a NUL.
    pub(crate) fn proc_dostring(&mut self, text: &mut [u8]) -> Result {
        if text.last() != Some(&0) {
            return Err(EINVAL);
        }
        // SAFETY: By the type invariants `table` is that of the file, which is static.
        let mut table = unsafe { *self.table };
        table.data = text.as_mut_ptr().cast();
        table.maxlen = text.len().try_into()?;

        // SAFETY: The function reads the bytes at `data` up to a NUL, which `text` ends with, and
        // reads or writes at most `maxlen` of them, which are all of `text`. The other arguments are
        // those that the caller of the handler made for it.
        to_result(unsafe {
            bindings::proc_dostring(&table, self.write.into(), self.buffer, self.len, self.pos)
        })
    }
}

/// Has `H` read or write a sysctl.
///
/// # Safety
///
/// To be called by procfs, as the `proc_handler` of a table.
unsafe extern "C" fn proc_handler<H: Handler>(
    table: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    len: *mut usize,
    pos: *mut bindings::loff_t,
) -> c_int {
    // INVARIANT: By the safety requirements.
    let access = Access {
        table,
        write: write != 0,
        buffer,
        len,
        pos,
        _access: PhantomData,
    };

    match H::handle(access) {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}
