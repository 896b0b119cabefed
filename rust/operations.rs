// SPDX-License-Identifier: GPL-2.0

//! The operations of seccomp(2) and prctl(2).

use core::mem::size_of;

use kernel::{
    ffi::{
        c_long,
        c_ulong, //
    },
    prelude::*,
    uapi, //
};

use crate::{
    abstractions::uaccess::{
        copy_from_user,
        copy_to_user, //
    },
    action::Action,
    mode::seccomp_set_mode_strict,
    uapi::{
        SeccompData,
        SeccompNotifSizes, //
    }, //
};

/// `SECCOMP_GET_ACTION_AVAIL`: whether the kernel knows the action whose value is at `uaction`;
/// `EOPNOTSUPP` if not.
fn seccomp_get_action_avail(uaction: UserPtr) -> Result {
    let action = copy_from_user::<u32>(uaction)?;
    Action::from_code(action).map(|_| ()).ok_or(EOPNOTSUPP)
}

/// `SECCOMP_GET_NOTIF_SIZES`: writes the sizes of what listeners read and write.
fn seccomp_get_notif_sizes(usizes: UserPtr) -> Result {
    copy_to_user(
        usizes,
        &SeccompNotifSizes {
            seccomp_notif: size_of::<uapi::seccomp_notif>() as u16,
            seccomp_notif_resp: size_of::<uapi::seccomp_notif_resp>() as u16,
            seccomp_data: size_of::<SeccompData>() as u16,
        },
    )
}

/// What seccomp(2) and prctl(2) do: operation `op` with `flags` and `uargs`. Returns 0 or what the
/// operation has to say.
pub(crate) fn do_seccomp(op: u32, flags: u32, uargs: UserPtr) -> Result<c_long> {
    let no_flags = || if flags == 0 { Ok(()) } else { Err(EINVAL) };

    match op {
        uapi::SECCOMP_SET_MODE_STRICT => {
            no_flags()?;
            if !uargs.as_const_ptr().is_null() {
                return Err(EINVAL);
            }
            seccomp_set_mode_strict()?;
        }
        #[cfg(CONFIG_SECCOMP_FILTER)]
        uapi::SECCOMP_SET_MODE_FILTER => {
            return crate::attach::seccomp_set_mode_filter(flags, uargs)
        }
        uapi::SECCOMP_GET_ACTION_AVAIL => {
            no_flags()?;
            seccomp_get_action_avail(uargs)?;
        }
        uapi::SECCOMP_GET_NOTIF_SIZES => {
            no_flags()?;
            seccomp_get_notif_sizes(uargs)?;
        }
        _ => return Err(EINVAL),
    }
    Ok(0)
}

/// `PR_SET_SECCOMP`: puts the calling task into `mode`, that of filters with the one at `filter`.
pub(crate) fn prctl_set_seccomp(mode: c_ulong, filter: UserPtr) -> Result<c_long> {
    const STRICT: c_ulong = uapi::SECCOMP_MODE_STRICT as c_ulong;
    const FILTER: c_ulong = uapi::SECCOMP_MODE_FILTER as c_ulong;

    match mode {
        // Strict mode has ignored the argument from the beginning.
        STRICT => do_seccomp(uapi::SECCOMP_SET_MODE_STRICT, 0, UserPtr::from_addr(0)),
        FILTER => do_seccomp(uapi::SECCOMP_SET_MODE_FILTER, 0, filter),
        _ => Err(EINVAL),
    }
}
