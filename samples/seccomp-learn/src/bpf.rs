// SPDX-License-Identifier: GPL-2.0-only

//! Building and installing seccomp filters.
//!
//! libseccomp can build them too, but it knows calls by name only, and this
//! tool has to allow numbers that its table does not have yet.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::RawFd;

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_K, BPF_LD, BPF_RET,
    BPF_W,
};

use crate::absent::Absent;
use crate::condition::{Case, Op, Test, When};
use crate::error::{Error, Result};
use crate::syscalls::{Arch, Call};

/// SECCOMP_RET_LOG: the call goes through and is recorded.
pub const RET_LOG: u32 = 0x7ffc_0000;
/// SECCOMP_RET_ALLOW.
pub const RET_ALLOW: u32 = 0x7fff_0000;
/// SECCOMP_RET_USER_NOTIF: the listener decides.
pub const RET_USER_NOTIF: u32 = 0x7fc0_0000;
/// SECCOMP_RET_ERRNO; the error is in the low 16 bits.
pub const RET_ERRNO: u32 = 0x0005_0000;
/// The call fails as one that the kernel does not have.
const RET_ENOSYS: u32 = RET_ERRNO | libc::ENOSYS as u32;
/// SECCOMP_RET_KILL_PROCESS.
pub const RET_KILL_PROCESS: u32 = 0x8000_0000;
/// The part of a filter's value that is the action (SECCOMP_RET_ACTION_FULL).
pub const ACTION_MASK: u32 = 0xffff_0000;

/// Offsets into `struct seccomp_data`.
const DATA_NR: u32 = 0;
const DATA_ARCH: u32 = 4;
const DATA_ARGS: u32 = 16;
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
    /// Record each call once (SECCOMP_FILTER_FLAG_LOG_ONCE); where
    /// [`knows_log_once`] says so.
    pub once: bool,
    /// Ask for a listener (SECCOMP_FILTER_FLAG_NEW_LISTENER).
    pub listener: bool,
}

/// Of kernels with CONFIG_SECCOMP_LOG_ONCE, whose filters remember what they have
/// logged; Linux' own headers do not have it.
const FLAG_LOG_ONCE: libc::c_ulong = 1 << 31;

/// Whether the kernel knows SECCOMP_FILTER_FLAG_LOG_ONCE. Nothing is installed.
#[must_use]
pub fn knows_log_once() -> bool {
    // SAFETY: without a program the call fails, at the latest when the kernel
    // reads it: where it knows the flags.
    let status = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            FLAG_LOG_ONCE,
            std::ptr::null::<libc::sock_fprog>(),
        )
    };
    status == -1 && io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT)
}

const fn instruction(code: u32, jt: u8, jf: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    }
}

const fn load(offset: u32) -> libc::sock_filter {
    instruction(BPF_LD | BPF_W | BPF_ABS, 0, 0, offset)
}

const fn ret(value: u32) -> libc::sock_filter {
    instruction(BPF_RET | BPF_K, 0, 0, value)
}

