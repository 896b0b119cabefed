// SPDX-License-Identifier: GPL-2.0

//! The kernel's audit settings, made fit for a run and put back after it.
//!
//! They are the machine's, so runs that overlap share them: the first one saves
//! what it found, the last one puts it back. A run that was killed leaves the
//! saved values for the next one to put back.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::action::Action;
use crate::audit::{Control, Status};

const ACTIONS_LOGGED: &str = "/proc/sys/kernel/seccomp/actions_logged";
/// Held for a moment, to enter and to leave.
const DOOR: &str = "/run/seccomp-learn.lock";
/// Held, shared, by each run.
const USERS: &str = "/run/seccomp-learn.users";
/// What the first run found.
const SAVED: &str = "/run/seccomp-learn.saved";

/// The least number of records that may wait during a run. More do not help:
/// at the limit the kernel makes a task that logs wait, and drops nothing.
const BACKLOG: u32 = 8192;

/// What is changed for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    enabled: u32,
    rate_limit: u32,
    backlog_limit: u32,
    actions_logged: String,
}

impl Found {
    fn to_text(&self) -> String {
        format!(
            "{} {} {} {}\n",
            self.enabled, self.rate_limit, self.backlog_limit, self.actions_logged
        )
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut words = text.trim_end().splitn(4, ' ');
        let mut number = || words.next()?.parse().ok();
        Some(Self {
            enabled: number()?,
            rate_limit: number()?,
            backlog_limit: number()?,
            // Nothing is logged where somebody has emptied the list.
            actions_logged: words.next().unwrap_or_default().to_owned(),
        })
    }
}

/// Settings fit for a run, for as long as this lives.
pub struct Settings {
    control: Control,
    /// What to put back where nobody else can be waited for.
    found: Found,
    users: Option<Flock<File>>,
    before: Status,
}

impl Settings {
    /// Turns audit on, takes its rate limit away, raises its backlog, and has
    /// `action` logged.
    ///
    /// # Errors
    ///
    /// Fails without CAP_AUDIT_CONTROL, or where the settings are locked and
    /// not fit.
    pub fn new(mut control: Control, action: Action, backlog: Option<u32>) -> Result<Self> {
        let door = lock(DOOR, FlockArg::LockExclusive).ok();
        let status = control.status()?;
        let logged = fs::read_to_string(ACTIONS_LOGGED)
            .with_context(|| format!("cannot read {ACTIONS_LOGGED}"))?;
        let mut settings = Self {
            control,
            found: Found {
                enabled: status.enabled,
                rate_limit: status.rate_limit,
                backlog_limit: status.backlog_limit,
                actions_logged: logged.trim_end().to_owned(),
            },
            users: None,
            before: status,
        };
        if door.is_some() {
            settings.users = settings.join()?;
        }
        settings.fit(&status, action, backlog)?;
        Ok(settings)
    }

    /// Becomes one of the users; the first one saves what there is.
    fn join(&mut self) -> Result<Option<Flock<File>>> {
        let users = match lock(USERS, FlockArg::LockExclusiveNonblock) {
            Ok(users) => {
                let left = fs::read_to_string(SAVED).ok();
                match left.as_deref().and_then(Found::from_text) {
                    Some(found) => self.found = found,
                    None => fs::write(SAVED, self.found.to_text())
                        .with_context(|| format!("cannot write {SAVED}"))?,
                }
                users.relock(FlockArg::LockShared)?;
                users
            }
            Err(Errno::EWOULDBLOCK) => {
                if let Some(found) = fs::read_to_string(SAVED)
                    .ok()
                    .as_deref()
                    .and_then(Found::from_text)
                {
                    self.found = found;
                }
                lock(USERS, FlockArg::LockShared)?
            }
            Err(e) => return Err(e).with_context(|| format!("cannot lock {USERS}")),
        };
        Ok(Some(users))
    }

    fn fit(&mut self, now: &Status, action: Action, backlog: Option<u32>) -> Result<()> {
        let fit = Status {
            // New sessions, and the marker at the end, are recorded only if
            // audit is on; seccomp's records come in either case.
            enabled: now.enabled.max(1),
            rate_limit: 0,
            // 0 means no limit.
            backlog_limit: match (backlog, now.backlog_limit) {
                (Some(wanted), _) => wanted,
                (None, 0) => 0,
                (None, limit) => limit.max(BACKLOG),
            },
            ..*now
        };
        self.control.change(now, &fit)?;
        let logged = fs::read_to_string(ACTIONS_LOGGED)?;
        let name = action.kernel_name();
        if !logged.split_whitespace().any(|word| word == name) {
            fs::write(ACTIONS_LOGGED, format!("{} {name}", logged.trim_end())).with_context(
                || format!("{ACTIONS_LOGGED} leaves out {name:?}, and cannot be changed"),
            )?;
        }
        Ok(())
    }

    /// The socket for requests.
    pub fn control(&mut self) -> &mut Control {
        &mut self.control
    }

    /// Records that may have been dropped since the run began, whoever they were
    /// of.
    ///
    /// # Errors
    ///
    /// Fails if the counter cannot be asked for.
    pub fn lost(&mut self) -> Result<u32> {
        Ok(self.control.status()?.lost_since(&self.before))
    }

    fn put_back(&mut self) -> Result<()> {
        let now = self.control.status()?;
        let found = Status {
            enabled: self.found.enabled,
            rate_limit: self.found.rate_limit,
            backlog_limit: self.found.backlog_limit,
            ..now
        };
        // actions_logged first: its change is a record too, if audit is on.
        let logged = fs::read_to_string(ACTIONS_LOGGED)?;
        if logged.trim_end() != self.found.actions_logged {
            fs::write(ACTIONS_LOGGED, format!("{}\n", self.found.actions_logged))?;
        }
        self.control.change(&now, &found)
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        let _door = lock(DOOR, FlockArg::LockExclusive).ok();
        if let Some(users) = &self.users {
            if users.relock(FlockArg::LockExclusiveNonblock).is_err() {
                return;
            }
        }
        match self.put_back() {
            Ok(()) => {
                let _ = fs::remove_file(SAVED);
            }
            Err(e) => eprintln!("seccomp-learn: cannot put audit's settings back: {e:#}"),
        }
    }
}

fn lock(path: impl AsRef<Path>, how: FlockArg) -> Result<Flock<File>, Errno> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
        .map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied => Errno::EACCES,
            _ => Errno::from_raw(e.raw_os_error().unwrap_or(libc::EIO)),
        })?;
    Flock::lock(file, how).map_err(|(_, e)| e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_survives_its_text() {
        let found = Found {
            enabled: 1,
            rate_limit: 20,
            backlog_limit: 64,
            actions_logged: "kill_process errno log".to_owned(),
        };
        assert_eq!(Found::from_text(&found.to_text()), Some(found));
        let silent = Found {
            enabled: 0,
            rate_limit: 0,
            backlog_limit: 0,
            actions_logged: String::new(),
        };
        assert_eq!(Found::from_text(&silent.to_text()), Some(silent));
        assert_eq!(Found::from_text("1 2"), None);
    }
}
