// SPDX-License-Identifier: GPL-2.0-only

//! The OCI runtime specification's `linux.seccomp`, alone or inside a
//! `config.json`; and Docker's and podman's files, which are almost that.

mod args;
mod chosen;

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::chosen::Chosen;
use super::place::Text;
use super::{
    absent, allow, check_name, left_out, libseccomp_archs, lower, never, no_newer, pretty,
    refuse_as_absent, settle, split, Allowed, Names, Reading, Rendered, Syntax,
};
use crate::action::Action;
use crate::condition::{Case, When};
use crate::profile::Profile;
use crate::syscalls::{Arch, Call};

const ALLOW: &str = "SCMP_ACT_ALLOW";
const INCOMPLETE: &str = "incomplete: ";
const IMPLIED: &str = "implied: ";
const ABSENT: &str = "for these, programs have another way";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    default_action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_errno_ret: Option<u16>,
    architectures: Vec<&'static str>,
    syscalls: Vec<WrittenRule>,
}

#[derive(Serialize)]
struct WrittenRule {
    /// Docker's and podman's files have this; runtimes pass over it.
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    names: Vec<String>,
    action: &'static str,
    #[serde(rename = "errnoRet", skip_serializing_if = "Option::is_none")]
    errno_ret: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<args::Written>,
    /// As Docker's and podman's files have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    includes: Option<Includes>,
}

/// On which machines a rule counts.
#[derive(Serialize)]
struct Includes {
    arches: &'static [&'static str],
}

/// A whole `config.json`, whose other keys are the runtime's.
#[derive(Deserialize)]
struct Config<'a> {
    #[serde(borrow)]
    linux: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Linux<'a> {
    #[serde(borrow)]
    seccomp: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Read<'a> {
    #[serde(borrow)]
    default_action: &'a RawValue,
    default_errno_ret: Option<u16>,
    #[serde(rename = "defaultErrno")]
    _default_errno: Option<IgnoredAny>,
    #[serde(borrow)]
    architectures: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    arch_map: Option<Vec<&'a RawValue>>,
    #[serde(rename = "flags")]
    _flags: Option<IgnoredAny>,
    #[serde(rename = "listenerPath")]
    _listener_path: Option<IgnoredAny>,
    #[serde(rename = "listenerMetadata")]
    _listener_metadata: Option<IgnoredAny>,
    #[serde(borrow)]
    syscalls: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ArchMap<'a> {
    #[serde(borrow)]
    architecture: &'a RawValue,
    #[serde(borrow)]
    sub_architectures: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rule<'a> {
    #[serde(borrow)]
    names: Option<Vec<&'a RawValue>>,
    /// Docker's old form.
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    action: &'a RawValue,
    errno_ret: Option<u32>,
    #[serde(rename = "errno")]
    _errno: Option<IgnoredAny>,
    comment: Option<String>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
    #[serde(borrow)]
    includes: Option<&'a RawValue>,
    #[serde(borrow)]
    excludes: Option<&'a RawValue>,
}

fn default_action(text: &str) -> Result<Action, String> {
    match text {
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" | "SCMP_ACT_KILL_PROCESS" => Ok(Action::Kill),
        "SCMP_ACT_ERRNO" => Ok(Action::Errno(libc::EPERM as u16)),
        "SCMP_ACT_LOG" => Ok(Action::Log),
        ALLOW => Err("a profile that allows by default is no allowlist".to_owned()),
        _ => Err(format!("the default action {text:?} is not supported")),
    }
}

/// Whether a rule of this action lets its calls through.
fn lets_through(action: &str) -> Result<bool, String> {
    match action {
        ALLOW | "SCMP_ACT_LOG" => Ok(true),
        // What is refused in a way of its own is refused all the same, and what
        // somebody else decides is not allowed.
        "SCMP_ACT_KILL"
        | "SCMP_ACT_KILL_THREAD"
        | "SCMP_ACT_KILL_PROCESS"
        | "SCMP_ACT_TRAP"
        | "SCMP_ACT_ERRNO"
        | "SCMP_ACT_TRACE"
        | "SCMP_ACT_NOTIFY" => Ok(false),
        _ => Err(format!("unknown action {action:?}")),
    }
}

/// The specification's architectures that this tool has no names for.
const NAMELESS: &[&str] = &[
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
];

