// SPDX-License-Identifier: GPL-2.0-only

//! Calls that a profile needs although nobody has seen them.
//!
//! A run does not show all that the same program calls on another day: the
//! kernel and the C library issue calls by themselves, and one call stands in
//! for another when the machine is busy, when a lock is taken, or when the
//! library is a newer one. Each row has its reason, which goes into the profile.
//! A row gives no power that the calls which it follows from do not give: it
//! names another way to do the same, or a call that changes the caller alone.

use crate::profile::Profile;
use crate::syscalls::{Arch, Seen};

/// If one of each group of `seen` was seen, the `implied` ones are needed.
struct Row {
    seen: &'static [&'static [&'static str]],
    implied: &'static [&'static str],
    reason: &'static str,
}

/// A set of calls of which each stands in for each other.
macro_rules! family {
    ($reason:literal, $($name:literal)*) => {
        Row { seen: &[&[$($name),*]], implied: &[$($name),*], reason: $reason }
    };
}

const ROWS: &[Row] = &[
    // What the kernel and the C library issue by themselves.
    Row {
        seen: &[],
        implied: &["rt_sigreturn", "sigreturn"],
        reason: "a signal handler returns by it",
    },
    Row {
        seen: &[],
        implied: &["restart_syscall"],
        reason: "the kernel puts it in place of a wait that a signal has interrupted",
    },
    Row {
        seen: &[],
        implied: &["exit", "exit_group"],
        reason: "a thread, and a program, ends by it",
    },
    // What the vDSO does without a call, as long as it can.
    Row {
        seen: &[],
        implied: &[
            "clock_gettime",
            "clock_gettime64",
            "clock_getres",
            "clock_getres_time64",
            "gettimeofday",
            "time",
            "getcpu",
            "getrandom",
        ],
        reason: "the vDSO falls back to it, as where the clock source changes",
    },
    // Locks and threads.
    Row {
        seen: &[&["clone", "clone3"]],
        implied: &["futex", "futex_time64", "sched_yield"],
        reason: "a thread waits by it if another holds the lock",
    },
    Row {
        seen: &[&["futex", "futex_time64"]],
        implied: &["futex", "futex_time64", "sched_yield"],
        reason: "a lock that spins gives way by it before it sleeps",
    },
    Row {
        seen: &[&["clone", "clone3"]],
        implied: &[
            "set_robust_list",
            "rseq",
            "rt_sigprocmask",
            "munmap",
            "madvise",
        ],
        reason: "the C library begins or ends a thread by it, in an order that varies",
    },
    Row {
        seen: &[
            &["clone", "clone3"],
            &["sigaltstack"],
            &["tgkill", "rt_sigreturn"],
        ],
        implied: &["tgkill", "getpid", "gettid"],
        reason: "a run-time signals its own threads by it, as Go does to one that runs for long",
    },
    // Memory.
    Row {
        seen: &[&["brk", "mmap", "mmap2"]],
        implied: &["brk", "mmap", "mmap2", "munmap", "mremap", "madvise"],
        reason: "which of them an allocator calls depends on sizes, threads and addresses",
    },
    // Waiting.
    family!(
        "libraries differ in which of them they call for the same wait",
        "poll" "ppoll" "ppoll_time64"
    ),
    family!(
        "libraries differ in which of them they call for the same wait",
        "select" "_newselect" "pselect6" "pselect6_time64"
    ),
    family!(
        "libraries differ in which of them they call for the same wait",
        "epoll_wait" "epoll_pwait" "epoll_pwait2"
    ),
    family!(
        "libraries differ in which of them they call for the same wait",
        "nanosleep" "clock_nanosleep" "clock_nanosleep_time64"
    ),
    Row {
        seen: &[&["wait4", "waitid", "waitpid"]],
        implied: &["wait4", "waitid", "waitpid", "rt_sigsuspend"],
        reason: "a shell waits by it if the child has not ended yet",
    },
    // Reading and writing.
    family!("one call reads or writes what another gathers from several places", "read" "readv"),
    family!("one call reads or writes what another gathers from several places", "write" "writev"),
    family!(
        "one call reads or writes what another gathers from several places",
        "pread64" "preadv" "preadv2"
    ),
    family!(
        "one call reads or writes what another gathers from several places",
        "pwrite64" "pwritev" "pwritev2"
    ),
    family!("how many messages wait is another day's matter", "sendmsg" "sendmmsg"),
    family!(
        "how many messages wait is another day's matter",
        "recvmsg" "recvmmsg" "recvmmsg_time64"
    ),
    // The newer call and the older one.
    family!(
        "the C library tries the newer one and falls back",
        "clone" "clone3" "fork" "vfork"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "open" "openat" "openat2"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "stat" "stat64" "lstat" "lstat64" "fstat" "fstat64" "newfstatat" "fstatat64" "statx"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "access" "faccessat" "faccessat2"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "close" "close_range"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "pipe" "pipe2"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "dup2" "dup3"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "accept" "accept4"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "eventfd" "eventfd2"
    ),
    family!(
        "the C library tries the newer one and falls back",
        "epoll_create" "epoll_create1"
    ),
    Row {
        seen: &[&["copy_file_range", "sendfile", "sendfile64", "splice"]],
        implied: &["read", "write"],
        reason: "copying falls back to it on a file system that has no better way",
    },
];

