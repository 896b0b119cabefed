// SPDX-License-Identifier: GPL-2.0-only

//! The formats that profiles are kept in.

mod c;
mod expression;
mod json;
mod lower;
mod minijail;
mod oci;
mod place;
mod plain;
mod seccompiler;
mod systemd;

pub use oci::startup as oci_startup;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::condition::When;
use crate::error::{Error, Result};
use crate::machine::Machine;
use crate::profile::Profile;
use crate::syscalls::{add, is_known, Arch, Seen};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One name a line, sorted.
    Plain,
    /// This tool's own JSON: all that is known.
    Json,
    /// The OCI runtime specification's JSON.
    Oci,
    /// A systemd drop-in.
    Systemd,
    /// A minijail policy.
    Minijail,
    /// seccompiler's JSON.
    Seccompiler,
    /// C source that uses libseccomp; it is written only.
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

/// A profile as it was read, and what of the text it does not have.
#[derive(Debug, Default)]
pub struct Understood {
    /// The profile.
    pub profile: Profile,
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
    /// Leave out entries that are allowed only with certain arguments.
    pub ignore_conditional: bool,
    /// The machine that the profile is read for, where it has rules for some.
    pub machine: Machine,
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

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "list" => return Ok(Self::Plain),
            "libseccomp" => return Ok(Self::C),
            _ => {}
        }
        let named = Self::ALL.into_iter().find(|format| format.name() == text);
        named.ok_or_else(|| format!("unknown format {text:?}"))
    }
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Plain,
        Self::Json,
        Self::Oci,
        Self::Systemd,
        Self::Minijail,
        Self::Seccompiler,
        Self::C,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Json => "json",
            Self::Oci => "oci",
            Self::Systemd => "systemd",
            Self::Minijail => "minijail",
            Self::Seccompiler => "seccompiler",
            Self::C => "c",
        }
    }

    /// Writes a profile.
    ///
    /// # Errors
    ///
    /// Fails if the format holds one architecture's calls and the profile has
    /// more, or if it is for libseccomp and they are of both byte orders.
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
            return Err(Error::Unfit(format!(
                "this format holds names only, and none of the {} calls has one",
                profile.calls.len()
            )));
        }
        if self == Self::Json {
            return Ok(json::write(profile));
        }
        // In the others it is a comment, which is one line.
        let mut profile = profile.clone();
        if let Some(why) = &mut profile.incomplete {
            *why = why.replace(char::is_control, " ");
        }
        let profile = &profile;
        match self {
            Self::Plain | Self::Json => Ok(plain::write(profile)),
            Self::Oci => oci::write(profile),
            Self::Systemd => Ok(systemd::write(profile)),
            Self::Minijail => minijail::write(profile),
            Self::Seccompiler => seccompiler::write(profile),
            Self::C => c::write(profile),
        }
    }

    /// Reads a profile of this format.
    ///
    /// # Errors
    ///
    /// [`Syntax`], with the place, for what cannot be understood.
    pub fn read(self, text: &str, how: &Reading) -> Result<Understood> {
        let mut warnings = Vec::new();
        let profile = match self {
            Self::Plain => plain::read(text, how)?,
            Self::Json => json::read(text, how)?,
            Self::Oci => oci::read(text, how, &mut warnings)?,
            Self::Systemd => systemd::read(text, how, &mut warnings)?,
            Self::Minijail => minijail::read(text, how)?,
            Self::Seccompiler => seccompiler::read(text, how, &mut warnings)?,
            Self::C => {
                return Err(Error::Unfit(
                    "C source is written only, it cannot be read back".to_owned(),
                ))
            }
        };
        Ok(Understood { profile, warnings })
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
        let policy = |line: &str| {
            let statement = line.split('#').next().unwrap_or_default();
            line.starts_with('@') || statement.contains(": ")
        };
        if lines().any(policy) {
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
            Err(Error::Unfit(format!(
                "the profile has calls of {}, and {format} holds those of one; choose with --arch",
                names.join(" and ")
            )))
        }
    }
}

