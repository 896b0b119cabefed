// SPDX-License-Identifier: GPL-2.0-only

//! The calls whose argument selects what they do: which argument, why it
//! matters, and how what was seen of it becomes a condition.

use std::collections::BTreeSet;

use crate::condition::{Case, Op, Test, When, INT};
use crate::names::{self, Names};
use crate::profile::Profile;
use crate::syscalls::{Arch, Call, Seen};

/// More distinct values than this are no condition.
pub const MAX_VALUES: usize = 8;

/// An argument that selects.
#[derive(Clone, Copy)]
struct Arg {
    /// Which, counted from 0.
    index: u8,
    /// The kernel's name of it.
    label: &'static str,
    /// The bits of it that select.
    mask: u64,
    names: Names,
}

/// What becomes of the values that were seen.
#[derive(Clone, Copy)]
enum Kind {
    /// These values are allowed.
    Values,
    /// Of these bits those are allowed that were seen.
    Bits(u64),
    /// Both of these bits at once are refused, if they were not seen so.
    NotBoth(u64, u64),
}

/// Which values of an argument do no harm.
#[derive(Clone, Copy)]
enum Harmless {
    /// None, as far as the table says.
    Nothing,
    /// These.
    Values(&'static [u64]),
    /// Those without the bits, or with one of the two, that the row is about.
    Unguarded,
}

/// A row of the table.
struct Row {
    /// The calls, which take the argument at the same place.
    calls: &'static [&'static str],
    /// The arguments, which are compared together.
    args: &'static [Arg],
    kind: Kind,
    /// What does no harm, and of which another day may bring any: it is allowed
    /// wherever the call was seen, and a listener is not asked about it.
    harmless: Harmless,
    /// Whether there is a condition unless it is asked for.
    default: bool,
    /// Why it matters.
    reason: &'static str,
}

const fn arg(index: u8, label: &'static str, mask: u64, names: Names) -> Arg {
    Arg {
        index,
        label,
        mask,
        names,
    }
}

/// What opens a namespace.
const NAMESPACES: u64 = 0x7e02_0000;
const WRITE: u64 = 2;
const EXECUTE: u64 = 4;
/// Without SOCK_NONBLOCK and SOCK_CLOEXEC.
const SOCKET_TYPE: u64 = INT & !(0o4000 | 0o2_000_000);
/// Without FUTEX_PRIVATE_FLAG and FUTEX_CLOCK_REALTIME.
const FUTEX_OPERATION: u64 = INT & !(128 | 256);

const fn values(calls: &'static [&'static str], args: &'static [Arg], reason: &'static str) -> Row {
    Row {
        calls,
        args,
        kind: Kind::Values,
        harmless: Harmless::Nothing,
        default: true,
        reason,
    }
}

/// The commands of fcntl that are about the caller's descriptors and their locks,
/// or that only ask. Not F_SETOWN, F_SETSIG, F_SETLEASE and F_NOTIFY, by which
/// signals come to others; nor F_ADD_SEALS and F_SETPIPE_SZ, which change what others
/// have open.
const FCNTL_HARMLESS: &[u64] = &[
    0,    // F_DUPFD
    1,    // F_GETFD
    2,    // F_SETFD
    3,    // F_GETFL
    4,    // F_SETFL
    5,    // F_GETLK
    6,    // F_SETLK
    7,    // F_SETLKW
    9,    // F_GETOWN
    11,   // F_GETSIG
    12,   // F_GETLK64
    13,   // F_SETLK64
    14,   // F_SETLKW64
    16,   // F_GETOWN_EX
    36,   // F_OFD_GETLK
    37,   // F_OFD_SETLK
    38,   // F_OFD_SETLKW
    1025, // F_GETLEASE
    1027, // F_DUPFD_QUERY
    1028, // F_CREATED_QUERY
    1030, // F_DUPFD_CLOEXEC
    1032, // F_GETPIPE_SZ
    1034, // F_GET_SEALS
];

