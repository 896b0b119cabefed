// SPDX-License-Identifier: GPL-2.0

//! The OCI runtime specification's `linux.seccomp`, alone or inside a
//! `config.json`; and Docker's and podman's files, which are almost that.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::strict::{Name, Nothing};
use super::{allow, names, pretty, Reading, Rendered, Something, Syntax};
use crate::action::Action;
use crate::profile::Profile;
use crate::syscalls::Arch;

const ALLOW: &str = "SCMP_ACT_ALLOW";

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

#[derive(Deserialize)]
struct Config<N, C> {
    linux: Linux<N, C>,
}

#[derive(Deserialize)]
struct Linux<N, C> {
    seccomp: Read<N, C>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read<N, C> {
    default_action: Default_,
    default_errno_ret: Option<u16>,
    #[serde(default)]
    architectures: Option<Vec<ArchName>>,
    #[serde(default)]
    arch_map: Option<Vec<ArchMap>>,
    #[serde(default = "Vec::new")]
    syscalls: Vec<Rule<N, C>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchMap {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule<N, C> {
    #[serde(default = "Vec::new")]
    names: Vec<N>,
    /// Docker's old form.
    name: Option<N>,
    action: String,
    #[serde(default)]
    comment: Option<String>,
    args: Option<C>,
    includes: Option<C>,
    excludes: Option<C>,
}

/// The default action, checked where it stands.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Default_(Action);

impl TryFrom<String> for Default_ {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(Self(match text.as_str() {
            "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" | "SCMP_ACT_KILL_PROCESS" => Action::Kill,
            "SCMP_ACT_ERRNO" => Action::Errno(libc::EPERM as u16),
            "SCMP_ACT_LOG" => Action::Log,
            ALLOW => return Err("a profile that allows by default is no allowlist".to_owned()),
            _ => return Err(format!("the default action {text:?} is not supported")),
        }))
    }
}

/// An architecture's name, checked where it stands.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ArchName(Option<Arch>);

impl TryFrom<String> for ArchName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.parse() {
            Ok(arch) => Ok(Self(Some(arch))),
            // One that this tool has no names for.
            Err(_) if text.starts_with("SCMP_ARCH_") => Ok(Self(None)),
            Err(e) => Err(e),
        }
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
    let names = names(profile.calls.keys(), "OCI", &mut warnings);
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
        syscalls: vec![WrittenRule {
            comment: profile
                .incomplete
                .as_ref()
                .map(|why| format!("incomplete: {why}")),
            names,
            action: ALLOW,
        }],
    };
    Rendered {
        text: pretty(&written),
        warnings,
    }
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
    #[derive(Deserialize)]
    struct Probe {
        linux: Option<serde::de::IgnoredAny>,
    }
    let inside = serde_json::from_str::<Probe>(text)?.linux.is_some();
    let file: Read<N, C> = if inside {
        serde_json::from_str::<Config<N, C>>(text)?.linux.seccomp
    } else {
        serde_json::from_str(text)?
    };
    let archs = architectures(file.architectures, file.arch_map, how);
    let action = match (file.default_action.0, file.default_errno_ret) {
        (Action::Errno(_), Some(errno)) => Action::Errno(errno),
        (action, _) => action,
    };
    let mut profile = Profile {
        action: Some(action),
        ..Profile::default()
    };
    for rule in file.syscalls {
        if let Some(why) = rule
            .comment
            .as_deref()
            .and_then(|c| c.strip_prefix("incomplete: "))
        {
            profile.incomplete = Some(why.to_owned());
        }
        let conditional = [rule.args, rule.includes, rule.excludes]
            .into_iter()
            .flatten()
            .any(Into::into);
        // What is refused in a way of its own is refused all the same.
        if conditional || rule.action != ALLOW {
            continue;
        }
        for name in rule.names.into_iter().chain(rule.name) {
            allow(&mut profile, &archs, &name.into());
        }
    }
    Ok(profile)
}

fn architectures(
    list: Option<Vec<ArchName>>,
    map: Option<Vec<ArchMap>>,
    how: &Reading,
) -> Vec<Arch> {
    if let Some(arch) = how.arch {
        return vec![arch];
    }
    let mut archs: Vec<Arch> = list
        .unwrap_or_default()
        .into_iter()
        .filter_map(|name| name.0)
        .collect();
    // Docker maps each machine's architecture to those that come with it.
    for entry in map.unwrap_or_default() {
        if entry.architecture.parse() == Ok(Arch::NATIVE) {
            archs.push(Arch::NATIVE);
            let more = entry.sub_architectures.unwrap_or_default();
            archs.extend(more.iter().filter_map(|name| name.parse::<Arch>().ok()));
        }
    }
    if archs.is_empty() {
        archs.push(Arch::NATIVE);
    }
    archs
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
        assert_eq!(e.line, 6);
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
        assert_eq!((e.line, e.column), (3, 27));
        assert!(e.message.contains("nonsense"), "{e}");
        let e = read(&text.replace("_KILL", "_ALLOW"), &Reading::default()).unwrap_err();
        assert_eq!(e.line, 1);
        let e = read("{\"defaultAction\":\n}", &Reading::default()).unwrap_err();
        assert_eq!((e.line, e.column), (2, 1));
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
