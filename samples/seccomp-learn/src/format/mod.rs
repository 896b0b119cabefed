// SPDX-License-Identifier: GPL-2.0

//! The formats that profiles are kept in.

mod c;
mod json;
mod minijail;
mod oci;
mod plain;
mod seccompiler;
mod systemd;

pub use oci::startup as oci_startup;

use std::fmt;

use anyhow::{bail, Result};
use serde::Deserialize;

use crate::profile::Profile;
use crate::syscalls::{is_known, Arch, Call};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One name a line, sorted
    #[value(alias = "list")]
    Plain,
    /// This tool's own JSON: names, numbers, counts, first callers
    Json,
    /// OCI runtime-spec JSON: runc, crun, podman, Docker, Kubernetes
    Oci,
    /// A systemd drop-in
    Systemd,
    /// A minijail policy
    Minijail,
    /// seccompiler's JSON, as Firecracker takes it
    Seccompiler,
    /// C source that uses libseccomp (written only)
    #[value(alias = "libseccomp")]
    C,
}

/// A profile as text, and what of it the format could not hold.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// What to tell the user.
    pub warnings: Vec<String>,
}

/// How to read a profile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Whose numbers the names stand for, in a format that does not say.
    pub arch: Option<Arch>,
    /// Leave out names that no table has.
    pub ignore_unknown: bool,
    /// Leave out entries that are allowed only with certain arguments or
    /// capabilities.
    pub ignore_conditional: bool,
}

/// Something in a profile that cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for Syntax {}

impl From<serde_json::Error> for Syntax {
    fn from(e: serde_json::Error) -> Self {
        let message = e.to_string();
        let place = format!(" at line {} column {}", e.line(), e.column());
        Self {
            line: e.line(),
            column: e.column().max(1),
            message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        }
    }
}

impl Format {
    /// Writes a profile.
    ///
    /// # Errors
    ///
    /// Fails if the format holds one architecture's calls and the profile has
    /// more.
    pub fn write(self, profile: &Profile) -> Result<Rendered> {
        // An empty list is right for an empty profile only.
        let names_only = matches!(
            self,
            Self::Oci | Self::Systemd | Self::Minijail | Self::Seccompiler
        );
        if names_only
            && !profile.calls.is_empty()
            && profile.calls.keys().all(|c| c.name().is_none())
        {
            bail!(
                "this format holds names only, and none of the {} calls has one",
                profile.calls.len()
            );
        }
        match self {
            Self::Plain => Ok(plain::write(profile)),
            Self::Json => Ok(json::write(profile)),
            Self::Oci => Ok(oci::write(profile)),
            Self::Systemd => Ok(systemd::write(profile)),
            Self::Minijail => minijail::write(profile),
            Self::Seccompiler => seccompiler::write(profile),
            Self::C => Ok(c::write(profile)),
        }
    }

    /// Reads a profile of this format.
    ///
    /// # Errors
    ///
    /// [`Syntax`], with the place, for what cannot be understood.
    pub fn read(self, text: &str, how: &Reading) -> Result<Profile> {
        Ok(match self {
            Self::Plain => plain::read(text, how)?,
            Self::Json => json::read(text)?,
            Self::Oci => oci::read(text, how)?,
            Self::Systemd => systemd::read(text, how)?,
            Self::Minijail => minijail::read(text, how)?,
            Self::Seccompiler => seccompiler::read(text, how)?,
            Self::C => bail!("C source is written only, it cannot be read back"),
        })
    }

    /// The format that a text looks like.
    pub fn guess(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Keys {
            format: Option<serde::de::IgnoredAny>,
            calls: Option<serde::de::IgnoredAny>,
            #[serde(rename = "defaultAction")]
            default_action: Option<serde::de::IgnoredAny>,
            syscalls: Option<serde::de::IgnoredAny>,
            linux: Option<serde::de::IgnoredAny>,
        }
        let lines = || {
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
        };
        if text.trim_start().starts_with('{') {
            return match serde_json::from_str::<Keys>(text) {
                Ok(keys) if keys.format.is_some() && keys.calls.is_some() => Self::Json,
                Ok(keys)
                    if keys.default_action.is_some()
                        || keys.syscalls.is_some()
                        || keys.linux.is_some() =>
                {
                    Self::Oci
                }
                Ok(_) => Self::Seccompiler,
                // What is no JSON at all is said in the same way by each.
                Err(_) => Self::Oci,
            };
        }
        if text.contains("#include") || text.trim_start().starts_with("/*") {
            return Self::C;
        }
        if lines().any(|line| line.starts_with('[') || line.starts_with("SystemCall")) {
            return Self::Systemd;
        }
        // minijail's "read: 1", not "i386:read".
        if lines().any(|line| line.starts_with('@') || line.contains(": ")) {
            return Self::Minijail;
        }
        Self::Plain
    }
}

