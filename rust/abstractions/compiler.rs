// SPDX-License-Identifier: GPL-2.0

//! What the compiler is kept from knowing.
//!
//! C header: [`include/linux/compiler.h`](srctree/include/linux/compiler.h)

use core::arch::asm;

/// `value`, which the compiler no longer knows: C's `OPTIMIZER_HIDE_VAR()`.
#[inline(always)]
pub(super) fn hide_var(mut value: usize) -> usize {
    // SAFETY: It is no instruction. The value stays as it is in its register.
    unsafe {
        asm!("/* {} */", inout(reg) value, options(pure, nomem, nostack, preserves_flags));
    }
    value
}

/// Ends a branch that is not to share code with another one: where both do the same in the end, the
/// compiler has one jump to the other.
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
#[inline(always)]
pub(crate) fn keep_apart() {
    // SAFETY: It is no instruction, and changes nothing.
    unsafe { asm!("/* kept apart */", options(nomem, nostack, preserves_flags)) };
}