const ROWS: &[Row] = &[
    values(
        &["socket", "socketpair"],
        &[
            arg(0, "domain", INT, names::DOMAINS),
            arg(1, "type", SOCKET_TYPE, names::TYPES),
        ],
        "each family of sockets is a part of the kernel of its own, as AF_ALG, AF_PACKET and AF_VSOCK",
    ),
    values(
        &["ioctl"],
        &[arg(1, "request", INT, names::IOCTL)],
        "each driver has requests of its own; TIOCSTI types for the user",
    ),
    values(
        &["prctl"],
        &[arg(0, "option", INT, names::PRCTL)],
        "it changes capabilities, tracing, memory maps and speculation of the process",
    ),
    Row {
        calls: &["fcntl", "fcntl64"],
        args: &[arg(1, "cmd", INT, names::FCNTL)],
        kind: Kind::Values,
        harmless: Harmless::Values(FCNTL_HARMLESS),
        default: true,
        reason: "it gives signals to others by F_SETOWN and F_SETSIG",
    },
    Row {
        calls: &["clone"],
        args: &[arg(0, "flags", INT, names::CLONE)],
        kind: Kind::Bits(NAMESPACES),
        harmless: Harmless::Unguarded,
        default: true,
        reason: "a user namespace gives all capabilities inside it, and much of the kernel to attack",
    },
    Row {
        calls: &["unshare"],
        args: &[arg(0, "flags", INT, names::CLONE)],
        kind: Kind::Bits(INT),
        harmless: Harmless::Nothing,
        default: true,
        reason: "a user namespace gives all capabilities inside it, and much of the kernel to attack",
    },
    values(
        &["setns"],
        &[arg(1, "nstype", INT, names::CLONE)],
        "it enters somebody else's namespaces",
    ),
    values(
        &["personality"],
        &[arg(0, "persona", INT, names::PERSONALITY)],
        "READ_IMPLIES_EXEC and ADDR_NO_RANDOMIZE take protections away",
    ),
    Row {
        calls: &["mmap", "mmap2", "mprotect", "pkey_mprotect"],
        args: &[arg(2, "prot", INT, names::PROTECTION)],
        kind: Kind::NotBoth(WRITE, EXECUTE),
        harmless: Harmless::Unguarded,
        default: true,
        reason: "memory that is writable and executable at once runs what an attacker writes",
    },
    Row {
        calls: &["madvise"],
        args: &[arg(2, "advice", INT, names::MADVISE)],
        kind: Kind::Values,
        harmless: Harmless::Values(&[
            0, 1, 2, 3, 4, 8, 10, 14, 15, 16, 20, 21, 22, 23, 102, 103,
        ]),
        default: true,
        reason: "MADV_HWPOISON and MADV_SOFT_OFFLINE take memory from the machine, MADV_MERGEABLE tells of others' pages",
    },
    Row {
        calls: &["futex", "futex_time64"],
        args: &[arg(1, "op", FUTEX_OPERATION, names::FUTEX)],
        kind: Kind::Values,
        harmless: Harmless::Values(&[0, 1, 3, 4, 5, 9, 10]),
        default: true,
        reason: "the operations on priority inheritance have had the holes, and few programs make them",
    },
    values(
        &["keyctl"],
        &[arg(0, "operation", INT, names::KEYCTL)],
        "keys outlive the process, and keyrings are shared",
    ),
    values(
        &["bpf"],
        &[arg(0, "cmd", INT, names::BPF)],
        "BPF_PROG_LOAD puts code into the kernel",
    ),
    values(
        &["ptrace"],
        &[arg(0, "request", INT, names::PTRACE)],
        "a tracer changes other processes; PTRACE_TRACEME does not",
    ),
    values(
        &["arch_prctl"],
        &[arg(0, "option", INT, names::ARCH_PRCTL)],
        "it turns shadow stacks off",
    ),
    values(
        &["getsockopt", "setsockopt"],
        &[
            arg(1, "level", INT, names::LEVELS),
            arg(2, "optname", INT, names::SOCKET_OPTIONS),
        ],
        "each protocol has options of its own, as SO_ATTACH_FILTER and what IP_* and netfilter take",
    ),
    values(
        &["seccomp"],
        &[arg(0, "operation", INT, names::SECCOMP)],
        "a filter with a listener decides for others",
    ),
    values(
        &["userfaultfd"],
        &[arg(0, "flags", INT, &[])],
        "without UFFD_USER_MODE_ONLY it stops the kernel where an attacker wants it",
    ),
    Row {
        calls: &["rt_sigaction"],
        args: &[arg(0, "sig", INT, names::SIGNALS)],
        kind: Kind::Values,
        harmless: Harmless::Nothing,
        default: false,
        reason: "who handles SIGSYS hides refusals; a handler changes the process alone, so it is off by default",
    },
];

/// What hides arguments behind a pointer, and of which calls.
const HIDING: &[(&str, &[&str])] = &[
    (
        "socketcall",
        &["socket", "socketpair", "getsockopt", "setsockopt"],
    ),
    ("ipc", &["shmget", "shmat", "semget", "msgget"]),
    ("clone3", &["clone"]),
    ("io_uring_setup", &["socket", "setsockopt", "madvise"]),
];