/// The architecture of this name; none if this tool has no names for it.
fn arch_name(text: &str) -> Result<Option<Arch>, String> {
    let mut named = Arch::NAMED.into_iter();
    match named.find(|arch| arch.scmp_name() == Some(text)) {
        None if !NAMELESS.contains(&text) => Err(format!("unknown architecture {text:?}")),
        known => Ok(known),
    }
}

/// What a runtime calls between installing the filter and executing the
/// container's program, so that a container can start at all: with
/// `noNewPrivileges` unset, runc installs the filter before it drops
/// capabilities and takes the container's identity, and its Go run-time needs
/// its threads, timers and polling all along. The heart of it was measured by
/// users (moby's issue 22252, runc's issue 2097), and what runc 1.1 makes beside
/// by `enforce --action log` around it, with a profile that logs.
const STARTUP: &[&str] = &[
    "access",
    "arch_prctl",
    "brk",
    "capget",
    "capset",
    "chdir",
    "clone",
    "clone3",
    "close",
    "close_range",
    "dup3",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "eventfd2",
    "execve",
    "exit",
    "exit_group",
    "faccessat2",
    "fchdir",
    "fchown",
    "fcntl",
    "fstat",
    "fstatfs",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getpid",
    "getppid",
    "gettid",
    "getuid",
    "ioctl",
    "lseek",
    "lstat",
    "madvise",
    "mmap",
    "mprotect",
    "munmap",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "openat2",
    "pipe2",
    "prctl",
    "read",
    "readlinkat",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "setgid",
    "setgroups",
    "setuid",
    "sigaltstack",
    "stat",
    "statx",
    "tgkill",
    "umask",
    "write",
];

/// The calls that start a container on each of the machines that make the calls of
/// these architectures: a runtime makes its machine's own.
pub fn startup(archs: &BTreeSet<Arch>) -> BTreeSet<Call> {
    let machines: BTreeSet<Arch> = archs.iter().copied().map(Arch::machine).collect();
    let calls = machines.iter().flat_map(|machine| {
        let mine = STARTUP.iter().filter_map(|name| machine.call(name));
        mine.collect::<Vec<_>>()
    });
    calls.collect()
}

/// What Docker (Go) and podman (libseccomp) call the machines that make the calls
/// of [`Arch::machine`].
fn arches(machine: Arch) -> &'static [&'static str] {
    match machine {
        Arch::X86_64 => &["amd64", "386", "x86", "x32"],
        Arch::Arm64 => &["arm64", "arm"],
        Arch::Riscv64 => &["riscv64"],
        Arch::Ppc64Le => &["ppc64le"],
        Arch::S390x => &["s390x"],
        _ => &[],
    }
}

/// What has a rule count on one machine.
fn includes(machine: Option<Arch>) -> Option<Includes> {
    machine.map(|machine| Includes {
        arches: arches(machine),
    })
}

/// The calls of a profile, of which these architectures are, in parts: first those whose names may be allowed on every
/// machine, then, for each machine, those that are not for all or have other
/// conditions elsewhere.
fn by_machine(
    profile: &Profile,
    archs: &BTreeSet<Arch>,
    machines: &BTreeSet<Arch>,
) -> Vec<(Option<Arch>, Profile)> {
    if machines.len() < 2 {
        return vec![(None, profile.clone())];
    }
    let mut conditions: BTreeMap<String, BTreeMap<Arch, When>> = BTreeMap::new();
    for (call, seen) in &profile.calls {
        if let Some(name) = call.name() {
            let here = conditions.entry(name).or_default();
            let when = here.entry(call.arch().machine());
            when.or_insert_with(|| When::any([])).or(seen.when.clone());
        }
    }
    let everywhere = |name: &String| {
        let here = &conditions[name];
        let mut having = archs.iter().filter(|arch| arch.call(name).is_some());
        having.all(|arch| here.contains_key(&arch.machine()))
            && here.values().all(|when| Some(when) == here.values().next())
    };
    let part = |machine: Option<Arch>| {
        let mut part = profile.clone();
        part.calls.retain(|call, _| match (machine, call.name()) {
            (None, name) => name.as_ref().is_none_or(everywhere),
            (Some(_), None) => false,
            (Some(machine), Some(name)) => call.arch().machine() == machine && !everywhere(&name),
        });
        (machine, part)
    };
    let machines = machines.iter().copied().map(Some);
    std::iter::once(None).chain(machines).map(part).collect()
}

