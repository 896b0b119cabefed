// SPDX-License-Identifier: GPL-2.0

//! The tracepoint `seccomp:seccomp_verdict`.
//!
//! C header: `kernel/seccomp/rust/trace.h`

#[cfg(CONFIG_TRACEPOINTS)]
use kernel::bindings;
use kernel::{
    ffi::{
        c_int,
        c_ulong, //
    },
    tracepoint::declare_trace, //
};

use super::syscall::Caller;

declare_trace! {
    /// # Safety
    ///
    /// `args` must be valid for reads of six words.
    unsafe fn seccomp_verdict(
        nr: c_int,
        arch: u32,
        action: u32,
        data: u16,
        logged: bool,
        args: *const c_ulong,
    );
}

/// Whether anybody looks at the tracepoint.
#[doc(alias = "trace_seccomp_verdict_enabled")]
#[inline(always)]
pub(crate) fn is_enabled() -> bool {
    #[cfg(CONFIG_TRACEPOINTS)]
    {
        // SAFETY: It is the key of a tracepoint that C has defined.
        unsafe {
            kernel::jump_label::static_branch_unlikely!(
                bindings::__tracepoint_seccomp_verdict,
                bindings::tracepoint,
                key
            )
        }
    }
    #[cfg(not(CONFIG_TRACEPOINTS))]
    false
}

/// Tells those who look that of system call `nr`, which `caller` is making, it was decided to do
/// `action` with `data`, and whether that was `logged`.
#[cold]
#[inline(never)]
pub(crate) fn trace_seccomp_verdict(
    caller: Caller<'_>,
    nr: c_int,
    action: u32,
    data: u16,
    logged: bool,
) {
    let args = caller.arguments();

    // SAFETY: The arguments are six words.
    unsafe { seccomp_verdict(nr, caller.arch(), action, data, logged, args.as_ptr()) };
}
