// SPDX-License-Identifier: GPL-2.0

//! Strict mode: read, write, exit and return from a signal handler, nothing else.
//!
//! C headers: [`include/asm-generic/seccomp.h`](srctree/include/asm-generic/seccomp.h),
//! [`arch/x86/include/asm/seccomp.h`](srctree/arch/x86/include/asm/seccomp.h)

use kernel::{
    bindings,
    ffi::c_int, //
};

use crate::{
    action::Action,
    log::log,
    task::Caller, //
};

/// What is allowed by the native convention. The two of uprobes are not the program's own doing.
const NATIVE: [u32; 6] = [
    bindings::__NR_seccomp_read,
    bindings::__NR_seccomp_write,
    bindings::__NR_seccomp_exit,
    bindings::__NR_seccomp_sigreturn,
    bindings::__NR_uretprobe,
    bindings::__NR_uprobe,
];

/// What is allowed by the compat convention.
#[cfg(CONFIG_COMPAT)]
const COMPAT: [u32; 4] = [
    bindings::__NR_seccomp_read_32,
    bindings::__NR_seccomp_write_32,
    bindings::__NR_seccomp_exit_32,
    bindings::__NR_seccomp_sigreturn_32,
];

/// Whether strict mode allows system call `nr`.
fn allows(caller: Caller, nr: c_int) -> bool {
    // No entry of the lists has the top bit, so that no negative number is in them.
    let nr = nr as u32;

    #[cfg(CONFIG_COMPAT)]
    if caller.in_compat_syscall() {
        return COMPAT.contains(&nr);
    }

    NATIVE.contains(&nr)
}

/// Decides in strict mode: allows the system call or does not return.
pub(crate) fn permit(caller: Caller) -> bool {
    let nr = caller.nr();

    if allows(caller, nr) {
        return true;
    }

    caller.set_dead();
    let action = Action::KillThread;
    log(caller, nr, bindings::SIGKILL, action, action.code(), true);
    caller.exit(bindings::SIGKILL)
}