impl Row {
    /// When a call does no harm; never, where that is not known.
    fn harmless(&self) -> When {
        let Some(arg) = self.args.first() else {
            return When::any([]);
        };
        match (self.harmless, self.kind) {
            (Harmless::Nothing, _) | (Harmless::Unguarded, Kind::Values) => When::any([]),
            (Harmless::Values(values), _) => {
                When::any(values.iter().map(|&value| {
                    Case::from_iter([Test::masked(arg.index, arg.mask, Op::Eq, value)])
                }))
            }
            (Harmless::Unguarded, Kind::Bits(guard)) => clear(arg.index, guard),
            (Harmless::Unguarded, Kind::NotBoth(a, b)) => not_both(arg.index, a, b),
        }
    }

    /// Whether nothing is known to do no harm.
    fn all_matter(&self) -> bool {
        matches!(self.harmless, Harmless::Nothing)
    }
}

/// The row of a call, if its argument is a number there.
fn row(call: Call) -> Option<&'static Row> {
    let name = call.name()?;
    match (call.arch(), name.as_str()) {
        // One takes its flags second, the others a pointer to the arguments.
        (Arch::S390x, "clone" | "mmap") | (Arch::I386, "mmap") => None,
        _ => ROWS.iter().find(|row| row.calls.contains(&name.as_str())),
    }
}

/// Which calls get conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Beside those of the table that have one by default: a call's name, and
    /// its argument counted from 0, `None` for the table's.
    pub more: Vec<(String, Option<u8>)>,
}

/// The arguments of a call that are looked at: which, and which bits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked(Vec<(u8, u64)>);

impl Looked {
    /// The values of these arguments.
    pub fn at(&self, args: &[u64; 6]) -> Vec<u64> {
        let value = |&(index, mask): &(u8, u64)| args.get(usize::from(index)).map(|v| v & mask);
        self.0.iter().filter_map(value).collect()
    }

    /// The first of them.
    fn index(&self) -> u8 {
        self.0.first().map_or(0, |&(index, _)| index)
    }
}

impl Selection {
    /// What is looked at of a call, if anything is.
    pub fn looks_at(&self, call: Call) -> Option<Looked> {
        let name = call.name()?;
        let asked: Vec<Option<u8>> = self
            .more
            .iter()
            .filter(|(other, _)| *other == name)
            .map(|&(_, index)| index)
            .collect();
        let own: Vec<(u8, u64)> = asked
            .iter()
            .filter_map(|&index| Some((index?, u64::MAX)))
            .collect();
        if !own.is_empty() {
            return Some(Looked(own));
        }
        let row = row(call).filter(|row| row.default || !asked.is_empty())?;
        Some(Looked(
            row.args.iter().map(|arg| (arg.index, arg.mask)).collect(),
        ))
    }

    /// When a call that is looked at does no harm, so that nobody has to see with
    /// what it was made: it is allowed wherever the call was seen. Never, where
    /// that is not known, or where its arguments were asked for by their number.
    pub fn harmless(&self, call: Call) -> When {
        let own = |(name, index): &(String, Option<u8>)| {
            index.is_some() && call.name().as_ref() == Some(name)
        };
        match row(call) {
            Some(row) if self.looks_at(call).is_some() && !self.more.iter().any(own) => {
                row.harmless()
            }
            _ => When::any([]),
        }
    }

    /// What a profile's conditions look at.
    pub fn of(profile: &Profile) -> Self {
        let mut selection = Self::default();
        for (call, seen) in &profile.calls {
            let known = selection.looks_at(*call).is_some();
            let Some(name) = call.name().filter(|_| !known) else {
                continue;
            };
            let tests = seen
                .when
                .cases()
                .into_iter()
                .flatten()
                .flat_map(Case::tests);
            let args: BTreeSet<u8> = tests.map(|test| test.arg).collect();
            let more = args.into_iter().map(|arg| (name.clone(), Some(arg)));
            selection.more.extend(more);
        }
        selection
    }

