// SPDX-License-Identifier: GPL-2.0

//! `/proc/sys/kernel/seccomp/`: `actions_avail` and `actions_logged`.

use kernel::{
    prelude::*,
    str::CStr, //
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

static TABLE: Table<2> = Table::new([
    Row::text(c"actions_avail", &AVAIL),
    Row::handled::<ActionsLogged>(c"actions_logged", 0o644),
]);

/// Registers the sysctls, for good.
pub(crate) fn seccomp_sysctl_init() {
    TABLE.register(c"kernel/seccomp", c"seccomp_sysctl_table");
}

/// `actions_logged`: the names of the actions that are logged, to be read and written.
struct ActionsLogged;

impl Handler for ActionsLogged {
    #[doc(alias = "seccomp_actions_logged_handler")]
    fn handle(mut access: Access<'_>) -> Result {
        if !access.is_write() {
            return access.proc_dostring(&mut log::actions_logged().text(b' '));
        }
        let old = log::actions_logged();
        let result = write_actions_logged(&mut access);
        audit_actions_logged(result.as_ref().ok().copied(), old);
        result.map(|_| ())
    }
}

/// Reads the names that are written, and has those actions logged from now on.
fn write_actions_logged(access: &mut Access<'_>) -> Result<ActionSet> {
    // The mode of the file says root, which in a user namespace is not enough.
    if !capable(Capability::SYS_ADMIN) {
        return Err(EPERM);
    }

    let mut text = [0; TEXT_SIZE];
    access.proc_dostring(&mut text)?;
    let set = ActionSet::parse_loggable(&text).ok_or(EINVAL)?;
    log::set_actions_logged(set);
    Ok(set)
}

/// Writes an audit record of an attempt to change `actions_logged`.
///
/// `new` is `None` where it failed; the names that were asked for are then not in the record.
fn audit_actions_logged(new: Option<ActionSet>, old: ActionSet) {
    if !audit_enabled() {
        return;
    }

    let new_text = new.unwrap_or(ActionSet::EMPTY).text(b',');
    let new_names = new.map_or(c"?", |set| audit_names(set, &new_text));
    let old_text = old.text(b',');
    audit_seccomp_actions_logged(new_names, audit_names(old, &old_text), new.is_some());
}

/// The names of `set` as the audit record has them, `text` being their text.
fn audit_names(set: ActionSet, text: &[u8; TEXT_SIZE]) -> &CStr {
    if set.is_empty() {
        return c"(none)";
    }
    CStr::from_bytes_until_nul(text).unwrap_or(c"?")
}