/// Adds to the profile what its calls imply, on each architecture that it has.
pub(crate) fn add(profile: &mut Profile) {
    for arch in profile.archs() {
        let seen = |name: &&str| {
            arch.call(name)
                .and_then(|call| profile.calls.get(&call))
                .is_some_and(|seen| seen.implied.is_none())
        };
        let applies = |row: &&Row| row.seen.iter().all(|group| group.iter().any(&seen));
        let rows: Vec<&Row> = ROWS.iter().filter(applies).collect();
        for row in rows {
            imply(profile, arch, row);
        }
    }
}

/// Whether two names are ways to do the same.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let family = |row: &&Row| row.seen.len() == 1 && row.seen[0] == row.implied;
    let has = |row: &Row| row.implied.contains(&one) && row.implied.contains(&other);
    ROWS.iter().filter(family).any(has)
}

fn imply(profile: &mut Profile, arch: Arch, row: &Row) {
    for name in row.implied {
        if let Some(call) = arch.call(name) {
            // The first reason stays.
            profile.calls.entry(call).or_insert_with(|| Seen {
                implied: Some(row.reason.to_owned()),
                ..Seen::default()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscalls::is_known;

    fn implied(names: &[&str]) -> Vec<String> {
        let mut profile = Profile::default();
        for name in names {
            profile.allow(name.parse().unwrap());
        }
        add(&mut profile);
        let implied = profile
            .calls
            .iter()
            .filter(|(_, seen)| seen.implied.is_some());
        implied.map(|(call, _)| call.to_string()).collect()
    }

    #[test]
    fn each_row_names_calls_and_has_a_reason() {
        for row in ROWS {
            for name in row.seen.concat().iter().chain(row.implied) {
                assert!(is_known(name), "{name}");
            }
            assert!(!row.implied.is_empty());
            assert!(!row.reason.is_empty() && !row.reason.contains('\n'));
        }
    }

    #[test]
    fn what_the_kernel_issues_is_always_there() {
        let implied = implied(&["write"]);
        for name in [
            "restart_syscall",
            "rt_sigreturn",
            "exit",
            "exit_group",
            "clock_gettime",
        ] {
            assert!(implied.iter().any(|other| other == name), "{name}");
        }
        assert!(!implied.iter().any(|name| name == "sched_yield"));
    }

    #[test]
    fn what_stands_in_follows_what_was_seen() {
        let has = |seen: &str, name: &str| implied(&[seen]).iter().any(|other| other == name);
        assert!(has("futex", "sched_yield"));
        assert!(has("clone", "clone3"));
        assert!(has("clone3", "clone"));
        assert!(has("epoll_wait", "epoll_pwait2"));
        assert!(has("openat", "openat2"));
        assert!(has("wait4", "rt_sigsuspend"));
        // What was seen is not implied, and nothing dangerous comes by itself.
        assert!(!has("futex", "futex"));
        for name in [
            "execve", "ptrace", "mprotect", "socket", "kill", "ioctl", "tgkill",
        ] {
            assert!(!has("clone", name), "{name}");
        }
    }

    #[test]
    fn families_do_the_same() {
        assert!(same("stat", "newfstatat") && same("fork", "clone3"));
        assert!(!same("stat", "read") && !same("brk", "mmap"));
    }

    #[test]
    fn each_architecture_has_its_own() {
        let implied = implied(&["i386:futex"]);
        assert!(implied.contains(&"i386:sigreturn".to_owned()));
        assert!(implied.contains(&"i386:clock_gettime64".to_owned()));
        assert!(implied.iter().all(|name| name.starts_with("i386:")));
    }

    #[test]
    fn what_is_implied_implies_nothing() {
        let mut once = Profile::default();
        once.allow("clone".parse().unwrap());
        add(&mut once);
        let mut twice = once.clone();
        add(&mut twice);
        assert_eq!(once, twice);
    }
}
