// SPDX-License-Identifier: GPL-2.0-only

//! What is wrong with a profile: what a reviewer should see before signing it.

use std::collections::BTreeMap;
use std::fmt;

use crate::action::Action;
use crate::arguments::hiding;
use crate::condition::{Op, INT};
use crate::groups;
use crate::profile::Profile;
use crate::syscalls::{Arch, Call};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It breaks the sandbox.
    Danger,
    /// It is not what was meant, or will not be on another day.
    Warning,
    /// It is worth to know.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Danger => "danger",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Something to know about a profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A name for it that does not change.
    pub rule: &'static str,
    /// The call that it is about, if it is about one.
    pub call: Option<Call>,
    /// A sentence.
    pub text: String,
}

/// Calls that are a way out, and why.
const DANGEROUS: &[(&str, Severity, &str)] = &[
    (
        "ptrace",
        Severity::Danger,
        "it writes into other processes, and changes their calls behind a filter",
    ),
    (
        "process_vm_writev",
        Severity::Danger,
        "it writes into other processes",
    ),
    (
        "process_vm_readv",
        Severity::Warning,
        "it reads other processes",
    ),
    (
        "pidfd_getfd",
        Severity::Danger,
        "it takes open files from other processes",
    ),
    (
        "kcmp",
        Severity::Note,
        "it tells of addresses in the kernel",
    ),
    (
        "perf_event_open",
        Severity::Danger,
        "a large part of the kernel with a long list of holes, and it tells of others' work",
    ),
    ("bpf", Severity::Danger, "it puts programs into the kernel"),
    (
        "init_module",
        Severity::Danger,
        "it puts code into the kernel",
    ),
    (
        "finit_module",
        Severity::Danger,
        "it puts code into the kernel",
    ),
    (
        "delete_module",
        Severity::Danger,
        "it takes code out of the kernel",
    ),
    ("kexec_load", Severity::Danger, "it starts another kernel"),
    (
        "kexec_file_load",
        Severity::Danger,
        "it starts another kernel",
    ),
    ("reboot", Severity::Danger, "it stops the machine"),
    ("iopl", Severity::Danger, "it reaches the hardware"),
    ("ioperm", Severity::Danger, "it reaches the hardware"),
    (
        "mount",
        Severity::Danger,
        "it changes what is where in the file system",
    ),
    (
        "umount2",
        Severity::Danger,
        "it uncovers what was hidden by a mount",
    ),
    (
        "umount",
        Severity::Danger,
        "it uncovers what was hidden by a mount",
    ),
    (
        "pivot_root",
        Severity::Danger,
        "it leaves the root that it was given",
    ),
    (
        "move_mount",
        Severity::Danger,
        "it changes what is where in the file system",
    ),
    ("open_tree", Severity::Warning, "it takes hold of mounts"),
    (
        "fsopen",
        Severity::Danger,
        "it mounts by steps; each file system is code to attack",
    ),
    (
        "fsconfig",
        Severity::Danger,
        "it mounts by steps; it had CVE-2022-0185",
    ),
    ("fsmount", Severity::Danger, "it mounts by steps"),
    (
        "mount_setattr",
        Severity::Danger,
        "it makes mounts writable, or lets set-uid programs on them work",
    ),
    (
        "chroot",
        Severity::Warning,
        "with privilege it is a way out of a root",
    ),
    (
        "open_by_handle_at",
        Severity::Danger,
        "it opens files past all directories, by which containers were left",
    ),
    (
        "setns",
        Severity::Danger,
        "it enters somebody else's namespaces",
    ),
    (
        "keyctl",
        Severity::Warning,
        "keyrings are not in a namespace, and outlive the process",
    ),
    (
        "add_key",
        Severity::Warning,
        "keyrings are not in a namespace, and outlive the process",
    ),
    (
        "request_key",
        Severity::Warning,
        "it has the kernel start a program outside",
    ),
    (
        "userfaultfd",
        Severity::Warning,
        "it stops the kernel where an attacker wants it",
    ),
    (
        "io_uring_setup",
        Severity::Danger,
        "what is submitted to a ring is no system call, so that no filter sees it",
    ),
    (
        "modify_ldt",
        Severity::Warning,
        "segments that no program needs, and holes",
    ),
    ("swapon", Severity::Danger, "it changes the machine"),
    ("swapoff", Severity::Danger, "it changes the machine"),
    (
        "settimeofday",
        Severity::Warning,
        "it changes the machine's clock",
    ),
    (
        "clock_settime",
        Severity::Warning,
        "it changes the machine's clock",
    ),
    (
        "quotactl",
        Severity::Warning,
        "it changes what others may store",
    ),
    ("acct", Severity::Warning, "it changes the machine"),
    (
        "execveat",
        Severity::Note,
        "it executes what has no path, which what looks at paths does not see",
    ),
    (
        "memfd_secret",
        Severity::Note,
        "it hides memory from the kernel itself",
    ),
    (
        "syslog",
        Severity::Warning,
        "it reads the kernel's log, with addresses",
    ),
    (
        "personality",
        Severity::Note,
        "READ_IMPLIES_EXEC and ADDR_NO_RANDOMIZE take protections away",
    ),
    (
        "nfsservctl",
        Severity::Warning,
        "no kernel has needed it for long",
    ),
    (
        "uselib",
        Severity::Warning,
        "no program needs it, and it had holes",
    ),
    ("_sysctl", Severity::Warning, "no program needs it"),
    ("vm86", Severity::Warning, "no program needs it"),
];

