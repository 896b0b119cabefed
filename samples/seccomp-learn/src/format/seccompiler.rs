// SPDX-License-Identifier: GPL-2.0-only

//! The JSON of rust-vmm's seccompiler: filters by the name of a thread, names of
//! one architecture that the file does not say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::place::{holds_something, Text};
use super::{
    allow, check_name, mark, pretty, single_arch, split, Reading, Rendered, Syntax, CONDITIONAL,
};
use crate::action::Action;
use crate::error::Result;
use crate::profile::Profile;
use crate::syscalls::Arch;

/// The thread that a written file is for.
const THREAD: &str = "main_thread";
const INCOMPLETE: &str = "incomplete: ";
const IMPLIED: &str = "implied: ";

#[derive(Serialize)]
struct Written {
    mismatch_action: Outcome,
    match_action: Outcome,
    filter: Vec<WrittenRule>,
}

#[derive(Serialize)]
struct WrittenRule {
    syscall: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Allow,
    Errno(u32),
    KillThread,
    KillProcess,
    Log,
    Trace(u32),
    Trap,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<'a> {
    #[serde(alias = "default_action", borrow)]
    mismatch_action: &'a RawValue,
    #[serde(alias = "filter_action", borrow)]
    match_action: &'a RawValue,
    #[serde(borrow)]
    filter: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule<'a> {
    #[serde(borrow)]
    syscall: &'a RawValue,
    comment: Option<String>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

pub fn write(profile: &Profile) -> Result<Rendered> {
    single_arch(profile, "seccompiler's JSON")?;
    let mut warnings = Vec::new();
    let names = split(profile, "seccompiler's JSON", &mut warnings);
    let mut incomplete = profile
        .incomplete
        .as_ref()
        .map(|why| format!("{INCOMPLETE}{why}"));
    let mut rules: Vec<WrittenRule> = Vec::new();
    for syscall in names.seen {
        let comment = incomplete.take();
        rules.push(WrittenRule { syscall, comment });
    }
    for (reason, names) in names.implied {
        rules.extend(names.into_iter().map(|syscall| WrittenRule {
            syscall,
            comment: Some(format!("{IMPLIED}{reason}")),
        }));
    }
    let written = Written {
        mismatch_action: match profile.action.unwrap_or(Action::Kill) {
            Action::Kill => Outcome::KillProcess,
            Action::Errno(errno) => Outcome::Errno(errno.into()),
            Action::Log => Outcome::Log,
        },
        match_action: Outcome::Allow,
        filter: rules,
    };
    Ok(Rendered {
        text: pretty(&BTreeMap::from([(THREAD, written)])),
        warnings,
    })
}

pub fn read(text: &str, how: &Reading) -> std::result::Result<Profile, Syntax> {
    let text = Text::new(text);
    let threads: BTreeMap<String, &RawValue> = text.whole()?;
    if threads.is_empty() {
        return Err(Syntax {
            line: 1,
            column: 1,
            message: "there is no filter in it".to_owned(),
        });
    }
    let arch = how.arch.unwrap_or(Arch::NATIVE);
    let mut profile = Profile::default();
    // A process has the filters of its threads; the list holds what any needs.
    for piece in threads.into_values() {
        let filter: Read<'_> = text.piece(piece)?;
        if text.piece::<Outcome>(filter.match_action)? != Outcome::Allow {
            return Err(text.wrong(filter.match_action, "this filter is no allowlist"));
        }
        let action = match text.piece::<Outcome>(filter.mismatch_action)? {
            Outcome::KillProcess | Outcome::KillThread => Ok(Action::Kill),
            Outcome::Errno(errno) => match u16::try_from(errno) {
                Ok(errno) => Ok(Action::Errno(errno)),
                Err(_) => Err(format!("there is no error {errno}")),
            },
            Outcome::Log => Ok(Action::Log),
            _ => Err("this mismatch action is not supported".to_owned()),
        };
        let action = text.check(filter.mismatch_action, action)?;
        profile.action.get_or_insert(action);
        for piece in filter.filter {
            rule(text, piece, arch, how, &mut profile)?;
        }
    }
    Ok(profile)
}

fn rule<'a>(
    text: Text<'a>,
    piece: &'a RawValue,
    arch: Arch,
    how: &Reading,
    profile: &mut Profile,
) -> std::result::Result<(), Syntax> {
    let rule: Rule<'_> = text.piece(piece)?;
    let comment = rule.comment.unwrap_or_default();
    if let Some(why) = comment.strip_prefix(INCOMPLETE) {
        profile.incomplete = Some(why.to_owned());
    }
    let name: String = text.piece(rule.syscall)?;
    text.check(rule.syscall, check_name(&name, how))?;
    if holds_something(text, rule.args)? {
        return match rule.args {
            Some(args) if !how.ignore_conditional => Err(text.wrong(args, CONDITIONAL)),
            _ => Ok(()),
        };
    }
    match comment.strip_prefix(IMPLIED) {
        Some(reason) => mark(profile, &[arch], &name, reason),
        None => {
            allow(profile, &[arch], &name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::named;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_profile_comes_back(mut profile in named(&[Arch::Arm64]), kill in any::<bool>()) {
            profile.action = Some(if kill { Action::Kill } else { Action::Errno(1) });
            let how = Reading { arch: Some(Arch::Arm64), ..Reading::default() };
            prop_assert_eq!(read(&write(&profile).unwrap().text, &how), Ok(profile));
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let text = "{\"vmm\":{\"default_action\":\"kill_process\",\"filter_action\":\"allow\",\n\
                    \"filter\":[{\"syscall\":\"nonsense\"}]}}";
        let e = read(text, &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (2, 22));
    }

    #[test]
    fn two_architectures_are_refused() {
        let mut profile = Profile::default();
        profile.allow(Arch::X86_64.call("read").unwrap());
        profile.allow(Arch::I386.call("read").unwrap());
        assert!(write(&profile).unwrap_err().to_string().contains("--arch"));
    }
}
