// SPDX-License-Identifier: GPL-2.0-only

//! The JSON of rust-vmm's seccompiler: filters by the name of a thread, names of
//! one architecture that the file does not say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::place::Text;
use super::{
    absent, allow, check_name, left_out, lower, never, no_newer, pretty, single_arch, split,
    Allowed, Reading, Rendered, Syntax,
};
use crate::action::Action;
use crate::condition::{Case, Op, Test, When, ARGS, INT};
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<Comparison>,
}

/// A comparison of an argument.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparison {
    index: u8,
    #[serde(rename = "type")]
    width: Width,
    op: Sign,
    val: u64,
    #[serde(default, skip_serializing)]
    #[serde(rename = "comment")]
    _comment: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Width {
    Dword,
    Qword,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sign {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    MaskedEq(u64),
}

impl From<&Test> for Comparison {
    fn from(test: &Test) -> Self {
        let (width, op) = match (test.mask, test.op) {
            (u64::MAX | INT, op) => (
                if test.mask == INT {
                    Width::Dword
                } else {
                    Width::Qword
                },
                match op {
                    Op::Eq => Sign::Eq,
                    Op::Ne => Sign::Ne,
                    Op::Lt => Sign::Lt,
                    Op::Le => Sign::Le,
                    Op::Gt => Sign::Gt,
                    Op::Ge => Sign::Ge,
                },
            ),
            (mask, _) => (Width::Qword, Sign::MaskedEq(mask)),
        };
        Self {
            index: test.arg,
            width,
            op,
            val: test.value,
            _comment: None,
        }
    }
}

impl Comparison {
    /// What it means; an error if there is no such argument.
    fn test(&self) -> std::result::Result<Test, String> {
        if self.index >= ARGS {
            return Err(format!("there is no argument {}", self.index));
        }
        let all = match self.width {
            Width::Dword => INT,
            Width::Qword => u64::MAX,
        };
        let (mask, op) = match self.op {
            Sign::Eq => (all, Op::Eq),
            Sign::Ne => (all, Op::Ne),
            Sign::Lt => (all, Op::Lt),
            Sign::Le => (all, Op::Le),
            Sign::Gt => (all, Op::Gt),
            Sign::Ge => (all, Op::Ge),
            Sign::MaskedEq(mask) => (mask & all, Op::Eq),
        };
        // It masks both sides.
        let value = match self.op {
            Sign::MaskedEq(_) => self.val & mask,
            _ => self.val & all,
        };
        Ok(Test::masked(self.index, mask, op, value))
    }
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
    args: Option<Vec<&'a RawValue>>,
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
    let mut push = |syscall: String, comment: Option<String>| {
        let Some(when) = names.when.get(&syscall) else {
            rules.push(WrittenRule {
                syscall,
                comment,
                args: Vec::new(),
            });
            return;
        };
        let lowered = lower::seccompiler(when);
        warnings.extend(left_out(&syscall, "seccompiler's JSON", lowered.left_out));
        if lowered.cases.is_empty() {
            warnings.push(never(&syscall));
        }
        rules.extend(lowered.cases.iter().map(|case| WrittenRule {
            syscall: syscall.clone(),
            comment: comment.clone(),
            args: case.iter().map(Comparison::from).collect(),
        }));
    };
    for syscall in names.seen {
        push(syscall, incomplete.take());
    }
    for (reason, names) in names.implied {
        for syscall in names {
            push(syscall, Some(format!("{IMPLIED}{reason}")));
        }
    }
    if !absent(profile, "seccompiler's JSON", &mut warnings).is_empty() {
        warnings.push(
            "seccompiler's JSON has one answer for all refused calls: none is answered with ENOSYS"
                .to_owned(),
        );
    }
    warnings.extend(no_newer(profile, "seccompiler's JSON", ""));
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

pub fn read(
    text: &str,
    how: &Reading,
    warnings: &mut Vec<String>,
) -> std::result::Result<Profile, Syntax> {
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
    let mut actions: BTreeMap<String, Action> = BTreeMap::new();
    // A process has the filters of its threads; the list holds what any needs.
    for (thread, piece) in threads {
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
        actions.insert(thread, action);
        for piece in filter.filter {
            rule(text, piece, arch, how, &mut profile)?;
        }
    }
    profile.action = actions.values().next().copied();
    if actions
        .values()
        .any(|&action| Some(action) != profile.action)
    {
        profile.action = None;
        let actions = actions
            .iter()
            .map(|(thread, action)| format!("{thread}: {action}"));
        let actions: Vec<String> = actions.collect();
        warnings.push(format!(
            "the default actions differ ({}), and none is taken",
            actions.join(", ")
        ));
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
    let args = rule.args.unwrap_or_default();
    if !args.is_empty() && how.ignore_conditional {
        return Ok(());
    }
    let mut tests = Vec::new();
    for piece in args {
        tests.push(text.check(piece, text.piece::<Comparison>(piece)?.test())?);
    }
    let allowed = Allowed {
        when: When::any([Case::from_iter(tests)]),
        implied: comment.strip_prefix(IMPLIED),
    };
    allow(profile, &[arch], &name, &allowed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::tests::args;
    use crate::profile::tests::{conditional, named, same_meaning};
    use proptest::prelude::*;

    fn read(text: &str, how: &Reading) -> std::result::Result<Profile, Syntax> {
        super::read(text, how, &mut Vec::new())
    }

    proptest! {
        #[test]
        fn every_profile_comes_back(mut profile in named(&[Arch::Arm64]), kill in any::<bool>()) {
            profile.action = Some(if kill { Action::Kill } else { Action::Errno(1) });
            let how = Reading { arch: Some(Arch::Arm64), ..Reading::default() };
            prop_assert_eq!(read(&write(&profile).unwrap().text, &how), Ok(profile));
        }
    }

    proptest! {
        #[test]
        fn conditions_come_back(
            profile in conditional(&[Arch::X86_64]),
            args in prop::collection::vec(args(), 20),
        ) {
            let written = write(&profile).unwrap();
            prop_assume!(written.warnings.is_empty());
            same_meaning(&profile, &read(&written.text, &Reading::default()).unwrap(), &args);
        }
    }

    proptest! {
        // seccompiler itself makes a filter of what is written.
        #[test]
        fn seccompilers_filter_means_the_same(
            profile in conditional(&[Arch::X86_64]),
            args in prop::collection::vec(args(), 20),
        ) {
            let mut profile = profile;
            profile.action = Some(Action::Log);
            let written = write(&profile).unwrap();
            prop_assume!(written.warnings.is_empty() && !profile.calls.is_empty());
            let arch = seccompiler::TargetArch::x86_64;
            let filters = match seccompiler::compile_from_json(written.text.as_bytes(), arch) {
                Ok(filters) => filters,
                // Its table has not all the names, and its jumps do not reach far.
                Err(_) => return Ok(()),
            };
            let program: Vec<libc::sock_filter> = filters[THREAD]
                .iter()
                .map(|i| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k })
                .collect();
            for &call in profile.calls.keys() {
                for args in &args {
                    let allowed = crate::bpf::tests::decide(&program, call, args) == crate::bpf::RET_ALLOW;
                    prop_assert_eq!(allowed, profile.allows(call, args), "{} {:x?}", call, args);
                }
            }
        }
    }

    #[test]
    fn what_is_learnt_is_taken_by_seccompiler() {
        let mut profile = Profile {
            action: Some(Action::Kill),
            ..Profile::default()
        };
        profile.allow_when(
            "socket".parse().unwrap(),
            When::any([Case::from_iter([
                Test::masked(0, INT, Op::Eq, 2),
                Test::masked(1, 0xfff7_f7ff, Op::Eq, 1),
            ])]),
        );
        let text = write(&profile).unwrap().text;
        let arch = seccompiler::TargetArch::x86_64;
        let filters = seccompiler::compile_from_json(text.as_bytes(), arch).unwrap();
        assert!(!filters[THREAD].is_empty());
    }

    #[test]
    fn a_word_is_compared_as_firecracker_means_it() {
        let text = r#"{"vmm":{"default_action":"trap","filter_action":"allow","filter":[
            {"syscall":"socket","args":[{"index":0,"type":"dword","op":"eq","val":1,"comment":"AF_UNIX"},
             {"index":1,"type":"qword","op":{"masked_eq":15},"val":17}]}]}}"#
            .replace("trap", "kill_thread");
        let profile = read(&text, &Reading::default()).unwrap();
        let socket = Arch::NATIVE.call("socket").unwrap();
        assert!(profile.allows(socket, &[0x5_0000_0001, 1, 0, 0, 0, 0]));
        assert!(!profile.allows(socket, &[2, 1, 0, 0, 0, 0]));
        let e = read(
            &text.replace("\"index\":1", "\"index\":6"),
            &Reading::default(),
        );
        assert_eq!(e.unwrap_err().line, 3);
        let how = Reading {
            ignore_conditional: true,
            ..Reading::default()
        };
        assert!(read(&text, &how).unwrap().calls.is_empty());
    }

    #[test]
    fn an_error_has_its_place() {
        let text = "{\"vmm\":{\"default_action\":\"kill_process\",\"filter_action\":\"allow\",\n\
                    \"filter\":[{\"syscall\":\"nonsense\"}]}}";
        let e = read(text, &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (2, 22));
    }

    #[test]
    fn threads_may_differ_in_what_they_answer() {
        let filter = |action| {
            format!("{{\"mismatch_action\":\"{action}\",\"match_action\":\"allow\",\"filter\":[]}}")
        };
        let read = |api, vcpu| {
            let text = format!("{{\"api\":{},\"vcpu\":{}}}", filter(api), filter(vcpu));
            let mut warnings = Vec::new();
            let profile = super::read(&text, &Reading::default(), &mut warnings).unwrap();
            (profile.action, warnings)
        };
        // A thread that only logs must not have the others log.
        let (action, warnings) = read("log", "kill_process");
        assert_eq!(action, None);
        assert!(
            warnings[0].contains("(api: log, vcpu: kill)"),
            "{warnings:?}"
        );
        assert_eq!(
            read("kill_thread", "kill_process"),
            (Some(Action::Kill), Vec::new())
        );
    }

    #[test]
    fn two_architectures_are_refused() {
        let mut profile = Profile::default();
        profile.allow(Arch::X86_64.call("read").unwrap());
        profile.allow(Arch::I386.call("read").unwrap());
        assert!(write(&profile).unwrap_err().to_string().contains("--arch"));
    }
}