/// The architectures of a profile as libseccomp is told of them: it takes no
/// filter for machines of both byte orders.
fn libseccomp_archs(profile: &Profile) -> Result<BTreeSet<Arch>> {
    let mut archs = profile.archs();
    if archs.is_empty() {
        archs.insert(Arch::NATIVE);
    }
    let named = || archs.iter().filter(|arch| arch.scmp_name().is_some());
    let big: Vec<String> = named()
        .filter(|arch| !arch.is_little_endian())
        .map(Arch::to_string)
        .collect();
    if big.is_empty() || big.len() == named().count() {
        return Ok(archs);
    }
    Err(Error::Unfit(format!(
        "libseccomp takes no filter for machines of both byte orders, and {} is of another than the rest; \
         write one for each with --only-arch",
        big.join(" and ")
    )))
}

/// What is said where a format has no arguments: the calls that it would let
/// through in any case.
fn no_conditions(profile: &Profile, format: &str) -> Vec<String> {
    let calls: Vec<String> = profile
        .calls
        .iter()
        .filter(|(_, seen)| !seen.when.is_always())
        .map(|(call, _)| call.to_string())
        .collect();
    match calls.len() {
        0 => Vec::new(),
        _ => vec![format!(
            "{format} has no conditions on arguments: {} would be allowed with any",
            calls.join(" ")
        )],
    }
}

/// The names of a profile's calls, sorted.
#[derive(Default)]
struct Names {
    /// The conditions of those that have any.
    when: BTreeMap<String, When>,
    /// Those that were seen.
    seen: Vec<String>,
    /// Those that were not, by the reason for which they are there.
    implied: BTreeMap<String, Vec<String>>,
}

impl Names {
    /// All of them, sorted.
    fn all(&self) -> Vec<String> {
        let mut all = self.seen.clone();
        all.extend(self.implied.values().flatten().cloned());
        all.sort();
        all
    }

    /// The implied ones as comments.
    fn comments(&self) -> String {
        self.implied
            .iter()
            .map(|(reason, names)| format!("{IMPLIED}{}: {reason}\n", names.join(" ")))
            .collect()
    }
}

/// How a comment about implied names begins.
const IMPLIED: &str = "# implied: ";

/// The names and the reason of such a comment.
fn implied_comment(line: &str) -> Option<(Vec<&str>, &str)> {
    let (names, reason) = line.strip_prefix(IMPLIED)?.split_once(": ")?;
    Some((names.split(' ').collect(), reason))
}

/// The names of the calls, and a warning for those that have none.
fn split(profile: &Profile, format: &str, warnings: &mut Vec<String>) -> Names {
    let mut names = Names::default();
    let mut seen_names = BTreeSet::new();
    for (call, seen) in &profile.calls {
        match call.name() {
            Some(name) if seen.implied.is_none() => {
                seen_names.insert(name);
            }
            Some(_) => {}
            None => warnings.push(format!(
                "{format} holds names only: {} call {} is left out",
                call.arch(),
                call.nr as i32
            )),
        }
    }
    for (call, seen) in &profile.calls {
        let (Some(name), Some(reason)) = (call.name(), &seen.implied) else {
            continue;
        };
        // One list of names for several architectures has it already.
        let there = names.implied.values().flatten().any(|other| *other == name);
        if !there && !seen_names.contains(&name) {
            // A reason is one line.
            let reason = reason.replace(char::is_control, " ");
            names.implied.entry(reason).or_default().push(name);
        }
    }
    // One name is one rule: what it allows on any architecture.
    let mut rules: BTreeMap<String, When> = BTreeMap::new();
    for (call, seen) in &profile.calls {
        if let Some(name) = call.name() {
            let when = rules.entry(name).or_insert_with(|| When::any([]));
            when.or(seen.when.clone());
        }
    }
    rules.retain(|_, when| !when.is_always());
    names.when = rules;
    names.implied.values_mut().for_each(|names| names.sort());
    names.seen = seen_names.into_iter().collect();
    names
}