/// Arguments with which an ordinary call is a way out.
const ARGUMENTS: &[(&str, [u64; 3], Severity, &str)] = &[
    ("socket", [38, 5, 0], Severity::Danger, "it opens AF_ALG sockets, the kernel's cryptography (CVE-2026-31431)"),
    ("socket", [17, 3, 0], Severity::Warning, "it opens AF_PACKET sockets, which see all that the network carries"),
    ("socket", [40, 1, 0], Severity::Warning, "it opens AF_VSOCK sockets, which reach the host of a virtual machine"),
    ("socket", [16, 3, 12], Severity::Note, "it opens NETLINK_NETFILTER sockets, by which nf_tables is reached"),
    ("socketcall", [1, 0, 0], Severity::Warning, "it opens sockets of any family, as its arguments are behind a pointer"),
    ("clone", [0x1000_0011, 0, 0], Severity::Danger, "it opens user namespaces, inside which there are all capabilities"),
    ("unshare", [0x1000_0000, 0, 0], Severity::Danger, "it opens user namespaces, inside which there are all capabilities"),
    ("clone3", [0; 3], Severity::Warning, "it opens user namespaces, as its flags are behind a pointer; answered with ENOSYS, the C library takes clone"),
    ("ioctl", [0, 0x5412, 0], Severity::Danger, "TIOCSTI types into the terminal of whoever started it"),
    ("ioctl", [0, 0x541c, 0], Severity::Danger, "TIOCLINUX pastes into the console"),
    ("madvise", [0, 0, 100], Severity::Warning, "MADV_HWPOISON takes memory from the machine"),
    ("prctl", [59, 0, 0], Severity::Note, "PR_SET_SYSCALL_USER_DISPATCH takes calls away from those who look at them"),
    ("mmap", [0, 0, 7], Severity::Warning, "it maps memory that is writable and executable at once"),
    ("mmap2", [0, 0, 7], Severity::Warning, "it maps memory that is writable and executable at once"),
    ("mprotect", [0, 0, 7], Severity::Warning, "it makes memory writable and executable at once"),
    ("pkey_mprotect", [0, 0, 7], Severity::Warning, "it makes memory writable and executable at once"),
];

