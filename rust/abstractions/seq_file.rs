// SPDX-License-Identifier: GPL-2.0

//! The file behind a seq file, an extension of [`kernel::seq_file`].
//!
//! C header: [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use core::ptr;

use kernel::{
    bindings,
    fs::LocalFile,
    seq_file::SeqFile, //
};

/// The file that `m` is the contents of.
pub(crate) fn file_of(m: &SeqFile) -> &LocalFile {
    // CAST: `SeqFile` is a transparent wrapper of the C structure.
    let m = ptr::from_ref(m).cast::<bindings::seq_file>();

    // SAFETY: `m` is valid by its type, and a seq file has a file, which outlives it. A reader that
    // has not taken the lock of its position is this very thread.
    unsafe { LocalFile::from_raw_file((*m).file) }
}