/// Gives the reasons of such comments back to the names that the profile allows.
fn restore(profile: &mut Profile, archs: &[Arch], comments: &[(Vec<&str>, &str)]) {
    for (names, reason) in comments {
        for call in names
            .iter()
            .flat_map(|name| archs.iter().filter_map(|arch| arch.call(name)))
        {
            if let Some(seen) = profile.calls.get_mut(&call) {
                seen.implied = Some((*reason).to_owned());
            }
        }
    }
}

/// Adds a name to a profile, on each of the architectures that has it, in these
/// cases.
fn allow(profile: &mut Profile, archs: &[Arch], name: &str, allowed: &Allowed<'_>) {
    for arch in archs {
        if let Some(call) = arch.call(name) {
            let seen = Seen {
                implied: allowed.implied.map(str::to_owned),
                when: allowed.when.clone(),
                ..Seen::default()
            };
            add(&mut profile.calls, call, seen);
        }
    }
}

/// What a file says of a name that it allows.
#[derive(Default)]
struct Allowed<'a> {
    /// In which cases.
    when: When,
    /// Why, if nobody has seen it.
    implied: Option<&'a str>,
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

/// The cases of a condition as libseccomp takes them, those that it cannot hold
/// left out.
#[cfg(test)]
pub(crate) fn for_libseccomp(when: &When) -> Vec<Vec<crate::condition::Test>> {
    lower::libseccomp(when).cases
}

/// The names that are answered with ENOSYS. One list of names is for all
/// architectures of `profile`, so what one of them allows is answered so on none,
/// which is said.
fn absent(profile: &Profile, format: &str, warnings: &mut Vec<String>) -> BTreeSet<String> {
    let allowed: BTreeSet<String> = profile
        .calls
        .keys()
        .filter_map(|call| call.name())
        .collect();
    let calls = profile.absent.calls.iter();
    let calls = calls.filter(|call| !profile.calls.contains_key(call));
    let names = calls.filter_map(|call| call.name());
    let (lost, kept): (BTreeSet<String>, BTreeSet<String>) =
        names.partition(|name| allowed.contains(name));
    if !lost.is_empty() {
        let lost: Vec<String> = lost.into_iter().collect();
        warnings.push(format!(
            "{format} has one list of names for several architectures: {} would be answered with ENOSYS on one, and is \
             allowed on all",
            lost.join(" ")
        ));
    }
    kept
}

/// What is said where a format has no numbers that have no name yet.
fn no_newer(profile: &Profile, format: &str, instead: &str) -> Option<String> {
    (!profile.absent.newer.is_empty()).then(|| {
        format!("{format} cannot answer calls that it has no name for with ENOSYS{instead}")
    })
}

/// Has a name answered with ENOSYS, where it is not allowed.
fn refuse_as_absent(profile: &mut Profile, archs: &[Arch], name: &str) {
    let calls = archs.iter().filter_map(|arch| arch.call(name));
    profile.absent.calls.extend(calls);
}

/// What was answered with ENOSYS before it was allowed is allowed.
fn settle(profile: &mut Profile) {
    let Profile { absent, calls, .. } = profile;
    absent.calls.retain(|call| !calls.contains_key(call));
}

/// What is said of a condition that could be put only in part.
fn left_out(name: &str, format: &str, cases: usize) -> Option<String> {
    (cases > 0).then(|| {
        format!("{format} cannot hold {cases} cases of {name}'s condition, which are left out")
    })
}

/// What is said of a call of which no case is left.
fn never(name: &str) -> String {
    format!("no arguments would be left for {name}: it is left out")
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

/// Whether a name may stand in a profile.
fn check_name(name: &str, how: &Reading) -> std::result::Result<(), String> {
    unknown(name, how).map_or(Ok(()), Err)
}

fn pretty(value: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