    /// All calls of an architecture of which something is looked at.
    pub fn calls(&self, arch: Arch) -> impl Iterator<Item = Call> + '_ {
        let own = self.more.iter().map(|(name, _)| name.as_str());
        let names = ROWS.iter().flat_map(|row| row.calls).copied().chain(own);
        names
            .filter_map(move |name| arch.call(name))
            .filter(|&call| self.looks_at(call).is_some())
    }

    /// A name as people ask for it: `CALL`, of the table, or `CALL:N`.
    ///
    /// # Errors
    ///
    /// If there is no such call or argument, or the table does not have it.
    pub fn parse(text: &str) -> Result<(String, Option<u8>), String> {
        let (name, index) = match text.split_once(':') {
            Some((name, n)) => {
                let index = n.parse().ok().filter(|&n| n < crate::condition::ARGS);
                let index = index.ok_or_else(|| format!("{n:?} is no argument (0 to 5)"))?;
                (name, Some(index))
            }
            None => (text, None),
        };
        if !crate::syscalls::is_known(name) {
            return Err(format!("unknown system call {name:?}"));
        }
        if index.is_none() && !ROWS.iter().any(|row| row.calls.contains(&name)) {
            return Err(format!(
                "no argument of {name} is known to select what it does ({name}:N names one)"
            ));
        }
        Ok((name.to_owned(), index))
    }

    /// What was seen of a call as a condition; why there is none otherwise.
    fn condition(&self, call: Call, seen: &Seen) -> Option<Result<When, String>> {
        let looked = self.looks_at(call)?;
        let own = looked.0.iter().all(|&(_, mask)| mask == u64::MAX);
        let row = row(call).filter(|_| !own);
        // What was made with such alone has no values.
        let harmless = seen.harmless && !self.harmless(call).is_never();
        if seen.values.len() >= Seen::MAX_VALUES {
            return Some(Err("it had more values than are kept".to_owned()));
        }
        if seen.values.is_empty() && !harmless && seen.implied.is_none() {
            return Some(Err("its arguments were not seen".to_owned()));
        }
        let Some(row) = row else {
            return Some(if seen.implied.is_some() {
                Err("nobody has seen its arguments".to_owned())
            } else {
                by_values(&looked, &seen.values, When::any([]))
            });
        };
        // An implied call is another way to do what was seen: no more than that.
        if seen.implied.is_some() && row.all_matter() {
            return Some(Err("nobody has seen its arguments".to_owned()));
        }
        Some(match row.kind {
            Kind::Values => by_values(&looked, &seen.values, row.harmless()),
            Kind::Bits(guard) => {
                let all = first(&seen.values).fold(0, |sum, value| sum | value);
                Ok(clear(looked.index(), guard & !all))
            }
            Kind::NotBoth(a, b) => {
                if first(&seen.values).any(|value| value & a != 0 && value & b != 0) {
                    Err("memory was writable and executable at once".to_owned())
                } else {
                    Ok(not_both(looked.index(), a, b))
                }
            }
        })
    }
}

fn first(values: &BTreeSet<Vec<u64>>) -> impl Iterator<Item = u64> + '_ {
    values.iter().filter_map(|values| values.first().copied())
}

/// These bits of the argument are clear.
fn clear(index: u8, bits: u64) -> When {
    When::any([Case::from_iter([Test::masked(index, bits, Op::Eq, 0)])])
}

/// Not both of these bits of the argument are set.
fn not_both(index: u8, a: u64, b: u64) -> When {
    let mut when = clear(index, a);
    when.or(clear(index, b));
    when
}

fn by_values(looked: &Looked, values: &BTreeSet<Vec<u64>>, harmless: When) -> Result<When, String> {
    let cases = values.iter().map(|values| {
        let tests = looked.0.iter().zip(values);
        Case::from_iter(
            tests.map(|(&(index, mask), &value)| Test::masked(index, mask, Op::Eq, value)),
        )
    });
    let known = harmless.cases().cloned().unwrap_or_default();
    let own: BTreeSet<Case> = cases.filter(|case| !known.contains(case)).collect();
    if own.len() > MAX_VALUES {
        return Err(format!("it had more than {MAX_VALUES} values"));
    }
    Ok(When::any(own.into_iter().chain(known)))
}

/// What came of putting conditions on a profile's calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restricted {
    /// The calls that have conditions now.
    pub calls: Vec<Call>,
    /// Those that were to have one and have none, and why.
    pub without: Vec<(Call, String)>,
    /// Those that do the same behind a pointer, and the calls whose conditions
    /// they undo.
    pub hiding: Vec<(Call, Vec<Call>)>,
}

/// Puts conditions on a profile's calls by what was seen of their arguments.
/// What `before` allows of a call stays allowed.
pub fn restrict(profile: &mut Profile, selection: &Selection, before: &Profile) -> Restricted {
    let mut restricted = Restricted::default();
    for (&call, seen) in &mut profile.calls {
        if let Some(known) = before.calls.get(&call) {
            if known.when.is_always() && known.implied.is_none() {
                continue;
            }
        }
        match selection.condition(call, seen) {
            None => {}
            Some(Ok(mut when)) => {
                if let Some(known) = before.calls.get(&call) {
                    when.or(known.when.clone());
                }
                restricted.calls.push(call);
                seen.when = when;
            }
            // One that it had stays, if nobody has made the call since.
            Some(Err(_)) if !seen.when.is_always() => restricted.calls.push(call),
            Some(Err(why)) => restricted.without.push((call, why)),
        }
    }
    // The C library takes clone where there is no clone3, whose flags no filter
    // sees: where it is only implied, it need not be there.
    for arch in profile.archs() {
        let calls = ["clone", "clone3"].map(|name| arch.call(name));
        let [Some(clone), Some(clone3)] = calls else {
            continue;
        };
        let implied = |seen: &Seen| seen.implied.is_some();
        let has = profile
            .calls
            .get(&clone)
            .is_some_and(|seen| !seen.when.is_always());
        if has && profile.calls.get(&clone3).is_some_and(implied) {
            profile.calls.remove(&clone3);
            profile.absent.calls.insert(clone3);
        }
    }
    restricted.hiding = hiding(profile);
    restricted
}

