// SPDX-License-Identifier: GPL-2.0

//! Random numbers.
//!
//! C header: [`include/linux/random.h`](srctree/include/linux/random.h)

use kernel::bindings;

/// A number that nobody can foresee.
pub(crate) fn get_random_u64() -> u64 {
    // SAFETY: The function can be called in any context.
    unsafe { bindings::get_random_u64() }
}