/// The rules that allow a part of the profile's calls.
fn allowing(part: &Profile, machine: Option<Arch>, warnings: &mut Vec<String>) -> Vec<WrittenRule> {
    let Names {
        mut seen,
        implied,
        mut when,
    } = split(part, "OCI", warnings);
    let rule = |comment, names| WrittenRule {
        comment,
        names,
        action: ALLOW,
        errno_ret: None,
        args: Vec::new(),
        includes: includes(machine),
    };
    let mut rules = Vec::new();
    let mut conditional = Vec::new();
    let mut take = |names: &mut Vec<String>, comment: Option<&String>| {
        names.retain(|name| {
            let when = when.remove(name);
            if let Some(when) = &when {
                let cases = with_args(name, when, warnings);
                conditional.extend(cases.into_iter().map(|args| WrittenRule {
                    args,
                    ..rule(comment.cloned(), vec![name.clone()])
                }));
            }
            when.is_none()
        });
    };
    take(&mut seen, None);
    let mut others = Vec::new();
    for (reason, mut names) in implied {
        let comment = format!("{IMPLIED}{reason}");
        take(&mut names, Some(&comment));
        // A rule without names is none.
        if !names.is_empty() {
            others.push(rule(Some(comment), names));
        }
    }
    if !seen.is_empty() {
        rules.push(rule(None, seen));
    }
    rules.append(&mut conditional);
    rules.append(&mut others);
    rules
}

/// The rules that have names answered with ENOSYS: on every machine, or on those where
/// they are.
fn refusing_as_absent(
    profile: &Profile,
    archs: &BTreeSet<Arch>,
    machines: &BTreeSet<Arch>,
    warnings: &mut Vec<String>,
) -> Vec<WrittenRule> {
    let mut absent_on: BTreeMap<Arch, BTreeSet<String>> = BTreeMap::new();
    for &machine in machines {
        let mut part = profile.clone();
        let mine = |call: &Call| call.arch().machine() == machine;
        part.calls.retain(|call, _| mine(call));
        part.absent.calls.retain(mine);
        absent_on.insert(machine, absent(&part, "OCI", warnings));
    }
    let everywhere = |name: &String| {
        let mut having = archs.iter().filter(|arch| arch.call(name).is_some());
        having.all(|arch| absent_on[&arch.machine()].contains(name))
    };
    let (all, some): (BTreeSet<_>, BTreeSet<_>) = absent_on
        .values()
        .flatten()
        .partition(|name| everywhere(name));
    let all = std::iter::once((None, all.into_iter().cloned().collect()));
    let each = absent_on.iter().map(|(&machine, names)| {
        let mine = names.iter().filter(|name| some.contains(name));
        (Some(machine), mine.cloned().collect())
    });
    let parts = all
        .chain(each)
        .filter(|(_, names): &(_, Vec<String>)| !names.is_empty());
    let rule = |(machine, names)| WrittenRule {
        comment: Some(ABSENT.to_owned()),
        names,
        action: "SCMP_ACT_ERRNO",
        errno_ret: Some(libc::ENOSYS as u16),
        args: Vec::new(),
        includes: includes(machine),
    };
    parts.map(rule).collect()
}