impl Filter {
    /// A filter that allows these calls, each in its cases, and answers `default`
    /// to every other one.
    ///
    /// # Errors
    ///
    /// Fails if the program would be longer than the kernel takes.
    pub fn new<'a>(
        rules: impl IntoIterator<Item = (&'a Call, &'a When)>,
        default: u32,
    ) -> Result<Self> {
        Self::mixed(rules, default, &Asked::new(), &Absent::default())
    }

    /// The same, but `asked` calls that are not allowed go to the listener, unless
    /// `default` is their answer in the case; and `absent` ones are answered with
    /// ENOSYS.
    ///
    /// # Errors
    ///
    /// As [`Filter::new`].
    pub fn mixed<'a>(
        rules: impl IntoIterator<Item = (&'a Call, &'a When)>,
        default: u32,
        asked: &Asked,
        absent: &Absent,
    ) -> Result<Self> {
        let mut by_arch: BTreeMap<u32, BTreeMap<u32, Answer<'_>>> = BTreeMap::new();
        for arch in absent.newer.keys() {
            by_arch.entry(arch.audit()).or_default();
        }
        for call in &absent.calls {
            let answers = by_arch.entry(call.arch).or_default();
            answers.insert(call.nr, Answer::Return(RET_ENOSYS));
        }
        for (call, unasked) in asked {
            let answers = by_arch.entry(call.arch).or_default();
            answers.insert(
                call.nr,
                Answer::of(&NEVER, (unasked, default), RET_USER_NOTIF),
            );
        }
        for (call, when) in rules {
            let answers = by_arch.entry(call.arch).or_default();
            let answer = match asked.get(call) {
                Some(unasked) => Answer::of(when, (unasked, default), RET_USER_NOTIF),
                None => Answer::of(when, (&NEVER, default), default),
            };
            answers.insert(call.nr, answer);
        }
        let mut program = vec![load(DATA_ARCH)];
        for (arch, answers) in by_arch {
            let mut block = vec![load(DATA_NR)];
            let newer = absent.newer.iter();
            let from = newer
                .filter(|(other, _)| other.audit() == arch && **other != Arch::X32)
                .map(|(_, &from)| from)
                .next();
            block.extend(tree(&segments(&answers, default, from)));
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

    #[cfg(test)]
    pub(crate) fn instructions(&self) -> &[libc::sock_filter] {
        &self.0
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
        if how.once {
            flags |= FLAG_LOG_ONCE;
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

/// The calls that go to a listener, and when each has the filter's default
/// answer all the same.
pub type Asked = BTreeMap<Call, When>;

static NEVER: When = When::In(BTreeSet::new());

/// What a call is answered.
#[derive(Clone, Copy, PartialEq)]
enum Answer<'a> {
    Return(u32),
    /// What stands by the first condition that holds, or else the last.
    If([(&'a When, u32); 2], u32),
}

impl<'a> Answer<'a> {
    fn of(allowed: &'a When, second: (&'a When, u32), otherwise: u32) -> Self {
        match (allowed, second) {
            (When::Always, _) => Self::Return(RET_ALLOW),
            (allowed, (when, _)) if allowed.is_never() && when.is_never() => {
                Self::Return(otherwise)
            }
            (allowed, second) => Self::If([(allowed, RET_ALLOW), second], otherwise),
        }
    }
}

/// The number line as pieces of one answer each: where a piece starts, and its
/// answer. The first starts at 0. What has no answer of its own is absent where
/// it is newer.
fn segments<'a>(
    answers: &BTreeMap<u32, Answer<'a>>,
    default: u32,
    newer: Option<u32>,
) -> Vec<(u32, Answer<'a>)> {
    let newer = newer.map(|from| from..Absent::END).unwrap_or_default();
    let at = |nr| {
        let own = answers.get(&nr).copied();
        own.unwrap_or(Answer::Return(match newer.contains(&nr) {
            true => RET_ENOSYS,
            false => default,
        }))
    };
    let mut starts = BTreeSet::from([0, newer.start, newer.end]);
    for &nr in answers.keys() {
        starts.insert(nr);
        starts.extend(nr.checked_add(1));
    }
    let mut pieces: Vec<(u32, Answer<'_>)> = Vec::new();
    for start in starts {
        let answer = at(start);
        let same = pieces.last().is_some_and(|(_, last)| *last == answer);
        if !same || matches!(answer, Answer::If(..)) {
            pieces.push((start, answer));
        }
    }
    pieces
}

/// A binary search over the pieces, the number being in the accumulator.
fn tree(pieces: &[(u32, Answer<'_>)]) -> Vec<libc::sock_filter> {
    let (left, right) = pieces.split_at(pieces.len() / 2);
    let Some(&(start, answer)) = right.first() else {
        return Vec::new();
    };
    if left.is_empty() {
        return match answer {
            Answer::Return(value) => vec![ret(value)],
            Answer::If(conditions, otherwise) => {
                let conditions = conditions.iter();
                let parts = conditions.flat_map(|&(when, answer)| cases(when, answer));
                parts.chain([ret(otherwise)]).collect()
            }
        };
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

/// Answers if one of the cases holds, and goes on behind itself if none does.
fn cases(when: &When, answer: u32) -> Vec<libc::sock_filter> {
    let Some(cases) = when.cases() else {
        return vec![ret(answer)];
    };
    let mut program = Vec::new();
    let mut left = cases.iter().peekable();
    while let Some(case) = left.next() {
        let Some((arg, mask, value)) = word(case) else {
            program.extend(one_case(case, answer));
            continue;
        };
        // A list of values: the argument is loaded once.
        let mut values = vec![value];
        while let Some((_, _, value)) = left
            .peek()
            .and_then(|case| word(case))
            .filter(|next| (next.0, next.1) == (arg, mask) && values.len() < MAX_LIST)
        {
            values.push(value);
            left.next();
        }
        program.push(load(low(arg)));
        if mask != u32::MAX {
            program.push(instruction(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask));
        }
        let last = values.len() - 1;
        for (at, &value) in values.iter().enumerate() {
            // To the answer, which stands behind the last; that one jumps over it.
            let no = u8::from(at == last);
            let yes = (last - at) as u8;
            program.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, yes, no, value));
        }
        program.push(ret(answer));
    }
    program
}

/// As many values as a jump reaches over.
const MAX_LIST: usize = 200;

/// The test of a case, if that is all that it has: some bits of an argument's lower
/// half are those of a value.
fn word(case: &Case) -> Option<(u8, u32, u32)> {
    let mut tests = case.tests();
    let test = tests.next().filter(|test| test.op == Op::Eq)?;
    let (mask, value) = (
        u32::try_from(test.mask).ok()?,
        u32::try_from(test.value).ok()?,
    );
    tests.next().is_none().then_some((test.arg, mask, value))
}

/// Answers if all tests hold, and goes on behind itself if one does not.
fn one_case(case: &Case, answer: u32) -> Vec<libc::sock_filter> {
    // From the last test to the first, so that the distance to the end is known.
    let mut program = vec![ret(answer)];
    for test in case.tests().rev() {
        let mut block = one_test(test);
        block.push(instruction(BPF_JMP | BPF_JA, 0, 0, program.len() as u32));
        block.append(&mut program);
        program = block;
    }
    program
}

/// Where an instruction of a test goes if its comparison holds, or does not.
#[derive(Clone, Copy)]
enum Then {
    Next,
    Holds,
    Fails,
}

/// The instructions of one test. Where it fails it goes on behind its last one,
/// where it holds one further.
fn one_test(test: &Test) -> Vec<libc::sock_filter> {
    let halves = [
        (
            high(test.arg),
            (test.mask >> 32) as u32,
            (test.value >> 32) as u32,
        ),
        (low(test.arg), test.mask as u32, test.value as u32),
    ];
    // Lt and Le are what Ge and Gt are not.
    let (op, yes, no) = match test.op {
        Op::Eq => (Op::Eq, Then::Holds, Then::Fails),
        Op::Ne => (Op::Eq, Then::Fails, Then::Holds),
        Op::Ge => (Op::Ge, Then::Holds, Then::Fails),
        Op::Lt => (Op::Ge, Then::Fails, Then::Holds),
        Op::Gt => (Op::Gt, Then::Holds, Then::Fails),
        Op::Le => (Op::Gt, Then::Fails, Then::Holds),
    };
    let mut code: Vec<(u32, u32, Then, Then)> = Vec::new();
    let [upper, lower] = halves;
    let fetch = |code: &mut Vec<_>, offset, mask| {
        code.push((BPF_LD | BPF_W | BPF_ABS, offset, Then::Next, Then::Next));
        if mask != u32::MAX {
            code.push((BPF_ALU | BPF_AND | BPF_K, mask, Then::Next, Then::Next));
        }
    };
    // A half of which no bit counts is 0, and compares with 0 as the same.
    if (upper.1, upper.2) != (0, 0) {
        fetch(&mut code, upper.0, upper.1);
        if op != Op::Eq {
            code.push((BPF_JMP | BPF_JGT | BPF_K, upper.2, yes, Then::Next));
        }
        code.push((BPF_JMP | BPF_JEQ | BPF_K, upper.2, Then::Next, no));
    }
    if (lower.1, lower.2) != (0, 0) || op != Op::Eq || code.is_empty() {
        fetch(&mut code, lower.0, lower.1);
        let compare = match op {
            Op::Ge => BPF_JGE,
            Op::Gt => BPF_JGT,
            _ => BPF_JEQ,
        };
        code.push((BPF_JMP | compare | BPF_K, lower.2, yes, no));
    } else if let Some(last) = code.last_mut() {
        last.2 = yes;
    }
    let length = code.len();
    let jump = |at: usize, then| match then {
        Then::Next => 0,
        Then::Fails => length - 1 - at,
        Then::Holds => length - at,
    };
    code.into_iter()
        .enumerate()
        .map(|(at, (code, k, yes, no))| {
            // Seven instructions at most.
            instruction(code, jump(at, yes) as u8, jump(at, no) as u8, k)
        })
        .collect()
}

/// Where the upper half of an argument is.
const fn high(arg: u8) -> u32 {
    DATA_ARGS + 8 * arg as u32 + if cfg!(target_endian = "little") { 4 } else { 0 }
}

/// Where the lower half of an argument is.
const fn low(arg: u8) -> u32 {
    DATA_ARGS + 8 * arg as u32 + if cfg!(target_endian = "little") { 0 } else { 4 }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::condition::tests::{args, learnt, when};
    use crate::syscalls::{AUDIT_ARCH_I386, AUDIT_ARCH_X86_64, X32_BIT};
    use proptest::prelude::*;

    /// Runs the program as the kernel would; any instruction that it does not
    /// know, or a jump out of the program, is a panic.
    pub(crate) fn decide(program: &[libc::sock_filter], call: Call, args: &[u64; 6]) -> u32 {
        let (mut pc, mut a) = (0, 0);
        loop {
            let i = program[pc];
            pc += 1;
            match u32::from(i.code) {
                c if c == BPF_LD | BPF_W | BPF_ABS => {
                    a = match i.k {
                        DATA_NR => call.nr,
                        DATA_ARCH => call.arch,
                        offset if (DATA_ARGS..DATA_ARGS + 48).contains(&offset) => {
                            let bytes: Vec<u8> =
                                args.iter().flat_map(|arg| arg.to_ne_bytes()).collect();
                            let at = (offset - DATA_ARGS) as usize;
                            assert_eq!(at % 4, 0);
                            u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
                        }
                        other => panic!("load of {other}"),
                    }
                }
                c if c == BPF_ALU | BPF_AND | BPF_K => a &= i.k,
                c if c == BPF_JMP | BPF_JA => pc += i.k as usize,
                c if c == BPF_JMP | BPF_JEQ | BPF_K => {
                    pc += usize::from(if a == i.k { i.jt } else { i.jf });
                }
                c if c == BPF_JMP | BPF_JGE | BPF_K => {
                    pc += usize::from(if a >= i.k { i.jt } else { i.jf });
                }
                c if c == BPF_JMP | BPF_JGT | BPF_K => {
                    pc += usize::from(if a > i.k { i.jt } else { i.jf });
                }
                c if c == BPF_RET | BPF_K => return i.k,
                other => panic!("instruction {other:#x}"),
            }
        }
    }

    fn filter(calls: &BTreeSet<Call>) -> Result<Filter> {
        Filter::new(calls.iter().map(|call| (call, &When::Always)), RET_LOG)
    }

    fn check(calls: &BTreeSet<Call>) {
        let filter = filter(calls).unwrap();
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
                assert_eq!(decide(&filter.0, call, &[0; 6]), want, "{call:?}");
            }
        }
    }

    fn any_call(numbers: std::ops::Range<u32>) -> impl Strategy<Value = Call> {
        (
            prop_oneof![Just(AUDIT_ARCH_X86_64), Just(AUDIT_ARCH_I386)],
            numbers,
        )
            .prop_map(|(arch, nr)| Call { arch, nr })
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

        #[test]
        fn a_condition_means_in_the_filter_what_it_says(
            rules in prop::collection::btree_map(
                any_call(0..8), prop_oneof![Just(When::Always), when()], 0..12),
            calls in prop::collection::vec((any_call(0..9), args()), 60),
        ) {
            let filter = Filter::new(&rules, RET_LOG).unwrap();
            for (call, args) in calls {
                let allowed = rules.get(&call).is_some_and(|when| when.holds(&args));
                let want = if allowed { RET_ALLOW } else { RET_LOG };
                prop_assert_eq!(decide(&filter.0, call, &args), want, "{:?} {:x?}", call, args);
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_asked_about_goes_to_the_listener(
            rules in prop::collection::btree_map(
                any_call(0..8), prop_oneof![Just(When::Always), when()], 0..12),
            asked in prop::collection::btree_map(
                any_call(0..9), prop_oneof![Just(When::any([])), when(), learnt()], 0..8),
            calls in prop::collection::vec((any_call(0..10), args()), 60),
        ) {
            let filter = Filter::mixed(&rules, RET_LOG, &asked, &Absent::default()).unwrap();
            for (call, args) in calls {
                let allowed = rules.get(&call).is_some_and(|when| when.holds(&args));
                let want = match (allowed, asked.get(&call)) {
                    (true, _) => RET_ALLOW,
                    (_, Some(unasked)) if !unasked.holds(&args) => RET_USER_NOTIF,
                    _ => RET_LOG,
                };
                prop_assert_eq!(decide(&filter.0, call, &args), want, "{:?} {:x?}", call, args);
            }
        }
    }

    #[test]
    fn what_is_newer_is_absent() {
        let call = |nr| Call {
            arch: AUDIT_ARCH_X86_64,
            nr,
        };
        let mut absent = Absent::default();
        absent.newer.insert(Arch::X86_64, 500);
        absent.calls.insert(call(435));
        let rules = BTreeMap::from([1, 499, 600].map(|nr| (call(nr), When::Always)));
        let filter = Filter::mixed(&rules, RET_LOG, &Asked::new(), &absent).unwrap();
        let answer = |call| decide(&filter.0, call, &[0; 6]);
        for nr in [435, 500, 501, 599, 601, X32_BIT - 1] {
            assert_eq!(answer(call(nr)), RET_ENOSYS, "{nr}");
        }
        for nr in [0, 2, 434, 436, X32_BIT, X32_BIT | 500, u32::MAX] {
            assert_eq!(answer(call(nr)), RET_LOG, "{nr}");
        }
        assert_eq!(answer(call(1)), RET_ALLOW);
        assert_eq!(answer(call(499)), RET_ALLOW);
        assert_eq!(answer(call(600)), RET_ALLOW);
        assert_eq!(
            answer(Call {
                arch: AUDIT_ARCH_I386,
                nr: 500
            }),
            RET_LOG
        );
    }

    #[test]
    fn a_long_condition_is_jumped_over() {
        let case = |value| Case::from_iter((0..6).map(|arg| Test::new(arg, Op::Ge, value)));
        let many = When::any(
            (0..60)
                .map(|n| Case::from_iter([Test::new(0, Op::Eq, n), Test::new(1, Op::Eq, 60 - n)])),
        );
        assert_eq!(When::any([case(1), case(2)]).cases().unwrap().len(), 1);
        let call = |nr| Call {
            arch: AUDIT_ARCH_X86_64,
            nr,
        };
        let rules = BTreeMap::from([(call(1), many), (call(2), When::Always)]);
        let filter = Filter::new(&rules, RET_LOG).unwrap();
        for n in 0..61 {
            let args = [n, 60 - n, 0, 0, 0, 0];
            let want = if n < 60 { RET_ALLOW } else { RET_LOG };
            assert_eq!(decide(&filter.0, call(1), &args), want);
            assert_eq!(decide(&filter.0, call(2), &args), RET_ALLOW);
            assert_eq!(decide(&filter.0, call(3), &args), RET_LOG);
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
        assert!(filter(&BTreeSet::new()).is_ok());
    }

    #[test]
    fn a_program_that_is_too_long_is_refused() {
        let calls: BTreeSet<Call> = (0..4000)
            .map(|n| Call {
                arch: AUDIT_ARCH_X86_64,
                nr: n * 2,
            })
            .collect();
        assert!(filter(&calls).is_err());
    }

    /// The program that libseccomp makes of the same rules.
    fn by_libseccomp(rules: &BTreeMap<Call, When>) -> Vec<libc::sock_filter> {
        use libseccomp::{
            ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall,
        };
        use std::io::{Read, Seek};
        let mut context = ScmpFilterContext::new(ScmpAction::Log).unwrap();
        assert_eq!(ScmpArch::native(), ScmpArch::X8664);
        context.set_act_badarch(ScmpAction::Log).unwrap();
        for (call, when) in rules {
            let nr = ScmpSyscall::from(call.nr as i32);
            if when.is_always() {
                context.add_rule(ScmpAction::Allow, nr).unwrap();
            }
            for case in crate::format::for_libseccomp(when) {
                let compares: Vec<ScmpArgCompare> = case
                    .iter()
                    .map(|test| {
                        let op = match test.op {
                            _ if test.mask != u64::MAX => ScmpCompareOp::MaskedEqual(test.mask),
                            Op::Eq => ScmpCompareOp::Equal,
                            Op::Ne => ScmpCompareOp::NotEqual,
                            Op::Lt => ScmpCompareOp::Less,
                            Op::Le => ScmpCompareOp::LessOrEqual,
                            Op::Gt => ScmpCompareOp::Greater,
                            Op::Ge => ScmpCompareOp::GreaterEqual,
                        };
                        ScmpArgCompare::new(test.arg.into(), op, test.value)
                    })
                    .collect();
                context
                    .add_rule_conditional(ScmpAction::Allow, nr, &compares)
                    .unwrap_or_else(|e| panic!("{e}: {when}"));
            }
        }
        let mut file = tempfile::tempfile().unwrap();
        context.export_bpf(&file).unwrap();
        file.rewind().unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        let word = |at: &[u8]| u16::from_ne_bytes(at.try_into().unwrap());
        bytes
            .chunks(8)
            .map(|i| libc::sock_filter {
                code: word(&i[..2]),
                jt: i[2],
                jf: i[3],
                k: u32::from_ne_bytes(i[4..].try_into().unwrap()),
            })
            .collect()
    }

    proptest! {
        // libseccomp takes its time. Of other comparisons than those that are learnt,
        // several on several arguments, 2.5.4 makes filters that refuse what they
        // should not.
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn ours_and_libseccomps_and_the_meaning_agree(
            rules in prop::collection::btree_map(
                (0..300u32).prop_map(|nr| Call { arch: AUDIT_ARCH_X86_64, nr }),
                prop_oneof![Just(When::Always), learnt()], 1..8),
            args in prop::collection::vec(args(), 20),
        ) {
            let ours = Filter::new(&rules, RET_LOG).unwrap();
            let theirs = by_libseccomp(&rules);
            for (&call, when) in &rules {
                // Near what the condition names as well.
                let near = when.cases().into_iter().flatten().map(|case| {
                    let mut args = args[0];
                    for test in case.tests() {
                        args[usize::from(test.arg)] = test.value;
                    }
                    args
                });
                for args in args.iter().copied().chain(near) {
                    let want = if when.holds(&args) { RET_ALLOW } else { RET_LOG };
                    prop_assert_eq!(decide(&ours.0, call, &args), want, "{} {:x?}", when, args);
                    prop_assert_eq!(decide(&theirs, call, &args), want, "{} {:x?}", when, args);
                }
            }
        }
    }
}
