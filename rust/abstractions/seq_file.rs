// SPDX-License-Identifier: GPL-2.0

//! The file behind a seq file, an extension of [`kernel::seq_file`].
//!
//! C header: [`include/linux/seq_file.h`](srctree/include/linux/seq_file.h)

use core::ptr;

use kernel::{
    bindings,
    fs::File,
    seq_file::SeqFile, //
};

/// The file that `m` is the contents of.
pub(crate) fn file_of(m: &SeqFile) -> &File {
    // CAST: `SeqFile` is a transparent wrapper of the C structure.
    let m = ptr::from_ref(m).cast::<bindings::seq_file>();

    // SAFETY: `m` is valid by its type, and a seq file has a file, which outlives it. Whoever reads
    // from it holds the lock of its position, or is the only one who has it.
    unsafe { File::from_raw_file((*m).file) }
}
