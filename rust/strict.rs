// SPDX-License-Identifier: GPL-2.0

//! Strict mode: read, write, exit and return from a signal handler, and what uprobes have programs
//! call.

use kernel::ffi::c_int;

#[cfg(CONFIG_COMPAT)]
use crate::abstractions::syscall::{
    compat_mode1_syscalls,
    in_compat_syscall, //
};
use crate::{
    abstractions::{
        signal::SIGKILL,
        syscall::{
            Caller,
            MODE1_SYSCALLS, //
        }, //
    },
    action::Action,
    log::seccomp_log_kill,
    uapi::mode,
    verdict::Verdict, //
};

/// Whether strict mode allows system call `nr`.
fn allows(nr: c_int) -> bool {
    #[cfg(CONFIG_COMPAT)]
    if in_compat_syscall() {
        return compat_mode1_syscalls().any(|known| known == nr);
    }
    // An architecture that lacks one has a negative number in its place.
    nr >= 0 && MODE1_SYSCALLS.contains(&nr)
}

/// Decides in strict mode: allows the system call or does not return.
#[doc(alias = "__secure_computing_strict")]
pub(crate) fn permit(caller: Caller<'_>) -> bool {
    let nr = caller.nr();

    if allows(nr) {
        return true;
    }

    caller.set_seccomp_mode(mode::DEAD);
    let action = Action::KillThread;
    seccomp_log_kill(
        caller,
        nr,
        SIGKILL,
        action,
        Verdict::from_ret(action.code()),
    );
    caller.do_exit(SIGKILL)
}
