// SPDX-License-Identifier: GPL-2.0-only

//! This tool's own format, which holds all that a profile has.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::place::Text;
use super::{Reading, Rendered, Syntax};
use crate::condition::{Case, Op, Test, When, ARGS};
use crate::evidence::Evidence;
use crate::origin::Origin;
use crate::profile::{History, Profile};
use crate::syscalls::{Arch, Call, Seen};

const FORMAT: &str = "seccomp-learn";
const VERSION: u32 = 1;

#[derive(Serialize)]
struct File {
    format: &'static str,
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Passes>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<WrittenEvidence>,
    /// Calls that are answered with ENOSYS.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<String>,
    /// From which number on those of an architecture are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    absent_from: BTreeMap<String, u32>,
    calls: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Evidence", deny_unknown_fields)]
struct EvidenceFields {
    program: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    build_id: Option<String>,
    kernel: String,
    machine: String,
    tool: String,
    via: String,
    runs: u32,
    passes: u32,
    lossy: u32,
    records: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct WrittenEvidence(#[serde(with = "EvidenceFields")] Evidence);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Origin", deny_unknown_fields)]
struct OriginFields {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    exe: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    place: Option<(String, u64)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    symbol: Option<(String, u64)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    caller: Option<(String, u64)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    calling: Option<(String, u64)>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    args: Option<[u64; 6]>,
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct WrittenOrigin(#[serde(with = "OriginFields")] Origin);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Passes {
    passes: u32,
    last_new: u32,
    #[serde(default)]
    lossy: u32,
}

#[derive(Serialize)]
struct Entry {
    arch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    nr: u32,
    count: u64,
    #[serde(skip_serializing_if = "is_zero")]
    passes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<WrittenOrigin>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    values: BTreeSet<Vec<u64>>,
    #[serde(skip_serializing_if = "is_false")]
    harmless: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    implied: Option<String>,
    /// The cases in which it is allowed, if not in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Vec<Vec<Comparison>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparison {
    arg: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask: Option<u64>,
    op: String,
    value: u64,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile<'a> {
    #[serde(borrow)]
    format: &'a RawValue,
    #[serde(borrow)]
    version: &'a RawValue,
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    incomplete: Option<String>,
    history: Option<Passes>,
    #[serde(default)]
    evidence: Vec<WrittenEvidence>,
    #[serde(borrow, default)]
    absent: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    absent_from: Option<&'a RawValue>,
    #[serde(borrow)]
    calls: Vec<&'a RawValue>,
}

/// An entry as it stands; the number may be left out where there is a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry<'a> {
    #[serde(borrow)]
    arch: &'a RawValue,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    nr: Option<&'a RawValue>,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    passes: u32,
    first: Option<String>,
    origin: Option<WrittenOrigin>,
    #[serde(default)]
    values: BTreeSet<Vec<u64>>,
    #[serde(default)]
    harmless: bool,
    /// What was written before there were conditions.
    #[serde(default)]
    selectors: BTreeSet<u32>,
    implied: Option<String>,
    #[serde(borrow)]
    when: Option<Vec<Vec<&'a RawValue>>>,
}

/// The names of the comparisons.
const OPS: [(Op, &str); 6] = [
    (Op::Eq, "eq"),
    (Op::Ne, "ne"),
    (Op::Lt, "lt"),
    (Op::Le, "le"),
    (Op::Gt, "gt"),
    (Op::Ge, "ge"),
];

fn comparison(test: &Test) -> Comparison {
    Comparison {
        arg: test.arg,
        mask: (test.mask != u64::MAX).then_some(test.mask),
        op: OPS
            .iter()
            .find(|(op, _)| *op == test.op)
            .map_or("", |(_, name)| name)
            .to_owned(),
        value: test.value,
    }
}

fn written(when: &When) -> Option<Vec<Vec<Comparison>>> {
    let cases = when.cases()?.iter();
    Some(
        cases
            .map(|case| case.tests().map(comparison).collect())
            .collect(),
    )
}

fn condition<'a>(text: Text<'a>, cases: Vec<Vec<&'a RawValue>>) -> Result<When, Syntax> {
    let test = |piece: &'a RawValue| {
        let read: Comparison = text.piece(piece)?;
        let op = OPS.iter().find(|(_, name)| *name == read.op);
        match op {
            Some(&(op, _)) if read.arg < ARGS => Ok(Test {
                arg: read.arg,
                mask: read.mask.unwrap_or(u64::MAX),
                op,
                value: read.value,
            }),
            Some(_) => Err(text.wrong(piece, format!("there is no argument {}", read.arg))),
            None => Err(text.wrong(piece, format!("there is no comparison {:?}", read.op))),
        }
    };
    let cases: Result<Vec<Case>, Syntax> = cases
        .into_iter()
        .map(|tests| tests.into_iter().map(test).collect())
        .collect();
    Ok(When::any(cases?))
}

pub fn write(profile: &Profile) -> Rendered {
    let file = File {
        format: FORMAT,
        version: VERSION,
        action: profile.action.map(|action| action.to_string()),
        incomplete: profile.incomplete.clone(),
        history: profile.history.map(|history| Passes {
            passes: history.passes,
            last_new: history.last_new,
            lossy: history.lossy,
        }),
        evidence: profile
            .evidence
            .iter()
            .cloned()
            .map(WrittenEvidence)
            .collect(),
        absent: profile
            .absent
            .calls
            .iter()
            .map(|call| {
                // The architecture is always said: the file may be read elsewhere.
                format!("{}:{}", call.arch(), call.label())
            })
            .collect(),
        absent_from: profile
            .absent
            .newer
            .iter()
            .map(|(arch, &from)| (arch.to_string(), from))
            .collect(),
        calls: profile
            .calls
            .iter()
            .map(|(call, seen)| Entry {
                arch: call.arch().to_string(),
                name: call.name(),
                nr: call.nr,
                count: seen.count,
                passes: seen.passes,
                first: seen.first.clone(),
                origin: seen.origin.clone().map(WrittenOrigin),
                values: seen.values.clone(),
                harmless: seen.harmless,
                implied: seen.implied.clone(),
                when: written(&seen.when),
            })
            .collect(),
    };
    Rendered {
        text: super::pretty(&file),
        warnings: Vec::new(),
    }
}

pub fn read(text: &str, how: &Reading) -> Result<Profile, Syntax> {
    let text = Text::new(text);
    let file: RawFile<'_> = text.whole()?;
    let format: String = text.piece(file.format)?;
    if format != FORMAT {
        return Err(text.wrong(
            file.format,
            format!("the format is {format:?}, not {FORMAT:?}"),
        ));
    }
    let version: u32 = text.piece(file.version)?;
    if version != VERSION {
        return Err(text.wrong(
            file.version,
            format!("the version is {version}, not {VERSION}"),
        ));
    }
    let action = match file.action {
        Some(piece) => Some(text.check(piece, text.piece::<String>(piece)?.parse())?),
        None => None,
    };
    let mut profile = Profile {
        action,
        incomplete: file.incomplete,
        history: file.history.map(|passes| History {
            passes: passes.passes,
            last_new: passes.last_new,
            lossy: passes.lossy,
        }),
        evidence: file.evidence.into_iter().map(|written| written.0).collect(),
        ..Profile::default()
    };
    for piece in file.absent {
        match text.check(piece, text.piece::<String>(piece)?.parse()) {
            Ok(call) => profile.absent.calls.insert(call),
            Err(_) if how.ignore_unknown => false,
            Err(wrong) => return Err(wrong),
        };
    }
    if let Some(piece) = file.absent_from {
        for (arch, from) in text.piece::<BTreeMap<String, u32>>(piece)? {
            let arch = text.check(piece, arch.parse())?;
            profile.absent.newer.insert(arch, from);
        }
    }
    for piece in file.calls {
        let entry = entry(text, piece, how)?;
        profile.calls.extend(entry);
    }
    Ok(profile)
}

/// An entry; none where it is to be left out.
fn entry<'a>(
    text: Text<'a>,
    piece: &'a RawValue,
    how: &Reading,
) -> Result<Option<(Call, Seen)>, Syntax> {
    let raw: RawEntry<'_> = text.piece(piece)?;
    let arch: Arch = text.check(raw.arch, text.piece::<String>(raw.arch)?.parse())?;
    let nr: Option<u32> = raw.nr.map(|nr| text.piece(nr)).transpose()?;
    let named = match raw.name {
        Some(piece) => {
            let name: String = text.piece(piece)?;
            let Some(named) = arch.call(&name).map(|call| call.nr).or(nr) else {
                if how.ignore_unknown {
                    return Ok(None);
                }
                let message =
                    format!("{arch} has no system call {name:?} (--ignore-unknown leaves it out)");
                return Err(text.wrong(piece, message));
            };
            if let (Some(nr), Some(at)) = (nr.filter(|&nr| nr != named), raw.nr) {
                return Err(text.wrong(
                    at,
                    format!("the number {nr} is not that of {name:?} ({named})"),
                ));
            }
            named
        }
        None => nr.ok_or_else(|| text.wrong(piece, "a call needs a name or a number"))?,
    };
    let call = Call {
        arch: arch.audit(),
        nr: named,
    };
    let when = match raw.when {
        Some(cases) => condition(text, cases)?,
        None => When::Always,
    };
    if how.ignore_conditional && !when.is_always() {
        return Ok(None);
    }
    let mut values = raw.values;
    values.extend(raw.selectors.into_iter().map(|value| vec![value.into()]));
    let seen = Seen {
        count: raw.count,
        passes: raw.passes,
        first: raw.first,
        origin: raw.origin.map(|written| written.0),
        values,
        harmless: raw.harmless,
        implied: raw.implied,
        when,
    };
    Ok(Some((call, seen)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::named;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Profile, Syntax> {
        super::read(text, &Reading::default())
    }

    proptest! {
        #[test]
        fn every_profile_comes_back(
            mut profile in named(&Arch::NAMED),
            count in any::<u64>(),
            first in any::<Option<String>>(),
            nr in any::<u32>(),
            passes in any::<u32>(),
            implied in any::<Option<String>>(),
            when in crate::condition::tests::when(),
        ) {
            let origin = first.clone().map(|exe| Origin {
                symbol: Some((exe.clone(), count)),
                place: Some((exe.clone(), 3)),
                caller: Some((exe.clone(), 4)),
                calling: Some((exe.clone(), 5)),
                exe: Some(exe),
                args: Some([1, 2, 3, 4, 5, count]),
            });
            profile.evidence = vec![Evidence { records: count, ..Evidence::here("a", None, "log") }];
            let seen = Seen { count, first, origin, values: [vec![7, 0x5401], vec![8]].into(), harmless: passes % 2 == 0, passes, implied, when };
            profile.calls.insert(Call { arch: 0x1234, nr }, seen);
            profile.history = Some(History { passes, last_new: 1, lossy: 0 });
            profile.absent.calls.insert(Call { arch: Arch::I386.audit(), nr: 435 });
            profile.absent.calls.insert(Call { arch: Arch::X86_64.audit(), nr: passes });
            profile.absent.newer.insert(Arch::Arm64, 470);
            let text = write(&profile).text;
            prop_assert_eq!(read(&text), Ok(profile));
        }

        #[test]
        fn no_input_is_a_panic(text in any::<String>()) {
            let _ = read(&text);
        }
    }

    const HEAD: &str = "{\"format\":\"seccomp-learn\",\"version\":1,\n\"calls\":[\n";

    #[test]
    fn an_error_has_its_place() {
        let place = |rest: &str| {
            let e = read(&format!("{HEAD}{rest}")).unwrap_err();
            (e.line, e.column)
        };
        assert_eq!(
            place("{\"arch\":\"x86-64\",\"name\":\"nonsense\"}]}"),
            (3, 25)
        );
        // An object, and an array, over several lines.
        let entry = "{\n \"arch\": \"x86-64\",\n \"name\": \"nonsense\",\n \"count\": 3\n}\n]}";
        assert_eq!(place(entry), (5, 10));
        assert_eq!(
            place("{\"arch\":\"x86-64\",\"name\":\"read\"},\n{\n \"arch\": \"vax\"\n}\n]}"),
            (5, 10)
        );
        assert_eq!(place("{\n \"arch\": \"x86-64\"\n}\n]}"), (3, 1));
        assert_eq!(place("{\"arch\":\"x86-64\",\n\"nmae\":\"read\"}\n]}").0, 4);
        assert_eq!(read("{\n \"format\": }").unwrap_err().line, 2);
        let read = "{\"arch\":\"x86-64\",\"name\":\"read\",\"when\":[[\n";
        for wrong in [
            "{\"arg\":6,\"op\":\"eq\",\"value\":1}",
            "{\"arg\":0,\"op\":\"eqq\",\"value\":1}",
        ] {
            assert_eq!(place(&format!("{read}{wrong}]]}}]}}")), (4, 1));
        }
    }

    #[test]
    fn unknown_keys_are_refused() {
        let text = format!("{HEAD}]}}").replace("\"calls\"", "\"cals\"");
        assert!(read(&text).unwrap_err().message.contains("cals"));
        assert!(read(&format!("{HEAD}]}}")).is_ok());
    }
}
