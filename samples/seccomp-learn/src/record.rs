// SPDX-License-Identifier: GPL-2.0-only

//! Reading the text of audit records.
//!
//! The kernel writes them in `audit_log_task()` and `audit_seccomp()`
//! (`kernel/auditsc.c`): `key=value` fields with one space between; a string
//! that holds a quote, a space or an unprintable byte is written in hexadecimal
//! without quotes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::bpf::{RET_ALLOW, RET_ERRNO, RET_KILL_PROCESS, RET_LOG};
use crate::syscalls::{Arch, Call};

/// The session id of a task that has none (`AUDIT_SID_UNSET`).
pub const SESSION_UNSET: u32 = u32::MAX;

/// One AUDIT_SECCOMP record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seccomp {
    /// The audit session of the task, inherited by every descendant.
    pub session: u32,
    /// The process (thread group) id, in the initial pid namespace.
    pub pid: i32,
    /// The name of the task, at most 15 bytes.
    pub comm: OsString,
    /// The executable, where the kernel could name it.
    pub exe: Option<OsString>,
    /// The AUDIT_ARCH_* value of the call.
    pub arch: u32,
    /// The system call's number; x32 calls have bit 30 set.
    pub nr: u32,
    /// The signal sent with the action, 0 if none.
    pub sig: i32,
    /// The instruction after the call.
    pub ip: u64,
    /// The action that was taken (SECCOMP_RET_*, or the raw unknown value).
    pub code: u32,
}

/// One AUDIT_LOGIN record: a task has taken a new session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login {
    /// The session that was left.
    pub old_session: u32,
    /// The session that was entered.
    pub session: u32,
}

/// One AUDIT_CONFIG_CHANGE record: a setting that matters here was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// One of audit's own.
    Number {
        /// Its name, as `audit_enabled`.
        name: String,
        /// What it is now.
        new: u32,
        /// What it was.
        old: u32,
    },
    /// The names in `actions_logged`, with spaces between.
    ActionsLogged {
        /// What they are now.
        new: String,
        /// What they were.
        old: String,
    },
}

/// The fields of a record, as written; quoted values keep their quotes.
pub fn fields(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || loop {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() {
            return None;
        }
        // An untrusted string is in quotes only if it holds no quote itself, so
        // that the next quote ends it.
        let start = rest.find(['=', ' ']).unwrap_or(rest.len());
        let end = if rest[start..].starts_with("=\"") {
            rest[start + 2..]
                .find('"')
                .map_or(rest.len(), |i| start + 2 + i + 1)
        } else {
            rest.find(' ').unwrap_or(rest.len())
        };
        let (field, tail) = rest.split_at(end);
        rest = tail;
        if let Some(pair) = field.split_once('=') {
            return Some(pair);
        }
    })
}

/// Decodes a string field: quoted, hexadecimal, or `(null)`.
///
/// Returns `None` for `(null)`. What is neither, as `ausearch -i` writes it,
/// stands for itself.
pub fn untrusted(value: &str) -> Option<OsString> {
    if let Some(inner) = value.strip_prefix('"') {
        return Some(inner.strip_suffix('"').unwrap_or(inner).into());
    }
    if value == "(null)" {
        return None;
    }
    let nibble = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
    let bytes: Option<Vec<u8>> = value
        .as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            &[high, low] => Some(nibble(high)? << 4 | nibble(low)?),
            _ => None,
        })
        .collect();
    Some(bytes.map_or_else(|| value.into(), OsString::from_vec))
}

impl Seccomp {
    /// Reads the fields of a record of type AUDIT_SECCOMP.
    ///
    /// Returns `None` if the system call, the architecture or the action is
    /// missing or is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let mut session = SESSION_UNSET;
        let mut pid = 0;
        let mut comm = OsString::new();
        let mut exe = None;
        let (mut arch, mut nr, mut code) = (None, None, None);
        let mut sig = 0;
        let mut ip = 0;
        for (key, value) in fields(text) {
            match key {
                "ses" => session = number_or_unset(value)?,
                "pid" => pid = value.parse().unwrap_or_default(),
                "comm" => comm = untrusted(value).unwrap_or_default(),
                "exe" => exe = untrusted(value),
                "sig" => sig = value.parse().unwrap_or_default(),
                "arch" => arch = Some(arch_value(value)?),
                "syscall" => nr = Some(value),
                "ip" => ip = hex(value).unwrap_or_default(),
                "code" => code = Some(code_value(value)?),
                _ => {}
            }
        }
        let arch = arch?;
        let nr = nr?;
        // The kernel prints an unsigned long as signed: -1 is a call that
        // programs do make.
        let nr = match nr.parse::<i64>() {
            Ok(number) => number as u32,
            Err(_) => Call { arch, nr: 0 }.arch().call(nr)?.nr,
        };
        Some(Self {
            session,
            pid,
            comm,
            exe,
            arch,
            nr,
            sig,
            ip,
            code: code?,
        })
    }
}

impl Login {
    /// Reads the fields of a record of type AUDIT_LOGIN that succeeded.
    pub fn parse(text: &str) -> Option<Self> {
        let mut old = None;
        let mut new = None;
        let mut ok = false;
        for (key, value) in fields(text) {
            match key {
                "old-ses" => old = value.parse().ok(),
                "ses" => new = value.parse().ok(),
                "res" => ok = value.trim_end() == "1",
                _ => {}
            }
        }
        ok.then_some(())?;
        Some(Self {
            old_session: old?,
            session: new?,
        })
    }
}

