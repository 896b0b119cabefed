// SPDX-License-Identifier: GPL-2.0

//! `/proc/sys/kernel/seccomp/`: `actions_avail`, `actions_logged` and `actions_logged_once`.

use core::marker::PhantomData;

use kernel::{
    prelude::*,
    str::CStr, //
};

#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
use crate::{
    abstractions::audit::audit_seccomp_actions_logged_once,
    logged_once, //
};
use crate::{
    abstractions::{
        audit::{
            audit_enabled,
            audit_seccomp_actions_logged, //
        },
        capability::{
            capable,
            Capability, //
        },
        sysctl::{
            Access,
            Handler,
            Row,
            Table, //
        }, //
    },
    action_set::{
        ActionSet,
        AVAIL,
        TEXT_SIZE, //
    },
    log, //
};

static TABLE: Table<{ 2 + cfg!(CONFIG_SECCOMP_LOG_ONCE) as usize }> = Table::new([
    Row::text(c"actions_avail", &AVAIL),
    Row::handled::<Names<ActionsLogged>>(c"actions_logged", 0o644),
    #[cfg(CONFIG_SECCOMP_LOG_ONCE)]
    Row::handled::<Names<ActionsLoggedOnce>>(c"actions_logged_once", 0o644),
]);

/// Registers the sysctls, for good.
pub(crate) fn seccomp_sysctl_init() {
    TABLE.register(c"kernel/seccomp", c"seccomp_sysctl_table");
}

/// A set of actions that can be logged, which is read and written by their names.
trait Setting {
    /// The set that holds.
    fn get() -> ActionSet;

    /// Has `set` hold from now on.
    fn set(set: ActionSet);

    /// Writes an audit record of an attempt to change the set.
    fn audit(names: &CStr, old_names: &CStr, done: bool);

    /// Called when the set has been written, be it to what it was, and the record too.
    fn written() {}
}

/// `actions_logged`: what is logged.
struct ActionsLogged;

impl Setting for ActionsLogged {
    fn get() -> ActionSet {
        log::actions_logged()
    }

    fn set(set: ActionSet) {
        log::set_actions_logged(set);
    }

    fn audit(names: &CStr, old_names: &CStr, done: bool) {
        audit_seccomp_actions_logged(names, old_names, done);
    }
}

/// `actions_logged_once`: what is logged the first time only.
#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
struct ActionsLoggedOnce;

#[cfg(CONFIG_SECCOMP_LOG_ONCE)]
impl Setting for ActionsLoggedOnce {
    fn get() -> ActionSet {
        logged_once::present().set()
    }

    fn set(set: ActionSet) {
        logged_once::set_actions_logged_once(set);
    }

    fn audit(names: &CStr, old_names: &CStr, done: bool) {
        audit_seccomp_actions_logged_once(names, old_names, done);
    }

    // Last, so that who reads the log finds each call once more behind the record of the change.
    fn written() {
        logged_once::forget();
    }
}

/// The sysctl of a [`Setting`].
struct Names<S>(PhantomData<S>);

impl<S: Setting> Handler for Names<S> {
    #[doc(alias = "seccomp_actions_logged_handler")]
    fn handle(mut access: Access<'_>) -> Result {
        let old = S::get();
        if !access.is_write() {
            return access.proc_dostring(&mut old.text(b' '));
        }
        let result = write_names::<S>(&mut access);
        audit_names::<S>(result.as_ref().ok().copied(), old);
        result.map(|_| S::written())
    }
}

/// Reads the names that are written, and has the set of those actions hold from now on.
fn write_names<S: Setting>(access: &mut Access<'_>) -> Result<ActionSet> {
    // The mode of the file says root, which in a user namespace is not enough.
    if !capable(Capability::SYS_ADMIN) {
        return Err(EPERM);
    }

    let mut text = [0; TEXT_SIZE];
    access.proc_dostring(&mut text)?;
    let set = ActionSet::parse_loggable(&text).ok_or(EINVAL)?;
    S::set(set);
    Ok(set)
}

/// Writes an audit record of an attempt to change a setting.
///
/// `new` is `None` where it failed; the names that were asked for are then not in the record.
fn audit_names<S: Setting>(new: Option<ActionSet>, old: ActionSet) {
    if !audit_enabled() {
        return;
    }

    let new_text = new.unwrap_or(ActionSet::EMPTY).text(b',');
    let new_names = new.map_or(c"?", |set| audit_text(set, &new_text));
    let old_text = old.text(b',');
    S::audit(new_names, audit_text(old, &old_text), new.is_some());
}

/// The names of `set` as the audit record has them, `text` being their text.
fn audit_text(set: ActionSet, text: &[u8; TEXT_SIZE]) -> &CStr {
    if set.is_empty() {
        return c"(none)";
    }
    CStr::from_bytes_until_nul(text).unwrap_or(c"?")
}