pub fn write(profile: &Profile) -> crate::error::Result<Rendered> {
    let mut warnings = Vec::new();
    let archs = libseccomp_archs(profile)?;
    let machines: BTreeSet<Arch> = archs.iter().copied().map(Arch::machine).collect();
    if archs.len() > machines.len() {
        warnings.push(
            "OCI has one list of names for all architectures of a machine: each name is allowed \
             on every one"
                .to_owned(),
        );
    }
    if machines.len() > 1 {
        warnings.push(
            "what only some machines are to allow stands under \"includes\", as Docker and podman \
             read it; runc and containerd pass over that and allow it on all"
                .to_owned(),
        );
    }
    let action = profile.action.unwrap_or(Action::Errno(libc::EPERM as u16));
    let mut rules = Vec::new();
    for (machine, part) in by_machine(profile, &archs, &machines) {
        rules.extend(allowing(&part, machine, &mut warnings));
    }
    // Behind what allows: runc, which passes over "includes", keeps to the first.
    rules.extend(refusing_as_absent(
        profile,
        &archs,
        &machines,
        &mut warnings,
    ));
    warnings.extend(no_newer(
        profile,
        "OCI",
        "; runc does so by itself where the default action is an error",
    ));
    if let Some(why) = &profile.incomplete {
        match rules.iter_mut().find(|rule| rule.comment.is_none()) {
            Some(rule) => rule.comment = Some(format!("{INCOMPLETE}{why}")),
            None => {
                warnings.push("OCI has no place to say that an empty list is incomplete".to_owned())
            }
        }
    }
    let written = Written {
        default_action: match action {
            Action::Kill => "SCMP_ACT_KILL_PROCESS",
            Action::Errno(_) => "SCMP_ACT_ERRNO",
            Action::Log => "SCMP_ACT_LOG",
        },
        default_errno_ret: match action {
            Action::Errno(errno) => Some(errno),
            _ => None,
        },
        architectures: archs.iter().filter_map(|arch| arch.scmp_name()).collect(),
        syscalls: rules,
    };
    Ok(Rendered {
        text: pretty(&written),
        warnings,
    })
}

/// The arguments of the rules that a condition becomes.
fn with_args(name: &str, when: &When, warnings: &mut Vec<String>) -> Vec<Vec<args::Written>> {
    let lowered = lower::libseccomp(when);
    warnings.extend(left_out(name, "OCI", lowered.left_out));
    if lowered.cases.is_empty() {
        warnings.push(never(name));
    }
    let cases = lowered.cases.iter();
    cases
        .map(|case| case.iter().map(args::Written::from).collect())
        .collect()
}

pub fn read(text: &str, how: &Reading, warnings: &mut Vec<String>) -> Result<Profile, Syntax> {
    let text = Text::new(text);
    let file: Read<'_> = match text.whole::<Config<'_>>()?.linux {
        Some(linux) => match text.piece::<Linux<'_>>(linux)?.seccomp {
            Some(seccomp) => text.piece(seccomp)?,
            None => return Err(text.wrong(linux, "there is no seccomp in it")),
        },
        None => text.whole()?,
    };
    let archs = architectures(text, file.architectures, file.arch_map, how, warnings)?;
    let default = text.piece::<String>(file.default_action)?;
    let action = match text.check(file.default_action, default_action(&default))? {
        Action::Errno(errno) => Action::Errno(file.default_errno_ret.unwrap_or(errno)),
        action => action,
    };
    let mut profile = Profile {
        action: Some(action),
        ..Profile::default()
    };
    let mut refused = Vec::new();
    for piece in file.syscalls.unwrap_or_default() {
        refused.extend(rule(text, piece, &archs, how, &mut profile)?);
    }
    settle(&mut profile);
    for (piece, names, when) in refused {
        let allowed = names.iter().flat_map(|name| {
            let calls = archs.iter().filter_map(|arch| arch.call(name));
            calls.filter_map(|call| profile.calls.get(&call))
        });
        for seen in allowed {
            let apart = |mine: &Case| match &seen.when {
                When::Always => false,
                When::In(cases) => cases.iter().all(|case| case.contradicts(mine)),
            };
            if !when.cases().into_iter().flatten().all(apart) {
                return Err(text.wrong(
                    piece,
                    "this refuses a part of what another rule allows, which cannot be kept \
                     (--ignore-conditional leaves it out)",
                ));
            }
        }
    }
    Ok(profile)
}

/// A rule that refuses in certain cases: where it stands, of which names.
type Refused<'a> = (&'a RawValue, Vec<String>, When);

