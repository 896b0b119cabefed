// SPDX-License-Identifier: GPL-2.0-only

//! Building and installing seccomp filters.
//!
//! libseccomp can build them too, but it knows calls by name only, and this
//! tool has to allow numbers that its table does not have yet.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::RawFd;

use libc::{BPF_ABS, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};

use crate::error::{Error, Result};
use crate::syscalls::Call;

/// SECCOMP_RET_LOG: the call goes through and is recorded.
pub const RET_LOG: u32 = 0x7ffc_0000;
/// SECCOMP_RET_ALLOW.
pub const RET_ALLOW: u32 = 0x7fff_0000;
/// SECCOMP_RET_USER_NOTIF: the listener decides.
pub const RET_USER_NOTIF: u32 = 0x7fc0_0000;
/// SECCOMP_RET_ERRNO; the error is in the low 16 bits.
pub const RET_ERRNO: u32 = 0x0005_0000;
/// SECCOMP_RET_KILL_PROCESS.
pub const RET_KILL_PROCESS: u32 = 0x8000_0000;
/// The part of a filter's value that is the action (SECCOMP_RET_ACTION_FULL).
pub const ACTION_MASK: u32 = 0xffff_0000;

/// Offsets into `struct seccomp_data`.
const DATA_NR: u32 = 0;
const DATA_ARCH: u32 = 4;
/// BPF_MAXINSNS: the kernel takes no longer program.
const MAX_INSTRUCTIONS: usize = 4096;

/// A seccomp filter, ready to be installed.
#[derive(Clone)]
pub struct Filter(Vec<libc::sock_filter>);

/// How to install a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Install {
    /// Set `no_new_privs` first; without it the caller needs CAP_SYS_ADMIN.
    pub no_new_privs: bool,
    /// Record refused calls (SECCOMP_FILTER_FLAG_LOG).
    pub log: bool,
    /// Ask for a listener (SECCOMP_FILTER_FLAG_NEW_LISTENER).
    pub listener: bool,
}

const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    }
}

const fn ret(value: u32) -> libc::sock_filter {
    instruction(BPF_RET | BPF_K, 0, 0, value)
}

impl Filter {
    /// A filter that allows `calls` and answers `default` to every other one.
    ///
    /// # Errors
    ///
    /// Fails if the program would be longer than the kernel takes.
    pub fn new<'a>(calls: impl IntoIterator<Item = &'a Call>, default: u32) -> Result<Self> {
        let mut by_arch: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for call in calls {
            by_arch.entry(call.arch).or_default().push(call.nr);
        }
        let mut program = vec![instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, DATA_ARCH)];
        for (arch, mut numbers) in by_arch {
            numbers.sort_unstable();
            numbers.dedup();
            let mut block = vec![instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, DATA_NR)];
            block.extend(tree(&segments(&numbers, default)));
            // A conditional jump reaches 255 instructions, a JA any distance.
            program.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, arch));
            program.push(instruction(BPF_JMP | BPF_JA, 0, 0, block.len() as u32));
            program.append(&mut block);
        }
        program.push(ret(default));
        if program.len() > MAX_INSTRUCTIONS {
            return Err(Error::Unfit(format!(
                "the filter would have {} instructions, the kernel takes {MAX_INSTRUCTIONS}",
                program.len()
            )));
        }
        Ok(Self(program))
    }

    /// Puts the calling thread, and what it will start, under this filter.
    /// Returns the listener if one was asked for.
    ///
    /// Makes system calls and nothing else, so that it may be called between
    /// fork and exec.
    ///
    /// # Errors
    ///
    /// EACCES without CAP_SYS_ADMIN if `no_new_privs` is not set, EINVAL where
    /// the kernel has no seccomp filters or does not know a flag, EBUSY if a
    /// filter with a listener is there already.
    pub fn install(&self, how: Install) -> io::Result<Option<RawFd>> {
        let prog = libc::sock_fprog {
            len: self.0.len() as u16,
            filter: self.0.as_ptr().cast_mut(),
        };
        if how.no_new_privs {
            // SAFETY: PR_SET_NO_NEW_PRIVS takes four integers.
            if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        let mut flags = 0;
        if how.log {
            flags |= libc::SECCOMP_FILTER_FLAG_LOG;
        }
        if how.listener {
            flags |= libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        }
        let set = |flags: libc::c_ulong| {
            // SAFETY: `prog` describes the instructions that `self` owns; the
            // kernel copies them and does not write to them.
            unsafe {
                libc::syscall(
                    libc::SYS_seccomp,
                    libc::SECCOMP_SET_MODE_FILTER,
                    flags,
                    &raw const prog,
                )
            }
        };
        let mut value = -1;
        if how.listener {
            // Without this flag (Linux 5.19) a signal interrupts a call that
            // waits for the listener, and the call is made again.
            value = set(flags | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV as libc::c_ulong);
        }
        if value < 0 {
            value = set(flags);
        }
        match value {
            ..0 => Err(io::Error::last_os_error()),
            _ if !how.listener => Ok(None),
            fd => Ok(Some(fd as RawFd)),
        }
    }
}