/// All that is to be said of a profile, the worst first.
pub fn lint(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    dangerous(profile, &mut findings);
    exposed(profile, &mut findings);
    conditions(profile, &mut findings);
    defaults(profile, &mut findings);
    findings.sort();
    findings
}

fn finding(
    severity: Severity,
    rule: &'static str,
    call: Option<Call>,
    text: impl Into<String>,
) -> Finding {
    Finding {
        severity,
        rule,
        call,
        text: text.into(),
    }
}

fn dangerous(profile: &Profile, findings: &mut Vec<Finding>) {
    for (&call, seen) in &profile.calls {
        let Some(name) = call.name() else { continue };
        let row = DANGEROUS.iter().find(|(other, ..)| *other == name);
        if let Some(&(_, severity, why)) = row {
            // With certain arguments it may be harmless: that is for a person.
            let severity = match seen.when.is_always() {
                true => severity,
                false => Severity::Note,
            };
            findings.push(finding(severity, "dangerous-call", Some(call), why));
        }
        for (other, [a, b, c], severity, why) in ARGUMENTS {
            if *other == name && seen.when.holds(&[*a, *b, *c, 0, 0, 0]) {
                findings.push(finding(*severity, "dangerous-argument", Some(call), *why));
            }
        }
    }
}

/// What systemd-analyze security counts, where no sentence of ours is about it.
fn exposed(profile: &Profile, findings: &mut Vec<Finding>) {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for call in profile.calls.keys() {
        let Some(name) = call.name() else { continue };
        let known = DANGEROUS.iter().any(|(other, ..)| *other == name);
        if groups::exposes(&name) && !known {
            let (_, group) = groups::of(&name);
            groups.entry(group).or_default().push(call.to_string());
        }
    }
    for (group, calls) in groups {
        let text = format!(
            "{} of {group}, which systemd-analyze security counts as exposure",
            calls.join(" ")
        );
        findings.push(finding(Severity::Note, "exposed-group", None, text));
    }
}

fn conditions(profile: &Profile, findings: &mut Vec<Finding>) {
    for (call, undone) in hiding(profile) {
        let undone: Vec<String> = undone.iter().map(ToString::to_string).collect();
        let text = format!(
            "it takes the same arguments behind a pointer, and undoes the condition of {}",
            undone.join(" ")
        );
        findings.push(finding(
            Severity::Warning,
            "hidden-arguments",
            Some(call),
            text,
        ));
    }
    for (&call, seen) in &profile.calls {
        let cases: Vec<_> = seen.when.cases().into_iter().flatten().collect();
        let negative = |op| matches!(op, Op::Ne);
        let only_negative = cases
            .iter()
            .any(|case| case.tests().all(|test| negative(test.op)));
        if only_negative {
            let text =
                "its condition names what is refused, and allows whatever a newer kernel adds";
            findings.push(finding(
                Severity::Warning,
                "negative-condition",
                Some(call),
                text,
            ));
        }
        let int = |arg| crate::arguments::is_int(call, arg);
        let wide = cases.iter().flat_map(|case| case.tests()).any(|test| {
            test.mask & !INT != 0 && int(test.arg) && matches!(test.op, Op::Ne | Op::Gt | Op::Ge)
        });
        if wide {
            let text = "its condition compares 64 bits of what the kernel takes as 32: with a bit set above, \
                        what is to be refused is allowed";
            findings.push(finding(
                Severity::Danger,
                "wide-condition",
                Some(call),
                text,
            ));
        }
    }
}

