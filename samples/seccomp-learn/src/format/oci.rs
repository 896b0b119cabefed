// SPDX-License-Identifier: GPL-2.0-only

//! The OCI runtime specification's `linux.seccomp`, alone or inside a
//! `config.json`; and Docker's and podman's files, which are almost that.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::place::{holds_something, Text};
use super::{
    allow, check_name, mark, pretty, split, Names, Reading, Rendered, Syntax, CONDITIONAL,
};
use crate::action::Action;
use crate::profile::Profile;
use crate::syscalls::Arch;

const ALLOW: &str = "SCMP_ACT_ALLOW";
const INCOMPLETE: &str = "incomplete: ";
const IMPLIED: &str = "implied: ";

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
struct ArchMap {
    architecture: String,
    sub_architectures: Option<Vec<String>>,
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
    #[serde(rename = "errnoRet")]
    _errno_ret: Option<IgnoredAny>,
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

fn arch_name(text: &str) -> Result<Option<Arch>, String> {
    match text.parse() {
        Ok(arch) => Ok(Some(arch)),
        // One that this tool has no names for.
        Err(_) if text.starts_with("SCMP_ARCH_") => Ok(None),
        Err(e) => Err(e),
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

/// The calls that start a container on this machine.
pub fn startup() -> impl Iterator<Item = crate::syscalls::Call> {
    STARTUP.iter().filter_map(|name| Arch::NATIVE.call(name))
}

pub fn write(profile: &Profile) -> Rendered {
    let mut warnings = Vec::new();
    let Names { seen, implied } = split(profile, "OCI", &mut warnings);
    let mut archs = profile.archs();
    if archs.is_empty() {
        archs.insert(Arch::NATIVE);
    }
    if archs.len() > 1 {
        warnings.push(
            "OCI has one list of names for all architectures: each name is allowed on every one"
                .to_owned(),
        );
    }
    let action = profile.action.unwrap_or(Action::Errno(libc::EPERM as u16));
    let rule = |comment, names| WrittenRule {
        comment,
        names,
        action: ALLOW,
    };
    let mut rules = Vec::new();
    let incomplete = profile.incomplete.as_ref();
    // A rule without names is none.
    if !seen.is_empty() {
        let comment = incomplete.map(|why| format!("{INCOMPLETE}{why}"));
        rules.push(rule(comment, seen));
    } else if incomplete.is_some() {
        warnings.push("OCI has no place to say that an empty list is incomplete".to_owned());
    }
    for (reason, names) in implied {
        rules.push(rule(Some(format!("{IMPLIED}{reason}")), names));
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
    Rendered {
        text: pretty(&written),
        warnings,
    }
}

pub fn read(text: &str, how: &Reading) -> Result<Profile, Syntax> {
    let text = Text::new(text);
    let file: Read<'_> = match text.whole::<Config<'_>>()?.linux {
        Some(linux) => match text.piece::<Linux<'_>>(linux)?.seccomp {
            Some(seccomp) => text.piece(seccomp)?,
            None => return Err(text.wrong(linux, "there is no seccomp in it")),
        },
        None => text.whole()?,
    };
    let archs = architectures(text, file.architectures, file.arch_map, how)?;
    let default = text.piece::<String>(file.default_action)?;
    let action = match text.check(file.default_action, default_action(&default))? {
        Action::Errno(errno) => Action::Errno(file.default_errno_ret.unwrap_or(errno)),
        action => action,
    };
    let mut profile = Profile {
        action: Some(action),
        ..Profile::default()
    };
    for piece in file.syscalls.unwrap_or_default() {
        rule(text, piece, &archs, how, &mut profile)?;
    }
    Ok(profile)
}

fn rule<'a>(
    text: Text<'a>,
    piece: &'a RawValue,
    archs: &[Arch],
    how: &Reading,
    profile: &mut Profile,
) -> Result<(), Syntax> {
    let rule: Rule<'_> = text.piece(piece)?;
    let action: String = text.piece(rule.action)?;
    let allowed = text.check(rule.action, lets_through(&action))?;
    let comment = rule.comment.unwrap_or_default();
    if let Some(why) = comment.strip_prefix(INCOMPLETE) {
        profile.incomplete = Some(why.to_owned());
    }
    let mut conditional = false;
    for condition in [rule.args, rule.includes, rule.excludes] {
        if holds_something(text, condition)? {
            if let (false, Some(condition)) = (how.ignore_conditional, condition) {
                return Err(text.wrong(condition, CONDITIONAL));
            }
            conditional = true;
        }
    }
    for piece in rule.names.into_iter().flatten().chain(rule.name) {
        let name: String = text.piece(piece)?;
        text.check(piece, check_name(&name, how))?;
        if conditional || !allowed {
            continue;
        }
        match comment.strip_prefix(IMPLIED) {
            Some(reason) => mark(profile, archs, &name, reason),
            None => {
                allow(profile, archs, &name);
            }
        }
    }
    Ok(())
}

fn architectures<'a>(
    text: Text<'a>,
    list: Option<Vec<&'a RawValue>>,
    map: Option<Vec<&'a RawValue>>,
    how: &Reading,
) -> Result<Vec<Arch>, Syntax> {
    let mut archs = Vec::new();
    for piece in list.unwrap_or_default() {
        archs.extend(text.check(piece, arch_name(&text.piece::<String>(piece)?))?);
    }
    // Docker maps each machine's architecture to those that come with it.
    for piece in map.unwrap_or_default() {
        let entry: ArchMap = text.piece(piece)?;
        if entry.architecture.parse() == Ok(Arch::NATIVE) {
            archs.push(Arch::NATIVE);
            let more = entry.sub_architectures.unwrap_or_default();
            archs.extend(more.iter().filter_map(|name| name.parse::<Arch>().ok()));
        }
    }
    if let Some(arch) = how.arch {
        archs = vec![arch];
    }
    if archs.is_empty() {
        archs.push(Arch::NATIVE);
    }
    Ok(archs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tests::named;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn one_architecture_comes_back(mut profile in named(&[Arch::X86_64]), errno in 0..4096u16) {
            profile.action = Some(Action::Errno(errno));
            let rendered = write(&profile);
            prop_assert!(rendered.warnings.is_empty());
            prop_assert_eq!(read(&rendered.text, &Reading::default()), Ok(profile));
        }

        #[test]
        fn several_architectures_lose_nothing(profile in named(&Arch::NAMED)) {
            let back = read(&write(&profile).text, &Reading::default()).unwrap();
            prop_assert!(profile.diff(&back).0.is_empty());
        }
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
    fn a_condition_is_an_error_or_left_out() {
        let e = read(DOCKER, &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (6, 66));
        assert!(e.message.contains("conditions"), "{e}");
        let how = Reading {
            ignore_conditional: true,
            ..Reading::default()
        };
        let profile = read(DOCKER, &how).unwrap();
        let calls: Vec<String> = profile.calls.keys().map(ToString::to_string).collect();
        assert_eq!(calls, ["i386:read", "i386:socketcall", "read"]);
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
        assert_eq!(place(text), 10);
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