impl Change {
    /// Reads the fields of a record of type AUDIT_CONFIG_CHANGE that succeeded;
    /// `None` for a change of something else.
    pub fn parse(text: &str) -> Option<Self> {
        let names = |value: &str| value.replace(',', " ").replace("(none)", "");
        let (mut number, mut actions) = (None, None);
        let (mut old, mut old_actions) = (None, None);
        let mut ok = false;
        for (key, value) in fields(text) {
            match key {
                "old" => old = value.parse().ok(),
                "actions" => actions = Some(names(value)),
                "old-actions" => old_actions = Some(names(value)),
                "res" => ok = value.trim_end() == "1",
                _ if key.starts_with("audit_") => {
                    number = value.parse().ok().map(|new| (key.to_owned(), new));
                }
                _ => {}
            }
        }
        ok.then_some(())?;
        match number {
            Some((name, new)) => Some(Self::Number {
                name,
                new,
                old: old?,
            }),
            None => Some(Self::ActionsLogged {
                new: actions?,
                old: old_actions?,
            }),
        }
    }
}

/// `ausearch -i` writes names where the kernel writes numbers.
fn arch_value(value: &str) -> Option<u32> {
    match u32::from_str_radix(value, 16) {
        Ok(arch) => Some(arch),
        Err(_) => Some(value.parse::<Arch>().ok()?.audit()),
    }
}

fn code_value(value: &str) -> Option<u32> {
    Some(match value {
        "log" => RET_LOG,
        "allow" => RET_ALLOW,
        "errno" => RET_ERRNO,
        "kill-process" | "kill_process" => RET_KILL_PROCESS,
        _ => hex(value)? as u32,
    })
}

fn number_or_unset(value: &str) -> Option<u32> {
    match value {
        "unset" | "-1" => Some(SESSION_UNSET),
        _ => value.parse().ok(),
    }
}

fn hex(value: &str) -> Option<u64> {
    u64::from_str_radix(value.strip_prefix("0x").unwrap_or(value), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "audit(1764000000.123:45): auid=0 uid=0 gid=0 ses=7 pid=99 \
        comm=\"ls\" exe=\"/usr/bin/ls\" sig=0 arch=c000003e syscall=257 compat=0 \
        ip=0x7f00deadbeef code=0x7ffc0000";

    #[test]
    fn a_record_is_read() {
        let r = Seccomp::parse(TEXT).unwrap();
        assert_eq!((r.session, r.pid, r.nr, r.sig), (7, 99, 257, 0));
        assert_eq!((r.arch, r.code), (0xc000_003e, 0x7ffc_0000));
        assert_eq!(r.ip, 0x7f00_dead_beef);
        assert_eq!(r.comm, "ls");
        assert_eq!(r.exe.unwrap(), "/usr/bin/ls");
    }

    #[test]
    fn a_name_in_hexadecimal_is_decoded() {
        let r = Seccomp::parse(&TEXT.replace("\"ls\"", "612022732D")).unwrap();
        assert_eq!(r.comm, "a \"s-");
        let r = Seccomp::parse(&TEXT.replace("\"/usr/bin/ls\"", "(null)")).unwrap();
        assert_eq!(r.exe, None);
    }

    #[test]
    fn a_name_cannot_forge_a_field() {
        // A space makes the kernel write hexadecimal, so this text cannot come
        // from it; what is in quotes stays one value all the same.
        let r = Seccomp::parse(&TEXT.replace("\"ls\"", "\"x syscall=1 y\"")).unwrap();
        assert_eq!(r.nr, 257);
        assert_eq!(r.comm, "x syscall=1 y");
    }

    #[test]
    fn a_cut_record_is_refused() {
        assert_eq!(Seccomp::parse(TEXT.split(" syscall").next().unwrap()), None);
        assert_eq!(Seccomp::parse(""), None);
    }

    #[test]
    fn an_interpreted_record_is_read() {
        let text = "auid=root uid=root ses=unset pid=99 comm=ls exe=/usr/bin/ls sig=SIG0 \
                    arch=i386 syscall=socketcall compat=1 ip=0xf7 code=log";
        let r = Seccomp::parse(text).unwrap();
        assert_eq!((r.arch, r.nr, r.code), (0x4000_0003, 102, 0x7ffc_0000));
        assert_eq!(r.session, SESSION_UNSET);
    }

    #[test]
    fn a_login_is_read() {
        let text = "audit(1.2:3): pid=9 uid=0 old-auid=4294967295 auid=0 tty=(none) \
                    old-ses=4294967295 ses=4 res=1";
        assert_eq!(
            Login::parse(text),
            Some(Login {
                old_session: SESSION_UNSET,
                session: 4
            })
        );
        assert_eq!(Login::parse(&text.replace("res=1", "res=0")), None);
    }

    #[test]
    fn a_change_of_a_setting_is_read() {
        let text = "audit(1.2:3): op=set audit_enabled=1 old=0 auid=0 ses=3 res=1";
        let number = Change::Number {
            name: "audit_enabled".to_owned(),
            new: 1,
            old: 0,
        };
        assert_eq!(Change::parse(text), Some(number));
        assert_eq!(Change::parse(&text.replace("res=1", "res=0")), None);
        let text = "audit(1.2:3): pid=9 uid=0 auid=0 ses=3 op=seccomp-logging \
                    actions=errno,log old-actions=(none) res=1";
        let names = Change::ActionsLogged {
            new: "errno log".to_owned(),
            old: String::new(),
        };
        assert_eq!(Change::parse(text), Some(names));
        assert_eq!(
            Change::parse("audit(1.2:3): op=add_rule list=4 res=1"),
            None
        );
    }
}