fn defaults(profile: &Profile, findings: &mut Vec<Finding>) {
    let mut push = |severity, rule, text: String| {
        findings.push(finding(severity, rule, None, text));
    };
    if let Some(why) = &profile.incomplete {
        let text = format!("the list is incomplete: {why}");
        push(Severity::Warning, "incomplete", text);
    }
    match profile.action {
        Some(Action::Errno(errno)) if errno != libc::ENOSYS as u16 => {
            push(
                Severity::Note,
                "silent-refusal",
                "other calls fail and nothing is recorded, so that nobody hears of an attack, or of a call that is missing"
                    .to_owned(),
            );
        }
        Some(Action::Log) => push(
            Severity::Warning,
            "nothing-refused",
            "other calls are recorded and made: nothing is refused".to_owned(),
        ),
        _ => {}
    }
    for arch in profile.archs() {
        let allows = |name: &str| {
            let call = arch.call(name);
            call.is_some_and(|call| profile.calls.contains_key(&call))
        };
        let answered = |errno| profile.action == Some(Action::Errno(errno));
        let absent = arch
            .call("clone3")
            .is_some_and(|call| profile.absent.calls.contains(&call));
        if allows("clone") && !allows("clone3") && !absent && !answered(libc::ENOSYS as u16) {
            push(
                Severity::Warning,
                "clone3",
                format!(
                    "{arch}: clone3 is refused with something else than ENOSYS, for which alone the C library takes \
                     clone instead: threads fail from glibc 2.34 on"
                ),
            );
        }
        if arch == Arch::NATIVE && !allows("execve") && !allows("execveat") {
            push(
                Severity::Note,
                "no-execve",
                format!("{arch}: nothing can be executed, so that the profile must be put on from inside the program"),
            );
        }
        if arch == Arch::I386 && profile.archs().contains(&Arch::X86_64) {
            push(
                Severity::Note,
                "two-architectures",
                "i386's calls are allowed beside x86-64's: an exploit takes whichever is easier"
                    .to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Case, Test, When};

    fn rules(text: &str) -> Vec<&'static str> {
        let mut profile = Profile::default();
        for name in text.split_whitespace() {
            profile.allow(name.parse().unwrap());
        }
        lint(&profile).iter().map(|found| found.rule).collect()
    }

    #[test]
    fn each_row_names_a_call() {
        for (name, _, why) in DANGEROUS {
            assert!(crate::syscalls::is_known(name), "{name}");
            assert!(!why.ends_with('.'), "{why}");
        }
        for (name, ..) in ARGUMENTS {
            assert!(crate::syscalls::is_known(name), "{name}");
        }
    }

    #[test]
    fn what_is_harmless_has_no_finding() {
        assert_eq!(rules("execve read write exit_group"), Vec::<&str>::new());
        assert_eq!(rules("execve ptrace"), ["dangerous-call"]);
        assert!(rules("execve sched_setscheduler").contains(&"exposed-group"));
        assert!(rules("execve clone").contains(&"clone3"));
    }

    #[test]
    fn a_condition_takes_a_finding_away() {
        let only = |test: Test| {
            let mut profile = Profile::default();
            profile.allow("execve".parse().unwrap());
            profile.allow_when(
                "socket".parse().unwrap(),
                When::any([Case::from_iter([test])]),
            );
            let found = lint(&profile);
            found.iter().map(|found| found.rule).collect::<Vec<_>>()
        };
        assert_eq!(only(Test::masked(0, INT, Op::Eq, 2)), Vec::<&str>::new());
        assert_eq!(
            only(Test::masked(0, INT, Op::Eq, 38)),
            ["dangerous-argument"]
        );
        let docker = only(Test::new(0, Op::Ne, 40));
        assert!(docker.contains(&"wide-condition") && docker.contains(&"negative-condition"));
        assert!(!only(Test::masked(0, INT, Op::Ne, 40)).contains(&"wide-condition"));
    }

    #[test]
    fn the_worst_comes_first() {
        let mut profile = Profile::default();
        for name in ["kcmp", "ptrace", "add_key", "execve"] {
            profile.allow(name.parse().unwrap());
        }
        let severities: Vec<Severity> = lint(&profile).iter().map(|found| found.severity).collect();
        assert_eq!(
            severities,
            [Severity::Danger, Severity::Warning, Severity::Note]
        );
    }
}
