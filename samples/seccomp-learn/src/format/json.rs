// SPDX-License-Identifier: GPL-2.0

//! This tool's own format, which holds all that a profile has.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Rendered, Syntax};
use crate::profile::Profile;
use crate::syscalls::{Arch, Call, Seen};

const FORMAT: &str = "seccomp-learn";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incomplete: Option<String>,
    calls: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(try_from = "Raw")]
struct Entry {
    arch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    nr: u32,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    selectors: BTreeSet<u32>,
}

/// An entry as it stands; the number may be left out where there is a name.
#[derive(Deserialize)]
struct Raw {
    arch: String,
    name: Option<String>,
    nr: Option<u32>,
    #[serde(default)]
    count: u64,
    first: Option<String>,
    #[serde(default)]
    selectors: BTreeSet<u32>,
}

impl TryFrom<Raw> for Entry {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let arch: Arch = raw.arch.parse()?;
        let named = match &raw.name {
            Some(name) => arch
                .call(name)
                .map(|call| call.nr)
                .or(raw.nr)
                .ok_or_else(|| format!("{arch} has no system call {name:?}"))?,
            None => raw.nr.ok_or("a call needs a name or a number")?,
        };
        if raw.nr.is_some_and(|nr| nr != named) {
            return Err(format!(
                "the number {} is not that of {:?} ({named})",
                raw.nr.unwrap_or_default(),
                raw.name.unwrap_or_default()
            ));
        }
        Ok(Self {
            arch: raw.arch,
            name: raw.name,
            nr: named,
            count: raw.count,
            first: raw.first,
            selectors: raw.selectors,
        })
    }
}

pub fn write(profile: &Profile) -> Rendered {
    let file = File {
        format: FORMAT.to_owned(),
        version: VERSION,
        action: profile.action.map(|action| action.to_string()),
        incomplete: profile.incomplete.clone(),
        calls: profile
            .calls
            .iter()
            .map(|(call, seen)| Entry {
                arch: call.arch().to_string(),
                name: call.name(),
                nr: call.nr,
                count: seen.count,
                first: seen.first.clone(),
                selectors: seen.selectors.clone(),
            })
            .collect(),
    };
    Rendered {
        text: super::pretty(&file),
        warnings: Vec::new(),
    }
}

pub fn read(text: &str) -> Result<Profile, Syntax> {
    let file: File = serde_json::from_str(text)?;
    let wrong = |message: String| Syntax {
        line: 1,
        column: 1,
        message,
    };
    if file.format != FORMAT || file.version != VERSION {
        return Err(wrong(format!(
            "this is {:?} version {}, not {FORMAT:?} version {VERSION}",
            file.format, file.version
        )));
    }
    let mut profile = Profile {
        action: file
            .action
            .map(|text| text.parse())
            .transpose()
            .map_err(wrong)?,
        incomplete: file.incomplete,
        ..Profile::default()
    };
    for entry in file.calls {
        let arch: Arch = entry.arch.parse().map_err(wrong)?;
        let call = Call {
            arch: arch.audit(),
            nr: entry.nr,
        };
        let seen = Seen {
            count: entry.count,
            first: entry.first,
            selectors: entry.selectors,
        };
        profile.calls.insert(call, seen);
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::named;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_profile_comes_back(
            mut profile in named(&Arch::NAMED),
            count in any::<u64>(),
            first in any::<Option<String>>(),
            nr in any::<u32>(),
        ) {
            profile.calls.insert(Call { arch: 0x1234, nr }, Seen { count, first, selectors: [7, 0x5401].into() });
            let text = write(&profile).text;
            prop_assert_eq!(read(&text), Ok(profile));
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let text = "{\"format\":\"seccomp-learn\",\"version\":1,\n\"calls\":[\n{\"arch\":\"x86-64\",\"name\":\"nonsense\"}]}";
        let e = read(text).unwrap_err();
        assert_eq!(e.line, 3);
        assert!(e.message.contains("nonsense"), "{e}");
        assert_eq!(read("{\n \"format\": }").unwrap_err().line, 2);
    }
}
