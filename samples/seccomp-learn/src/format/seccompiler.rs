// SPDX-License-Identifier: GPL-2.0

//! The JSON of rust-vmm's seccompiler: filters by the name of a thread, names of
//! one architecture that the file does not say.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::strict::{Name, Nothing};
use super::{allow, names, pretty, single_arch, unknown, Reading, Rendered, Something, Syntax};
use crate::action::Action;
use crate::profile::Profile;
use crate::syscalls::Arch;

/// The thread that a written file is for.
const THREAD: &str = "main_thread";

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
struct Read<N, C> {
    #[serde(alias = "default_action")]
    mismatch_action: Outcome,
    #[serde(alias = "filter_action")]
    match_action: Outcome,
    filter: Vec<Rule<N, C>>,
}

#[derive(Deserialize)]
struct Rule<N, C> {
    syscall: N,
    #[serde(default)]
    comment: Option<String>,
    args: Option<C>,
}

pub fn write(profile: &Profile) -> Result<Rendered> {
    single_arch(profile, "seccompiler's JSON")?;
    let mut warnings = Vec::new();
    let names = names(profile.calls.keys(), "seccompiler's JSON", &mut warnings);
    let mut comment = profile
        .incomplete
        .as_ref()
        .map(|why| format!("incomplete: {why}"));
    let written = Written {
        mismatch_action: match profile.action.unwrap_or(Action::Kill) {
            Action::Kill => Outcome::KillProcess,
            Action::Errno(errno) => Outcome::Errno(errno.into()),
            Action::Log => Outcome::Log,
        },
        match_action: Outcome::Allow,
        filter: names
            .into_iter()
            .map(|syscall| WrittenRule {
                syscall,
                comment: comment.take(),
            })
            .collect(),
    };
    Ok(Rendered {
        text: pretty(&BTreeMap::from([(THREAD, written)])),
        warnings,
    })
}

pub fn read(text: &str, how: &Reading) -> Result<Profile, Syntax> {
    match (how.ignore_unknown, how.ignore_conditional) {
        (false, false) => parse::<Name, Nothing>(text, how),
        (false, true) => parse::<Name, Something>(text, how),
        (true, false) => parse::<String, Nothing>(text, how),
        (true, true) => parse::<String, Something>(text, how),
    }
}

fn parse<N, C>(text: &str, how: &Reading) -> Result<Profile, Syntax>
where
    N: for<'de> Deserialize<'de> + Into<String>,
    C: for<'de> Deserialize<'de> + Into<bool>,
{
    let wrong = |message: String| Syntax {
        line: 1,
        column: 1,
        message,
    };
    let threads: BTreeMap<String, Read<N, C>> = serde_json::from_str(text)?;
    let arch = how.arch.unwrap_or(Arch::NATIVE);
    let mut profile = Profile::default();
    // The union of the threads' lists is what the program needs.
    for (thread, filter) in threads {
        if filter.match_action != Outcome::Allow {
            return Err(wrong(format!("the filter of {thread:?} is no allowlist")));
        }
        let action = match filter.mismatch_action {
            Outcome::KillProcess | Outcome::KillThread => Action::Kill,
            Outcome::Errno(errno) => Action::Errno(
                errno
                    .try_into()
                    .map_err(|_| wrong(format!("errno {errno}")))?,
            ),
            Outcome::Log => Action::Log,
            _ => {
                return Err(wrong(format!(
                    "the mismatch action of {thread:?} is not supported"
                )))
            }
        };
        profile.action.get_or_insert(action);
        for rule in filter.filter {
            if let Some(why) = rule
                .comment
                .as_deref()
                .and_then(|c| c.strip_prefix("incomplete: "))
            {
                profile.incomplete = Some(why.to_owned());
            }
            let name = rule.syscall.into();
            if !rule.args.is_some_and(Into::into) && !allow(&mut profile, &[arch], &name) {
                if let Some(message) = unknown(&name, how) {
                    return Err(wrong(message));
                }
            }
        }
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
        fn every_profile_comes_back(mut profile in named(&[Arch::Arm64]), kill in any::<bool>()) {
            profile.action = Some(if kill { Action::Kill } else { Action::Errno(1) });
            let how = Reading { arch: Some(Arch::Arm64), ..Reading::default() };
            prop_assert_eq!(read(&write(&profile).unwrap().text, &how), Ok(profile));
        }
    }

    #[test]
    fn an_error_has_its_place() {
        let text = "{\"vmm\":{\"default_action\":\"trap\",\"filter_action\":\"allow\",\n\
                    \"filter\":[{\"syscall\":\"nonsense\"}]}}";
        let e = read(text, &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (2, 32));
    }

    #[test]
    fn two_architectures_are_refused() {
        let mut profile = Profile::default();
        profile.allow(Arch::X86_64.call("read").unwrap());
        profile.allow(Arch::I386.call("read").unwrap());
        assert!(write(&profile).unwrap_err().to_string().contains("--arch"));
    }
}