/// The calls that undo conditions of others, as they take the same arguments
/// behind a pointer.
pub fn hiding(profile: &Profile) -> Vec<(Call, Vec<Call>)> {
    let mut found = Vec::new();
    for &call in profile.calls.keys() {
        let name = call.name();
        let row = HIDING
            .iter()
            .find(|(hiding, _)| Some(*hiding) == name.as_deref());
        let Some((_, names)) = row else { continue };
        let undone: Vec<Call> = names
            .iter()
            .filter_map(|name| call.arch().call(name))
            .filter(|other| {
                let seen = profile.calls.get(other);
                seen.is_some_and(|seen| !seen.when.is_always())
            })
            .collect();
        if !undone.is_empty() {
            found.push((call, undone));
        }
    }
    found
}

/// Why the argument of a call matters, if one selects what it does.
pub fn reason(call: Call) -> Option<&'static str> {
    row(call).map(|row| row.reason)
}

/// Whether the kernel is known to take an argument as an `int`.
pub fn is_int(call: Call, index: u8) -> bool {
    let args = row(call).map_or(&[][..], |row| row.args);
    args.iter()
        .any(|arg| arg.index == index && arg.mask & !INT == 0)
}

/// A condition with the names of arguments and values.
pub fn describe(call: Call, when: &When) -> String {
    let Some(cases) = when.cases().filter(|cases| !cases.is_empty()) else {
        return when.to_string();
    };
    let row = row(call);
    if let Some(list) = row.and_then(|row| as_list(row, cases)) {
        return list;
    }
    let case = |case: &Case| {
        let level = case
            .tests()
            .find(|test| test.op == Op::Eq)
            .map(|test| test.value);
        let tests: Vec<String> = case
            .tests()
            .map(|test| with_names(row, test, level))
            .collect();
        tests.join(" && ")
    };
    let cases: Vec<String> = cases.iter().map(case).collect();
    cases.join(" || ")
}

/// Values of one argument, if that is all that the cases are.
fn as_list(row: &Row, cases: &BTreeSet<Case>) -> Option<String> {
    let [arg] = row.args else { return None };
    let value = |case: &Case| {
        let mut tests = case.tests();
        let test = tests.next().filter(|test| {
            test.op == Op::Eq && test.arg == arg.index && test.mask & arg.mask == arg.mask
        })?;
        tests
            .next()
            .is_none()
            .then(|| names::bits(arg.names, test.value))
    };
    let values: Vec<String> = cases.iter().map(value).collect::<Option<_>>()?;
    match values.len() {
        0 | 1 => None,
        _ => Some(format!("{} in ({})", arg.label, values.join(", "))),
    }
}

/// Values that were seen, with their names.
pub fn describe_values(call: Call, values: &[u64]) -> String {
    let args = row(call).map_or(&[][..], |row| row.args);
    let words: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(i, &value)| match args.get(i) {
            Some(arg) if args.len() == values.len() => {
                names::bits(option_names(arg, values), value)
            }
            _ => format!("{value:#x}"),
        })
        .collect();
    words.join(" ")
}

/// The options of a level have the same numbers as those of others.
fn option_names(arg: &Arg, values: &[u64]) -> Names {
    match (arg.label, values.first()) {
        ("optname", Some(6)) => names::TCP_OPTIONS,
        ("optname", Some(1)) => names::SOCKET_OPTIONS,
        ("optname", _) => &[],
        _ => arg.names,
    }
}