/// The one architecture of a profile, for formats that hold one.
fn single_arch(profile: &Profile, format: &str) -> Result<Arch> {
    let archs = profile.archs();
    match archs.len() {
        0 => Ok(Arch::NATIVE),
        1 => Ok(*archs.first().unwrap_or(&Arch::NATIVE)),
        _ => {
            let names: Vec<String> = archs.iter().map(ToString::to_string).collect();
            bail!(
                "the profile has calls of {}, and {format} holds those of one; choose with --arch",
                names.join(" and ")
            )
        }
    }
}

/// The names of the calls, sorted, and a warning for those that have none.
fn names<'a>(
    calls: impl IntoIterator<Item = &'a Call>,
    format: &str,
    warnings: &mut Vec<String>,
) -> Vec<String> {
    let mut names = Vec::new();
    for call in calls {
        match call.name() {
            Some(name) => names.push(name),
            None => warnings.push(format!(
                "{format} holds names only: {} call {} is left out",
                call.arch(),
                call.nr as i32
            )),
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Adds a name to a profile, on each of the architectures that has it. Says
/// whether one has.
fn allow(profile: &mut Profile, archs: &[Arch], name: &str) -> bool {
    let mut any = false;
    for arch in archs {
        if let Some(call) = arch.call(name) {
            profile.allow(call);
            any = true;
        }
    }
    any
}

/// Whether a name that no architecture in question has is an error.
fn unknown(name: &str, how: &Reading) -> Option<String> {
    if is_known(name) {
        // A list for several architectures has names that only some have.
        None
    } else if how.ignore_unknown {
        None
    } else {
        Some(format!(
            "unknown system call {name:?} (--ignore-unknown leaves it out)"
        ))
    }
}

/// Lines with their numbers from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line))
}

/// The column, from 1, of a part of a line.
fn column(line: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize) + 1
}

/// The number of an error by its name, as EPERM.
fn errno_by_name(name: &str) -> Option<u16> {
    (1..=133)
        .find(|&n| format!("{:?}", nix::errno::Errno::from_raw(n)) == name)
        .map(|n| n as u16)
}

/// The name of an error by its number.
fn errno_name(errno: u16) -> String {
    match nix::errno::Errno::from_raw(errno.into()) {
        nix::errno::Errno::UnknownErrno => errno.to_string(),
        known => format!("{known:?}"),
    }
}

/// Bits of the JSON formats: a name that is checked where it stands, so that
/// the error has its place.
mod strict {
    use serde::de::{Deserialize, Deserializer, Error};

    use crate::syscalls::is_known;

    /// The name of a call that some table has.
    pub struct Name(pub String);

    impl<'de> Deserialize<'de> for Name {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let name = String::deserialize(deserializer)?;
            if is_known(&name) {
                Ok(Self(name))
            } else {
                Err(D::Error::custom(format!(
                    "unknown system call {name:?} (--ignore-unknown leaves it out)"
                )))
            }
        }
    }

    impl From<Name> for String {
        fn from(name: Name) -> Self {
            name.0
        }
    }

    /// Something that makes an entry conditional, and must not be there.
    pub struct Nothing;

    impl<'de> Deserialize<'de> for Nothing {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            if super::Something::deserialize(deserializer)?.0 {
                Err(D::Error::custom(
                    "entries with conditions cannot be kept (--ignore-conditional leaves them out)",
                ))
            } else {
                Ok(Self)
            }
        }
    }

    impl From<Nothing> for bool {
        fn from(_: Nothing) -> Self {
            false
        }
    }
}

/// Whether a JSON value holds anything: not null, not an empty list or object.
struct Something(bool);

impl<'de> Deserialize<'de> for Something {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde_json::Value;
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Null => false,
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => map.values().any(|value| match value {
                Value::Null => false,
                Value::Array(list) => !list.is_empty(),
                _ => true,
            }),
            _ => true,
        }))
    }
}

impl From<Something> for bool {
    fn from(something: Something) -> Self {
        something.0
    }
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
