// SPDX-License-Identifier: GPL-2.0

//! Warnings that are printed once, an extension of [`kernel::bug`].
//!
//! C header: [`include/asm-generic/bug.h`](srctree/include/asm-generic/bug.h)

use kernel::bindings;

/// Reports a warning the first time that `cond` is true here, and evaluates to `cond`.
///
/// The equivalent of C's `WARN_ON_ONCE()`. Each use of the macro is a site of its own, so that one
/// warning does not silence another.
///
/// # Examples
///
/// ```ignore
/// if warn_on_once!(arch != NATIVE.arch) {
///     return Err(EINVAL);
/// }
/// ```
macro_rules! warn_on_once {
    ($cond:expr) => {{
        static WARNED: ::kernel::sync::atomic::Atomic<bool> =
            ::kernel::sync::atomic::Atomic::new(false);

        let cond: bool = $cond;
        if cond && !WARNED.load(::kernel::sync::atomic::Relaxed) {
            WARNED.store(true, ::kernel::sync::atomic::Relaxed);
            ::kernel::warn_on!(true);
        }
        cond
    }};
}
pub(crate) use warn_on_once;

/// Stops the task, and the machine where so configured: the state is one that must not be.
///
/// The equivalent of C's `BUG()`.
#[cold]
pub(crate) fn bug() -> ! {
    // SAFETY: `BUG()` can be called anywhere.
    unsafe { bindings::BUG() }
}