/// The number line as pieces of one answer each: where a piece starts, and its
/// answer. The first starts at 0.
fn segments(allowed: &[u32], default: u32) -> Vec<(u32, u32)> {
    let mut pieces: Vec<(u32, u32)> = vec![(0, default)];
    let mut push = |start, value| match pieces.last_mut() {
        Some(last) if last.1 == value => {}
        Some(last) if last.0 == start => last.1 = value,
        _ => pieces.push((start, value)),
    };
    for (i, &nr) in allowed.iter().enumerate() {
        push(nr, RET_ALLOW);
        if let Some(after) = nr.checked_add(1) {
            if allowed.get(i + 1) != Some(&after) {
                push(after, default);
            }
        }
    }
    pieces
}

/// A binary search over the pieces, the number being in the accumulator.
fn tree(pieces: &[(u32, u32)]) -> Vec<libc::sock_filter> {
    let (left, right) = pieces.split_at(pieces.len() / 2);
    let Some(&(start, value)) = right.first() else {
        return Vec::new();
    };
    if left.is_empty() {
        return vec![ret(value)];
    }
    let left = tree(left);
    let mut program = Vec::new();
    match u8::try_from(left.len()) {
        Ok(distance) => {
            program.push(instruction(BPF_JMP | BPF_JGE | BPF_K, distance, 0, start));
        }
        Err(_) => {
            program.push(instruction(BPF_JMP | BPF_JGE | BPF_K, 0, 1, start));
            program.push(instruction(BPF_JMP | BPF_JA, 0, 0, left.len() as u32));
        }
    }
    program.extend(left);
    program.extend(tree(right));
    program
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syscalls::{AUDIT_ARCH_I386, AUDIT_ARCH_X86_64};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Runs the program as the kernel would; any instruction that it does not
    /// know, or a jump out of the program, is a panic.
    fn decide(filter: &Filter, call: Call) -> u32 {
        let (mut pc, mut a) = (0, 0);
        loop {
            let i = filter.0[pc];
            pc += 1;
            match u32::from(i.code) {
                c if c == BPF_LD | BPF_W | BPF_ABS => {
                    a = match i.k {
                        DATA_NR => call.nr,
                        DATA_ARCH => call.arch,
                        other => panic!("load of {other}"),
                    }
                }
                c if c == BPF_JMP | BPF_JA => pc += i.k as usize,
                c if c == BPF_JMP | BPF_JEQ | BPF_K => {
                    pc += usize::from(if a == i.k { i.jt } else { i.jf });
                }
                c if c == BPF_JMP | BPF_JGE | BPF_K => {
                    pc += usize::from(if a >= i.k { i.jt } else { i.jf });
                }
                c if c == BPF_RET | BPF_K => return i.k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    fn check(calls: &BTreeSet<Call>) {
        let filter = Filter::new(calls, RET_LOG).unwrap();
        let numbers = calls.iter().flat_map(|c| {
            [
                c.nr.wrapping_sub(1),
                c.nr,
                c.nr.wrapping_add(1),
                0,
                u32::MAX,
            ]
        });
        for nr in numbers {
            for arch in [AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 0] {
                let call = Call { arch, nr };
                let want = if calls.contains(&call) {
                    RET_ALLOW
                } else {
                    RET_LOG
                };
                assert_eq!(decide(&filter, call), want, "{call:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn exactly_the_listed_calls_are_allowed(
            calls in prop::collection::btree_set(
                (prop_oneof![Just(AUDIT_ARCH_X86_64), Just(AUDIT_ARCH_I386)],
                 prop_oneof![0..500u32, any::<u32>()])
                    .prop_map(|(arch, nr)| Call { arch, nr }),
                0..400,
            )
        ) {
            check(&calls);
        }
    }

    #[test]
    fn the_largest_list_fits() {
        // Every second number is the worst case: no two calls share a piece.
        let calls: BTreeSet<Call> = (0..600)
            .map(|n| Call {
                arch: AUDIT_ARCH_X86_64,
                nr: n * 2,
            })
            .collect();
        check(&calls);
        assert!(Filter::new(&BTreeSet::new(), RET_LOG).is_ok());
    }

    #[test]
    fn a_program_that_is_too_long_is_refused() {
        let calls: Vec<Call> = (0..4000)
            .map(|n| Call {
                arch: AUDIT_ARCH_X86_64,
                nr: n * 2,
            })
            .collect();
        assert!(Filter::new(&calls, RET_LOG).is_err());
    }
}