fn rule<'a>(
    text: Text<'a>,
    piece: &'a RawValue,
    archs: &[Arch],
    how: &Reading,
    profile: &mut Profile,
) -> Result<Option<Refused<'a>>, Syntax> {
    let rule: Rule<'_> = text.piece(piece)?;
    let action: String = text.piece(rule.action)?;
    let allows = text.check(rule.action, lets_through(&action))?;
    let comment = rule.comment.unwrap_or_default();
    if let Some(why) = comment.strip_prefix(INCOMPLETE) {
        profile.incomplete = Some(why.to_owned());
    }
    let when = args::read(text, rule.args)?;
    let chosen = Chosen::read(text, rule.includes, rule.excludes)?;
    let counts = |arch: &Arch| chosen.counts(&how.machine.making(*arch));
    let archs: Vec<Arch> = archs.iter().copied().filter(counts).collect();
    let mut names = Vec::new();
    for piece in rule.names.into_iter().flatten().chain(rule.name) {
        let name: String = text.piece(piece)?;
        text.check(piece, check_name(&name, how))?;
        names.push(name);
    }
    if archs.is_empty() || how.ignore_conditional && !when.is_always() {
        return Ok(None);
    }
    if !allows {
        let enosys = action == "SCMP_ACT_ERRNO" && rule.errno_ret == Some(libc::ENOSYS as u32);
        if enosys && when.is_always() {
            for name in &names {
                refuse_as_absent(profile, &archs, name);
            }
        }
        let conditional = rule.args.filter(|_| !when.is_always());
        return Ok(conditional.map(|args| (args, names, when)));
    }
    let allowed = Allowed {
        when,
        implied: comment.strip_prefix(IMPLIED),
    };
    for name in &names {
        allow(profile, &archs, name, &allowed);
    }
    Ok(None)
}