fn with_names(row: Option<&Row>, test: &Test, level: Option<u64>) -> String {
    let args = row.map_or(&[][..], |row| row.args);
    let Some(arg) = args.iter().find(|arg| arg.index == test.arg) else {
        return test.to_string();
    };
    let sign = test.op.sign();
    if matches!(test.op, Op::Eq | Op::Ne) && test.value == 0 && test.mask & arg.mask != arg.mask {
        let bits = match test.mask {
            // All but these.
            mask if mask.count_ones() > 16 => format!("~({})", names::bits(arg.names, INT & !mask)),
            mask => names::bits(arg.names, mask),
        };
        return format!("{} & {bits} {sign} 0", arg.label);
    }
    let values = match (arg.label, test.op) {
        ("optname", Op::Eq) => {
            let first: Vec<u64> = level.into_iter().collect();
            names::bits(option_names(arg, &first), test.value)
        }
        (_, Op::Eq | Op::Ne) => names::bits(arg.names, test.value),
        _ => format!("{:#x}", test.value),
    };
    format!("{} {sign} {values}", arg.label)
}

/// The table as text: the calls, the arguments, whether there is a condition by
/// default, and why.
pub fn table() -> Vec<[String; 4]> {
    ROWS.iter()
        .map(|row| {
            let args: Vec<&str> = row.args.iter().map(|arg| arg.label).collect();
            [
                row.calls.join(", "),
                args.join(", "),
                if row.default { "yes" } else { "no" }.to_owned(),
                row.reason.to_owned(),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Call {
        text.parse().unwrap()
    }

    /// A profile of calls with values that were seen.
    fn profile(calls: &[(&str, &[&[u64]])]) -> Profile {
        let mut profile = Profile::default();
        for (name, values) in calls {
            profile.allow(call(name));
            let seen = profile.calls.get_mut(&call(name)).unwrap();
            seen.values = values.iter().map(|values| values.to_vec()).collect();
        }
        profile
    }

    fn restricted(calls: &[(&str, &[&[u64]])]) -> (Profile, Restricted) {
        let mut profile = profile(calls);
        let result = restrict(&mut profile, &Selection::default(), &Profile::default());
        (profile, result)
    }

    fn allows(profile: &Profile, name: &str, args: [u64; 3]) -> bool {
        let [a, b, c] = args;
        profile.allows(call(name), &[a, b, c, 0, 0, 0])
    }

    #[test]
    fn each_row_names_calls_and_has_a_reason() {
        let mut once = BTreeSet::new();
        for row in ROWS {
            for name in row.calls {
                assert!(crate::syscalls::is_known(name), "{name}");
                assert!(once.insert(name), "{name} twice");
            }
            assert!(!row.reason.is_empty() && !row.args.is_empty());
            assert!(matches!(row.kind, Kind::Values) || row.args.len() == 1);
            assert!(row.all_matter() || row.args.len() == 1);
            // Each row that says so knows something.
            assert_eq!(row.harmless().is_never(), row.all_matter());
        }
        for (hiding, hidden) in HIDING {
            assert!(crate::syscalls::is_known(hiding));
            assert!(hidden.iter().all(|name| crate::syscalls::is_known(name)));
        }
        let listed = "socket socketpair ioctl prctl fcntl clone unshare setns personality mmap mprotect madvise \
                      futex keyctl bpf ptrace arch_prctl getsockopt setsockopt rt_sigaction";
        for name in listed.split(' ') {
            assert!(row(call(name)).is_some(), "{name}");
        }
    }

    #[test]
    fn the_table_is_in_the_documentation() {
        let readme = include_str!("../README.md");
        for [calls, args, default, reason] in table() {
            let calls = format!("`{}`", calls.replace(", ", "`, `"));
            let line = format!("| {calls} | {args} | {default} | {reason} |\n");
            assert!(readme.contains(&line), "{line}");
        }
    }

    #[test]
    fn values_that_were_seen_are_allowed_and_no_others() {
        let (profile, result) = restricted(&[
            ("socket", &[&[1, 1], &[2, 2]]),
            ("ioctl", &[&[0x5413]]),
            ("read", &[]),
        ]);
        assert!(allows(&profile, "socket", [1, 1, 0]));
        // Flags of the type, and what stands above an int, select nothing.
        assert!(allows(&profile, "socket", [0x9_0000_0002, 0o2_004_002, 0]));
        assert!(!allows(&profile, "socket", [1, 2, 0]));
        assert!(!allows(&profile, "socket", [38, 5, 0]));
        assert!(
            allows(&profile, "ioctl", [7, 0x5413, 0]) && !allows(&profile, "ioctl", [7, 0x5412, 0])
        );
        assert_eq!(result.calls.len(), 2);
        assert_eq!(result.without, []);
    }

    #[test]
    fn no_memory_is_writable_and_executable() {
        let (profile, _) = restricted(&[("mmap", &[&[3]]), ("mprotect", &[&[5]])]);
        for name in ["mmap", "mprotect"] {
            for prot in [0, 1, 3, 5, 4] {
                assert!(allows(&profile, name, [0, 0, prot]), "{name} {prot}");
            }
            assert!(!allows(&profile, name, [0, 0, 7]) && !allows(&profile, name, [0, 0, 6]));
        }
        let (profile, result) = restricted(&[("mmap", &[&[7]])]);
        assert!(allows(&profile, "mmap", [0, 0, 7]));
        assert!(result.without[0].1.contains("at once"));
    }

    #[test]
    fn bits_that_were_not_seen_are_refused() {
        let (profile, _) = restricted(&[("clone", &[&[0x11]]), ("unshare", &[&[0x400]])]);
        assert!(allows(&profile, "clone", [0x003d_0f00, 0, 0]));
        assert!(!allows(&profile, "clone", [0x1000_0011, 0, 0]));
        assert!(allows(&profile, "unshare", [0x400, 0, 0]));
        assert!(!allows(&profile, "unshare", [0x1000_0400, 0, 0]));
    }

    #[test]
    fn too_many_values_are_no_condition_and_said() {
        let values: Vec<Vec<u64>> = (0..9).map(|n| vec![n]).collect();
        let values: Vec<&[u64]> = values.iter().map(Vec::as_slice).collect();
        let (profile, result) = restricted(&[("ioctl", &values), ("prctl", &values[1..])]);
        assert!(allows(&profile, "ioctl", [0, 99, 0]) && !allows(&profile, "prctl", [99, 0, 0]));
        assert_eq!(
            result.without,
            [(call("ioctl"), "it had more than 8 values".to_owned())]
        );
    }

    #[test]
    fn what_does_no_harm_does_not_count() {
        let (profile, _) = restricted(&[("futex", &[&[0]]), ("madvise", &[&[4]])]);
        for op in [0, 1, 9, 10, 128, 129, 128 + 256 + 9] {
            assert!(allows(&profile, "futex", [0, op, 0]), "{op}");
        }
        // FUTEX_LOCK_PI, MADV_MERGEABLE.
        assert!(!allows(&profile, "futex", [0, 6 + 128, 0]));
        assert!(allows(&profile, "madvise", [0, 0, 8]) && !allows(&profile, "madvise", [0, 0, 12]));
    }

    #[test]
    fn what_was_only_recorded_has_the_condition_of_what_does_no_harm() {
        let names = ["fcntl", "futex", "clone", "mmap", "socket", "unshare"];
        let mut profile = profile(&names.map(|name| (name, &[][..])));
        let select = |profile: &mut Profile, harmless| {
            let seen = profile.calls.values_mut();
            seen.for_each(|seen| seen.harmless = harmless);
            restrict(profile, &Selection::default(), &Profile::default())
        };
        // A record that does not say so is of any arguments.
        let result = select(&mut profile.clone(), false);
        assert_eq!((result.calls.len(), result.without.len()), (0, names.len()));
        let result = select(&mut profile, true);
        assert_eq!(result.calls.len(), 4);
        // Of these there is nothing that does no harm.
        let without: Vec<String> = result.without.iter().map(|w| w.0.to_string()).collect();
        assert_eq!(without, ["socket", "unshare"]);
        // F_SETFD, F_SETLKW; F_SETOWN, F_NOTIFY.
        assert!(allows(&profile, "fcntl", [0, 2, 0]) && allows(&profile, "fcntl", [0, 7, 0]));
        assert!(!allows(&profile, "fcntl", [0, 8, 0]) && !allows(&profile, "fcntl", [0, 1026, 0]));
        assert!(allows(&profile, "mmap", [0, 0, 3]) && !allows(&profile, "mmap", [0, 0, 7]));
        assert!(!allows(&profile, "clone", [0x1000_0000, 0, 0]));
        // What was asked for by its number is seen.
        let mut own = Selection::default();
        own.more.push(Selection::parse("fcntl:1").unwrap());
        assert!(own.harmless(call("fcntl")).is_never() && !own.harmless(call("futex")).is_never());
        assert!(Selection::default().harmless(call("read")).is_never());
    }

    #[test]
    fn implied_calls_get_no_more_than_what_they_stand_for() {
        let mut profile = profile(&[("fork", &[]), ("brk", &[])]);
        profile.imply();
        restrict(&mut profile, &Selection::default(), &Profile::default());
        assert!(allows(&profile, "clone", [0x11, 0, 0]));
        assert!(!allows(&profile, "clone", [0x1000_0011, 0, 0]));
        assert!(!allows(&profile, "mmap", [0, 0, 7]) && allows(&profile, "mmap", [0, 0, 3]));
        assert!(!allows(&profile, "madvise", [0, 0, 100]));
    }

    #[test]
    fn clone3_that_nobody_has_seen_is_absent() {
        let clone3 = call("clone3");
        let mut forked = profile(&[("clone", &[&[0x11]])]);
        forked.imply();
        assert!(forked.calls.contains_key(&clone3));
        restrict(&mut forked, &Selection::default(), &Profile::default());
        assert!(!forked.calls.contains_key(&clone3) && forked.absent.calls.contains(&clone3));
        let mut seen = profile(&[("clone", &[&[0x11]]), ("clone3", &[])]);
        restrict(&mut seen, &Selection::default(), &Profile::default());
        assert!(seen.calls.contains_key(&clone3));
    }

    #[test]
    fn what_hides_arguments_is_pointed_out() {
        let (_, result) = restricted(&[
            ("i386:socket", &[&[1, 1]]),
            ("i386:socketcall", &[]),
            ("clone", &[&[0x11]]),
            ("clone3", &[]),
        ]);
        let hiding = [
            (call("i386:socketcall"), vec![call("i386:socket")]),
            (call("clone3"), vec![call("clone")]),
        ];
        assert_eq!(result.hiding, hiding);
        assert!(row(call("i386:mmap")).is_none() && row(call("i386:mmap2")).is_some());
    }

    #[test]
    fn what_was_allowed_before_stays() {
        let before = {
            let mut before = profile(&[("socket", &[&[1, 1]]), ("ioctl", &[])]);
            before.calls.get_mut(&call("ioctl")).unwrap().when = When::Always;
            restrict(&mut before, &Selection::default(), &Profile::default());
            before
        };
        assert!(before.calls[&call("ioctl")].when.is_always());
        let mut after = profile(&[("socket", &[&[2, 1]]), ("ioctl", &[&[1]])]);
        restrict(&mut after, &Selection::default(), &before);
        assert!(allows(&after, "socket", [1, 1, 0]) && allows(&after, "socket", [2, 1, 0]));
        assert!(allows(&after, "ioctl", [0, 99, 0]));
        // A condition that somebody else has written, of a call that nobody made.
        let mut written = profile(&[]);
        written.allow_when(call("socket"), clear(0, 1));
        let before = written.clone();
        let result = restrict(&mut written, &Selection::default(), &before);
        assert_eq!((result.calls.len(), result.without.len()), (1, 0));
        assert_eq!(written, before);
    }

    #[test]
    fn other_arguments_can_be_asked_for() {
        let selection = Selection {
            more: vec![
                Selection::parse("openat:2").unwrap(),
                Selection::parse("rt_sigaction").unwrap(),
            ],
        };
        let at = |name: &str| {
            selection
                .looks_at(call(name))
                .map(|looked| looked.at(&[1, 2, 3, 4, 5, 6]))
        };
        assert_eq!(at("openat"), Some(vec![3]));
        assert_eq!(at("rt_sigaction"), Some(vec![1]));
        assert_eq!(at("socket"), Some(vec![1, 2]));
        assert_eq!(at("read"), None);
        assert_eq!(Selection::default().looks_at(call("rt_sigaction")), None);
        for wrong in ["nonsense", "read", "read:6", "read:x"] {
            assert!(Selection::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn people_read_names() {
        let (profile, _) = restricted(&[
            ("socket", &[&[2, 1]]),
            ("clone", &[&[0x11]]),
            ("mprotect", &[&[1]]),
            ("unshare", &[&[0x400]]),
        ]);
        let text = |name: &str| describe(call(name), &profile.calls[&call(name)].when);
        assert_eq!(text("socket"), "domain == AF_INET && type == SOCK_STREAM");
        let (more, _) = restricted(&[
            ("ioctl", &[&[0x5401], &[0x5413]]),
            ("setsockopt", &[&[6, 1], &[1, 2]]),
        ]);
        let text_of = |name: &str| describe(call(name), &more.calls[&call(name)].when);
        assert_eq!(text_of("ioctl"), "request in (TCGETS, TIOCGWINSZ)");
        assert_eq!(
            text_of("setsockopt"),
            "level == SOL_SOCKET && optname == SO_REUSEADDR || level == IPPROTO_TCP && optname == TCP_NODELAY"
        );
        assert!(text("clone").contains("CLONE_NEWUSER") && text("clone").ends_with(" == 0"));
        assert_eq!(
            text("mprotect"),
            "prot & PROT_WRITE == 0 || prot & PROT_EXEC == 0"
        );
        assert_eq!(text("unshare"), "flags & ~(CLONE_FILES) == 0");
        assert_eq!(
            describe_values(call("setsockopt"), &[6, 1]),
            "IPPROTO_TCP TCP_NODELAY"
        );
        assert_eq!(describe_values(call("openat"), &[6]), "0x6");
    }
}
