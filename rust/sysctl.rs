// SPDX-License-Identifier: GPL-2.0

//! `/proc/sys/kernel/seccomp/`: `actions_avail` and `actions_logged`.
//!
//! C header: [`include/linux/sysctl.h`](srctree/include/linux/sysctl.h)

use core::ptr;

use kernel::{
    bindings,
    error::to_result,
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*, //
};

use crate::{
    action_set::{
        ActionSet,
        AVAIL,
        TEXT_SIZE, //
    },
    log, //
};

/// The sysctl table, in the shape that C reads.
#[repr(transparent)]
struct Table([bindings::ctl_table; 2]);

// SAFETY: Nothing writes to the table or, through it, to what it points to: `actions_avail` is
// read-only by its mode, and `actions_logged` has no data of its own.
unsafe impl Sync for Table {}

static TABLE: Table = Table([
    bindings::ctl_table {
        procname: c"actions_avail".as_ptr().cast(),
        data: (&raw const AVAIL).cast_mut().cast(),
        maxlen: TEXT_SIZE as c_int,
        mode: 0o444,
        proc_handler: Some(bindings::proc_dostring),
        ..pin_init::zeroed()
    },
    bindings::ctl_table {
        procname: c"actions_logged".as_ptr().cast(),
        mode: 0o644,
        proc_handler: Some(actions_logged_handler),
        ..pin_init::zeroed()
    },
]);

/// Registers the sysctls, for good. An initcall of `kernel/seccomp.c`.
///
/// # Safety
///
/// Must be called once, while the kernel starts.
#[export]
#[link_section = ".init.text"]
pub(crate) unsafe extern "C" fn seccomp_sysctl_init() -> c_int {
    // SAFETY: The table, its names and its handlers are static, as C requires of a table that is
    // never unregistered. It is not too late for it by the safety requirements.
    unsafe {
        bindings::__register_sysctl_init(
            c"kernel/seccomp".as_ptr().cast(),
            TABLE.0.as_ptr(),
            c"seccomp_sysctl_table".as_ptr().cast(),
            TABLE.0.len(),
        )
    };

    0
}

/// One read or write of a sysctl file: the arguments of a `proc_handler`.
struct Access {
    table: *const bindings::ctl_table,
    buffer: *mut c_void,
    len: *mut usize,
    pos: *mut bindings::loff_t,
}

impl Access {
    /// Reads or writes `text` in the way of `proc_dostring()`, offset and length as user space
    /// asked for.
    #[inline(never)]
    fn transfer(&self, write: bool, text: &mut [u8; TEXT_SIZE]) -> Result {
        // SAFETY: `table` is the one that was registered.
        let mut table = unsafe { *self.table };
        table.data = ptr::from_mut(text).cast();
        table.maxlen = TEXT_SIZE as c_int;

        // SAFETY: The function reads or writes at most `maxlen` bytes at `data`, which `text` has.
        // The other arguments are those that the caller of the handler made for it.
        to_result(unsafe {
            bindings::proc_dostring(&table, write.into(), self.buffer, self.len, self.pos)
        })
    }

    /// Reads the names of the actions that are logged.
    fn read(&self) -> Result {
        let mut text = log::actions_logged().text(b' ');
        self.transfer(false, &mut text)
    }

    /// Writes the names of the actions that are logged; returns what is logged from now on.
    fn write(&self) -> Result<ActionSet> {
        // The mode of the file says root, which in a user namespace is not enough.
        // SAFETY: The function looks at the credentials of the current task.
        if !unsafe { bindings::capable(bindings::CAP_SYS_ADMIN as c_int) } {
            return Err(EPERM);
        }

        let mut text = [0; TEXT_SIZE];
        self.transfer(true, &mut text)?;
        let set = ActionSet::parse_loggable(&text).ok_or(EINVAL)?;
        log::set_actions_logged(set);
        Ok(set)
    }
}

/// Writes an audit record of an attempt to change `actions_logged`.
///
/// `new` is `None` where it failed; the names that were asked for are then not in the record.
fn audit_change(new: Option<ActionSet>, old: ActionSet) {
    // SAFETY: The function reads a variable.
    if !unsafe { bindings::audit_is_enabled() } {
        return;
    }

    let new_text = new.unwrap_or(ActionSet::EMPTY).text(b',');
    let old_text = old.text(b',');
    let new_names = match new {
        Some(set) => audit_names(set, &new_text),
        None => c"?".as_ptr().cast(),
    };

    // SAFETY: Both are strings with a NUL at their end, which outlive the call.
    unsafe {
        bindings::audit_seccomp_actions_logged(
            new_names,
            audit_names(old, &old_text),
            new.is_some().into(),
        )
    };
}

/// The names of `set` as the audit record has them, `text` being their text.
fn audit_names(set: ActionSet, text: &[u8; TEXT_SIZE]) -> *const kernel::ffi::c_char {
    if set.is_empty() {
        c"(none)".as_ptr().cast()
    } else {
        text.as_ptr().cast()
    }
}

/// Reads or writes `actions_logged`.
///
/// # Safety
///
/// The arguments must be those of a `proc_handler` of [`TABLE`]'s, called by procfs.
unsafe extern "C" fn actions_logged_handler(
    table: *const bindings::ctl_table,
    write: c_int,
    buffer: *mut c_void,
    len: *mut usize,
    pos: *mut bindings::loff_t,
) -> c_int {
    let access = Access {
        table,
        buffer,
        len,
        pos,
    };

    let result = if write != 0 {
        let old = log::actions_logged();
        let result = access.write();
        audit_change(result.as_ref().ok().copied(), old);
        result.map(|_| ())
    } else {
        access.read()
    };

    match result {
        Ok(()) => 0,
        Err(error) => error.to_errno(),
    }
}