fn architectures<'a>(
    text: Text<'a>,
    list: Option<Vec<&'a RawValue>>,
    map: Option<Vec<&'a RawValue>>,
    how: &Reading,
    warnings: &mut Vec<String>,
) -> Result<Vec<Arch>, Syntax> {
    let mut archs = Vec::new();
    let mut nameless = Vec::new();
    let arch = |piece: &'a RawValue| {
        let name: String = text.piece(piece)?;
        Ok((text.check(piece, arch_name(&name))?, name))
    };
    let mut take = |(arch, name)| match arch {
        Some(arch) => archs.push(arch),
        None => nameless.push(name),
    };
    let list = list.unwrap_or_default();
    for &piece in &list {
        take(arch(piece)?);
    }
    // Docker maps each machine's architecture to those that come with it.
    for piece in map.unwrap_or_default() {
        let entry: ArchMap<'_> = text.piece(piece)?;
        let machine = arch(entry.architecture)?;
        let mine = machine.0 == Some(how.machine.arch);
        let more = entry.sub_architectures.unwrap_or_default().into_iter();
        let more: Vec<_> = more.map(arch).collect::<Result<_, Syntax>>()?;
        if mine {
            std::iter::once(machine).chain(more).for_each(&mut take);
        }
    }
    if let Some(arch) = how.arch {
        return Ok(vec![arch]);
    }
    if !nameless.is_empty() {
        warnings.push(format!(
            "the names of {} are not known, so what is allowed there is left out",
            nameless.join(" and ")
        ));
    }
    match (archs.is_empty(), list.first()) {
        (true, Some(first)) => Err(text.wrong(
            first,
            "the names of none of these architectures are known (--from-arch says whose to take)",
        )),
        (true, None) => Ok(vec![how.machine.arch]),
        (false, _) => Ok(archs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::tests::args;
    use crate::profile::tests::{conditional, named, same_meaning};
    use proptest::prelude::*;

    const LITTLE_ENDIAN: &[Arch] = &[
        Arch::X86_64,
        Arch::I386,
        Arch::X32,
        Arch::Arm64,
        Arch::Arm,
        Arch::Riscv64,
        Arch::Ppc64Le,
    ];

    fn write(profile: &Profile) -> Rendered {
        super::write(profile).unwrap()
    }

    fn read(text: &str, how: &Reading) -> Result<Profile, Syntax> {
        super::read(text, how, &mut Vec::new())
    }

    proptest! {
        #[test]
        fn one_architecture_comes_back(mut profile in named(&[Arch::X86_64]), errno in 0..4096u16) {
            profile.action = Some(Action::Errno(errno));
            let rendered = write(&profile);
            prop_assert!(rendered.warnings.is_empty());
            prop_assert_eq!(read(&rendered.text, &Reading::default()), Ok(profile));
        }

        #[test]
        fn several_architectures_lose_nothing(profile in named(LITTLE_ENDIAN)) {
            let back = read(&write(&profile).text, &Reading::default()).unwrap();
            prop_assert!(profile.diff(&back).0.is_empty());
        }

        #[test]
        fn several_machines_come_back(
            profile in conditional(&[Arch::X86_64, Arch::Arm64, Arch::Riscv64, Arch::Ppc64Le]),
            args in prop::collection::vec(args(), 5),
        ) {
            let written = write(&profile);
            prop_assume!(written.warnings.iter().all(|warning| warning.contains("includes")));
            same_meaning(&profile, &read(&written.text, &Reading::default()).unwrap(), &args);
        }
    }

    #[test]
    fn each_machine_has_its_own_names() {
        let mut profile = Profile::default();
        for call in [
            "x86-64:read",
            "arm64:read",
            "x86-64:openat",
            "arm64:ppoll",
            "x86-64:open",
        ] {
            profile.allow(call.parse().unwrap());
        }
        let written = write(&profile);
        assert!(written.warnings.len() == 1 && written.warnings[0].contains("includes"));
        let value: serde_json::Value = serde_json::from_str(&written.text).unwrap();
        let names = |rule: usize| value["syscalls"][rule]["names"].as_array().unwrap().len();
        // What only one machine has needs no word about the other.
        assert_eq!(
            [names(0), names(1), names(2)],
            [2, 1, 1],
            "{}",
            written.text
        );
        assert_eq!(value["syscalls"][1]["includes"]["arches"][0], "amd64");
        assert_eq!(value["syscalls"][2]["includes"]["arches"][0], "arm64");
        for arch in [Arch::X86_64, Arch::Arm64, Arch::S390x] {
            let mut how = Reading::default();
            how.machine.arch = arch;
            let back = read(&written.text, &how).unwrap();
            assert_eq!(back.calls, profile.calls, "{arch}");
        }
    }

    #[test]
    fn each_machine_has_its_own_conditions() {
        let text = r#"{"defaultAction": "SCMP_ACT_ERRNO",
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"], "syscalls": [
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}],
             "includes": {"arches": ["amd64"]}},
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}}]}"#;
        let profile = read(text, &Reading::default()).unwrap();
        let socket = |arch: Arch| arch.call("socket").unwrap();
        assert!(!profile.allows(socket(Arch::X86_64), &[0; 6]));
        assert!(profile.allows(socket(Arch::Arm64), &[0; 6]));
        let again = write(&profile).text;
        assert_eq!(read(&again, &Reading::default()), Ok(profile));
    }

    const DOCKER: &str = r#"{
 "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
 "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
 "syscalls": [
  {"names": ["read", "socketcall"], "action": "SCMP_ACT_ALLOW", "args": [], "includes": {}, "excludes": {}},
  {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}]},
  {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": {"caps": ["CAP_SYS_ADMIN"]}}
 ]}"#;

    #[test]
    fn a_condition_is_kept_or_left_out() {
        let profile = read(DOCKER, &Reading::default()).unwrap();
        let personality = Arch::X86_64.call("personality").unwrap();
        assert!(profile.allows(personality, &[0; 6]));
        assert!(!profile.allows(personality, &[8, 0, 0, 0, 0, 0]));
        let how = Reading {
            ignore_conditional: true,
            ..Reading::default()
        };
        let profile = read(DOCKER, &how).unwrap();
        let calls: Vec<String> = profile.calls.keys().map(ToString::to_string).collect();
        assert_eq!(calls, ["i386:read", "i386:socketcall", "read"]);
    }

    proptest! {
        #[test]
        fn conditions_come_back(
            profile in conditional(&[Arch::X86_64]),
            args in prop::collection::vec(args(), 20),
        ) {
            let written = write(&profile);
            prop_assume!(written.warnings.is_empty());
            same_meaning(&profile, &read(&written.text, &Reading::default()).unwrap(), &args);
        }
    }

    /// Rules as they stand in podman's and Docker's default profiles.
    const PODMAN: &str = r#"{
 "defaultAction": "SCMP_ACT_ERRNO",
 "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
  {"architecture": "SCMP_ARCH_S390X", "subArchitectures": []}],
 "syscalls": [
  {"names": ["read"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["arch_prctl", "modify_ldt"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
  {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
  {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 2114060288, "valueTwo": 0,
   "op": "SCMP_CMP_MASKED_EQ"}], "excludes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["s390", "s390x"]}},
  {"names": ["clone", "mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
  {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 16, "op": "SCMP_CMP_NE"}],
   "excludes": {"caps": ["CAP_AUDIT_WRITE"]}},
  {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 2, "value": 9, "op": "SCMP_CMP_NE"}],
   "excludes": {"caps": ["CAP_AUDIT_WRITE"]}},
  {"names": ["socket"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [
   {"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 9, "op": "SCMP_CMP_EQ"}],
   "excludes": {"caps": ["CAP_AUDIT_WRITE"]}},
  {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_AUDIT_WRITE"]}},
  {"names": ["personality"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"},
   {"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]}
 ]}"#;

    fn on(change: impl FnOnce(&mut crate::machine::Machine)) -> Profile {
        let mut how = Reading::default();
        change(&mut how.machine);
        read(PODMAN, &how).unwrap()
    }

    fn has(profile: &Profile, name: &str, args: [u64; 3]) -> bool {
        let [a, b, c] = args;
        profile.allows(name.parse().unwrap(), &[a, b, c, 0, 0, 0])
    }

    #[test]
    fn rules_count_on_the_machine_that_is_named() {
        let plain = on(|_| {});
        assert!(has(&plain, "arch_prctl", [0; 3]) && has(&plain, "i386:read", [0; 3]));
        assert!(!has(&plain, "mount", [0; 3]));
        let mainframe = on(|machine| machine.arch = Arch::S390x);
        assert!(has(&mainframe, "s390x:read", [0; 3]) && !has(&mainframe, "read", [0; 3]));
        assert!(!has(&mainframe, "s390x:clone", [0; 3]));
        let admin = on(|machine| machine.caps = "sys_admin".parse().unwrap());
        assert!(has(&admin, "mount", [0; 3]) && has(&admin, "clone", [0x1000_0000, 0, 0]));
        assert!(!has(&plain, "clone", [0x1000_0000, 0, 0]) && has(&plain, "clone", [0x100, 0, 0]));
        assert!(!has(
            &on(|machine| machine.kernel = "4.4".parse().unwrap()),
            "ptrace",
            [0; 3]
        ));
        assert!(has(&plain, "ptrace", [0; 3]));
    }

    #[test]
    fn what_refuses_beside_what_allows_is_kept() {
        let none = on(|machine| machine.caps = "none".parse().unwrap());
        assert!(!has(&none, "socket", [16, 3, 9]));
        assert!(has(&none, "socket", [16, 3, 0]) && has(&none, "socket", [2, 3, 9]));
        assert!(has(&on(|_| {}), "socket", [16, 3, 9]));
        let overlap = PODMAN.replace(
            "\"index\": 2, \"value\": 9, \"op\": \"SCMP_CMP_EQ\"",
            "\"index\": 1, \"value\": 9, \"op\": \"SCMP_CMP_EQ\"",
        );
        let mut how = Reading::default();
        how.machine.caps = "none".parse().unwrap();
        let e = read(&overlap, &how).unwrap_err();
        assert!(e.line == 16 && e.message.contains("refuses a part"), "{e}");
    }

    #[test]
    fn several_tests_of_one_argument_are_alternatives() {
        let plain = on(|_| {});
        assert!(has(&plain, "personality", [0; 3]) && has(&plain, "personality", [8, 0, 0]));
        assert!(!has(&plain, "personality", [1, 0, 0]));
    }

    #[test]
    fn an_error_has_its_place() {
        let text = "{\"defaultAction\":\"SCMP_ACT_KILL\",\n\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\n\"names\":[\"read\",\"nonsense\"]}]}";
        let e = read(text, &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (3, 17));
        assert!(e.message.contains("nonsense"), "{e}");
        let e = read(&text.replace("_KILL", "_ALLOW"), &Reading::default()).unwrap_err();
        assert_eq!(e.line, 1);
        let e = read("{\"defaultAction\":\n}", &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (2, 1));
    }

    #[test]
    fn an_array_over_several_lines_has_its_places() {
        let text = "{\n\"defaultAction\": \"SCMP_ACT_KILL\",\n\"syscalls\": [\n{\n\"names\": [\n\"read\",\n\
                    \"nonsense\"\n],\n\"action\": \"SCMP_ACT_ALLOW\",\n\"args\": [\n{\n\"index\": 0\n}\n]\n}\n]\n}";
        let place = |text: &str| read(text, &Reading::default()).unwrap_err().line;
        assert_eq!(place(text), 11);
        let text = text.replace("\"index\": 0", "").replace("{\n\n}", "");
        assert_eq!(place(&text), 7);
        let text = text.replace("nonsense", "write");
        assert!(read(&text, &Reading::default()).is_ok());
        assert_eq!(place(&text.replace("ACT_ALLOW", "ACT_ALOW")), 9);
    }

    #[test]
    fn unknown_keys_and_actions_are_refused() {
        let good = r#"{"defaultAction":"SCMP_ACT_KILL","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}"#;
        assert!(read(good, &Reading::default()).is_ok());
        for (from, to) in [
            ("syscalls", "sycalls"),
            ("\"names\"", "\"nmaes\""),
            ("ACT_ALLOW", "ACT_ALOW"),
            ("ACT_KILL", "ACT_KIL"),
        ] {
            let bad = good.replace(from, to);
            assert!(read(&bad, &Reading::default()).is_err(), "{bad}");
        }
        assert!(read(r#"{"linux":{}}"#, &Reading::default()).is_err());
    }

    #[test]
    fn architectures_are_known_or_said() {
        let read = |listed: &str, how: &Reading| {
            let text = format!(
                "{{\"defaultAction\":\"SCMP_ACT_KILL\",\n{listed},\n\
                 \"syscalls\":[{{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}}]}}"
            );
            let mut warnings = Vec::new();
            super::read(&text, how, &mut warnings).map(|profile| (profile.archs(), warnings))
        };
        let here = Reading::default();
        for wrong in [
            "\"architectures\":[\"SCMP_ARCH_X86-64\"]",
            "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86-64\"}]",
            "\"archMap\":[{\"architecture\":\"SCMP_ARCH_MIPS\",\"subArchitectures\":[\"SCMP_ARCH_MISP\"]}]",
        ] {
            let e = read(wrong, &here).unwrap_err();
            let at = wrong.rfind("\"SCMP").unwrap() + 1;
            assert_eq!((e.line, e.column), (2, at), "{wrong}: {e}");
        }
        let only = "\"architectures\":[\"SCMP_ARCH_LOONGARCH64\"]";
        let e = read(only, &here).unwrap_err();
        assert!(e.line == 2 && e.message.contains("--from-arch"), "{e}");
        let arm = Reading {
            arch: Some(Arch::Arm64),
            ..Reading::default()
        };
        let (archs, warnings) = read(only, &arm).unwrap();
        assert!(archs.contains(&Arch::Arm64) && warnings.is_empty());
        let some = "\"architectures\":[\"SCMP_ARCH_MIPS\",\"SCMP_ARCH_AARCH64\"]";
        let (archs, warnings) = read(some, &here).unwrap();
        assert_eq!(archs, BTreeSet::from([Arch::Arm64]));
        assert!(
            warnings.len() == 1 && warnings[0].contains("SCMP_ARCH_MIPS"),
            "{warnings:?}"
        );
        // What is for other machines is nobody's loss.
        let map = "\"archMap\":[{\"architecture\":\"SCMP_ARCH_MIPS\"},{\"architecture\":\"SCMP_ARCH_X86_64\"}]";
        let mut how = Reading::default();
        how.machine.arch = Arch::X86_64;
        assert_eq!(read(map, &how).unwrap().1, Vec::<String>::new());
    }

    #[test]
    fn an_empty_list_has_no_rule() {
        let text = write(&Profile::default()).text;
        assert!(text.contains("\"syscalls\": []"), "{text}");
        let back = read(&text, &Reading::default()).unwrap();
        assert!(back.calls.is_empty());
    }

    #[test]
    fn the_list_for_starting_has_what_was_measured() {
        // runc's issue 2097, all from the filter to the program.
        let measured = "nanosleep futex brk epoll_pwait openat epoll_ctl getdents64 newfstatat \
                        close fcntl capget read prctl fstat fchown setgroups setgid setuid capset \
                        chdir getppid write execve";
        for name in measured.split_whitespace() {
            assert!(STARTUP.contains(&name), "{name}");
        }
        assert!(STARTUP.iter().all(|name| crate::syscalls::is_known(name)));
        assert!(STARTUP.is_sorted());
    }

    #[test]
    fn a_whole_configuration_is_read() {
        let text = format!("{{\"ociVersion\":\"1.0.2\",\"linux\":{{\"seccomp\":{DOCKER}}}}}");
        let how = Reading {
            ignore_conditional: true,
            ..Reading::default()
        };
        assert_eq!(read(&text, &how), read(DOCKER, &how));
    }
}
