// SPDX-License-Identifier: GPL-2.0-only

//! Names of system calls, by architecture, from libseccomp's tables.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use libseccomp::{ScmpArch, ScmpSyscall};

use crate::condition::When;
use crate::origin::Origin;

/// AUDIT_ARCH_X86_64; the x32 calls carry it too.
pub const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// AUDIT_ARCH_I386.
pub const AUDIT_ARCH_I386: u32 = 0x4000_0003;
/// AUDIT_ARCH_AARCH64.
pub const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
/// The bit that marks an x32 call (`__X32_SYSCALL_BIT`).
pub const X32_BIT: u32 = 0x4000_0000;

/// No architecture of [`Arch::NAMED`] has a named call from here on; they have
/// 550 at most, and a handful more a year. Each costs a search, in every run.
const MAX_NUMBER: u32 = 640;
/// Where 32-bit Arm has some more, as `set_tls`.
const ARM_PRIVATE: std::ops::Range<u32> = 0xf_0000..0xf_0010;

/// A set of system call numbers, as a program is built for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// x86-64's own.
    X86_64,
    /// 32-bit x86.
    I386,
    /// x86-64 with 32-bit pointers.
    X32,
    /// 64-bit Arm.
    Arm64,
    /// 32-bit Arm with its current ABI.
    Arm,
    /// 64-bit RISC-V.
    Riscv64,
    /// 64-bit POWER, little-endian.
    Ppc64Le,
    /// 64-bit IBM Z.
    S390x,
    /// Any other AUDIT_ARCH_* value; its calls have numbers only.
    Other(u32),
}

/// What is known about one of [`Arch::NAMED`].
struct Row {
    /// The AUDIT_ARCH_* value that the kernel gives for its calls.
    audit: u32,
    scmp: ScmpArch,
    /// libseccomp's and OCI's name for it.
    scmp_name: &'static str,
    /// systemd's name for it (`SystemCallArchitectures=`).
    systemd: &'static str,
    /// This tool's name for it, then other names that are understood.
    names: &'static [&'static str],
}

/// In the order of [`Arch::NAMED`]. The values are those of `linux/audit.h`.
const ROWS: [Row; 8] = [
    Row {
        audit: AUDIT_ARCH_X86_64,
        scmp: ScmpArch::X8664,
        scmp_name: "SCMP_ARCH_X86_64",
        systemd: "x86-64",
        names: &["x86-64", "x86_64", "amd64"],
    },
    Row {
        audit: AUDIT_ARCH_I386,
        scmp: ScmpArch::X86,
        scmp_name: "SCMP_ARCH_X86",
        systemd: "x86",
        names: &["i386", "i686", "x86", "386"],
    },
    Row {
        audit: AUDIT_ARCH_X86_64,
        scmp: ScmpArch::X32,
        scmp_name: "SCMP_ARCH_X32",
        systemd: "x32",
        names: &["x32"],
    },
    Row {
        audit: AUDIT_ARCH_AARCH64,
        scmp: ScmpArch::Aarch64,
        scmp_name: "SCMP_ARCH_AARCH64",
        systemd: "arm64",
        names: &["arm64", "aarch64"],
    },
    Row {
        audit: 0x4000_0028,
        scmp: ScmpArch::Arm,
        scmp_name: "SCMP_ARCH_ARM",
        systemd: "arm",
        names: &["arm", "armhf", "armv7l"],
    },
    Row {
        audit: 0xc000_00f3,
        scmp: ScmpArch::Riscv64,
        scmp_name: "SCMP_ARCH_RISCV64",
        systemd: "riscv64",
        names: &["riscv64"],
    },
    Row {
        audit: 0xc000_0015,
        scmp: ScmpArch::Ppc64Le,
        scmp_name: "SCMP_ARCH_PPC64LE",
        systemd: "ppc64-le",
        names: &["ppc64le", "ppc64el", "ppc64-le"],
    },
    Row {
        audit: 0x8000_0016,
        scmp: ScmpArch::S390X,
        scmp_name: "SCMP_ARCH_S390X",
        systemd: "s390x",
        names: &["s390x"],
    },
];

impl Arch {
    /// Those whose names are known.
    pub const NAMED: [Self; 8] = [
        Self::X86_64,
        Self::I386,
        Self::X32,
        Self::Arm64,
        Self::Arm,
        Self::Riscv64,
        Self::Ppc64Le,
        Self::S390x,
    ];

    /// The one that this program was built for.
    pub const NATIVE: Self = if cfg!(target_arch = "x86_64") {
        Self::X86_64
    } else if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else if cfg!(target_arch = "x86") {
        Self::I386
    } else if cfg!(target_arch = "arm") {
        Self::Arm
    } else if cfg!(target_arch = "riscv64") {
        Self::Riscv64
    } else if cfg!(all(target_arch = "powerpc64", target_endian = "little")) {
        Self::Ppc64Le
    } else if cfg!(target_arch = "s390x") {
        Self::S390x
    } else {
        panic!("seccomp-learn does not know this architecture's number");
    };

    /// Those whose programs this machine may run.
    pub const RUN_HERE: &'static [Self] = match Self::NATIVE {
        Self::X86_64 => &[Self::X86_64, Self::I386, Self::X32],
        Self::Arm64 => &[Self::Arm64, Self::Arm],
        _ => &[Self::NATIVE],
    };

    /// The architecture of the machines that make its calls: a 64-bit one makes
    /// those of its 32-bit sister.
    pub const fn machine(self) -> Self {
        match self {
            Self::X86_64 | Self::I386 | Self::X32 => Self::X86_64,
            Self::Arm64 | Self::Arm => Self::Arm64,
            _ => self,
        }
    }

    /// Whether the lower half of an argument is the first in memory, as the kernel's
    /// `__AUDIT_ARCH_LE` says.
    pub fn is_little_endian(self) -> bool {
        self.audit() & 0x4000_0000 != 0
    }

    /// Its place in [`Arch::NAMED`].
    const fn index(self) -> Option<usize> {
        Some(match self {
            Self::X86_64 => 0,
            Self::I386 => 1,
            Self::X32 => 2,
            Self::Arm64 => 3,
            Self::Arm => 4,
            Self::Riscv64 => 5,
            Self::Ppc64Le => 6,
            Self::S390x => 7,
            Self::Other(_) => return None,
        })
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.get(self.index()?)
    }

    /// The AUDIT_ARCH_* value that the kernel gives for its calls.
    pub fn audit(self) -> u32 {
        match (self, self.row()) {
            (Self::Other(value), _) => value,
            (_, row) => row.map_or(0, |row| row.audit),
        }
    }

    /// libseccomp's and OCI's name for it; `None` for one without names.
    pub fn scmp_name(self) -> Option<&'static str> {
        Some(self.row()?.scmp_name)
    }

    /// systemd's name for it (`SystemCallArchitectures=`).
    pub fn systemd_name(self) -> Option<&'static str> {
        Some(self.row()?.systemd)
    }

    /// The largest number that has a name; those of Arm's own apart.
    pub fn newest(self) -> Option<u32> {
        let numbers = table(self)?.values().copied();
        numbers.filter(|&nr| nr & !X32_BIT < MAX_NUMBER).max()
    }

    /// The call of this name, if this architecture has it.
    pub fn call(self, name: &str) -> Option<Call> {
        let nr = *table(self)?.get(name)?;
        Some(Call {
            arch: self.audit(),
            nr,
        })
    }

    /// The call of this name or number.
    pub fn call_or_number(self, text: &str) -> Option<Call> {
        let number = |text: &str| {
            let wide: i64 = text.parse().ok()?;
            u32::try_from(wide)
                .or_else(|_| i32::try_from(wide).map(|n| n as u32))
                .ok()
        };
        match number(text) {
            Some(nr) => Some(Call {
                arch: self.audit(),
                nr,
            }),
            None => self.call(text),
        }
    }
}

/// The numbers by name of one of [`Arch::NAMED`].
///
/// They are libseccomp's names turned round. Its own way from a name to a number
/// does not do: for i386 it answers `socket` with a number of its own making, as
/// it means `socketcall` and the later call both.
fn table(arch: Arch) -> Option<&'static HashMap<String, u32>> {
    static TABLES: [OnceLock<HashMap<String, u32>>; Arch::NAMED.len()] =
        [const { OnceLock::new() }; Arch::NAMED.len()];
    Some(TABLES[arch.index()?].get_or_init(|| {
        let mut table = HashMap::new();
        for nr in (0..MAX_NUMBER).chain(ARM_PRIVATE) {
            let nr = match arch {
                Arch::X32 => nr | X32_BIT,
                _ => nr,
            };
            let arch = arch.audit();
            if let Some(name) = (Call { arch, nr }).name() {
                table.entry(name).or_insert(nr);
            }
        }
        table
    }))
}

/// Whether any architecture has a call of this name.
pub fn is_known(name: &str) -> bool {
    Arch::NAMED.iter().any(|arch| arch.call(name).is_some())
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.row() {
            Some(row) => f.write_str(row.names[0]),
            None => write!(f, "{:#x}", self.audit()),
        }
    }
}

impl FromStr for Arch {
    type Err = String;

    /// Takes this tool's names, uname's, systemd's and libseccomp's, and a raw
    /// value in hexadecimal.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::NAMED
            .into_iter()
            .zip(&ROWS)
            .find(|(_, row)| row.names.contains(&text) || row.scmp_name == text);
        if let Some((arch, _)) = named {
            return Ok(arch);
        }
        match text
            .strip_prefix("0x")
            .map(|hex| u32::from_str_radix(hex, 16))
        {
            Some(Ok(value)) => Ok(Call { arch: value, nr: 0 }.arch()),
            _ => {
                let names: Vec<&str> = ROWS.iter().map(|row| row.names[0]).collect();
                Err(format!(
                    "unknown architecture {text:?} ({} or 0xVALUE)",
                    names.join(", ")
                ))
            }
        }
    }
}

/// A system call as the kernel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The AUDIT_ARCH_* value.
    pub arch: u32,
    /// The number, x32's bit included.
    pub nr: u32,
}

/// Calls, each with what is known about it.
pub type Calls = BTreeMap<Call, Seen>;

/// Adds a call, or what somebody else knows of one that is there.
pub fn add(calls: &mut Calls, call: Call, seen: Seen) {
    match calls.entry(call) {
        Entry::Vacant(entry) => {
            entry.insert(seen);
        }
        Entry::Occupied(mut entry) => entry.get_mut().merge(seen),
    }
}

/// How a call was seen, or why it is there although it was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// How often; 0 where nobody has counted.
    pub count: u64,
    /// The name of the task that made it first, if known.
    pub first: Option<String>,
    /// Where it came from then.
    pub origin: Option<Origin>,
    /// The values of the arguments that select what the call does, together;
    /// those that came first. Only a listener sees arguments.
    pub values: BTreeSet<Vec<u64>>,
    /// It was also made with arguments that do no harm, of which nobody has kept
    /// which: [`harmless`](crate::arguments::Selection::harmless).
    pub harmless: bool,
    /// In how many passes it was seen; 0 where nobody has counted.
    pub passes: u32,
    /// Nobody has seen it: this is why it is there.
    pub implied: Option<String>,
    /// With which arguments it is allowed.
    pub when: When,
}

impl Seen {
    /// Adds what somebody else has seen of the call.
    pub fn merge(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.passes = self.passes.saturating_add(other.passes);
        if self.first.is_none() {
            self.first = other.first;
        }
        if self.origin.is_none() {
            self.origin = other.origin;
        }
        other
            .values
            .into_iter()
            .for_each(|values| self.select(values));
        self.harmless |= other.harmless;
        if other.implied.is_none() {
            self.implied = None;
        }
        self.when.or(other.when);
    }

    /// More distinct values than these are not kept.
    pub const MAX_VALUES: usize = 64;

    /// Adds values of the selecting arguments.
    pub fn select(&mut self, values: Vec<u64>) {
        if self.values.len() < Self::MAX_VALUES {
            self.values.insert(values);
        }
    }
}

impl Call {
    /// Whose number it is.
    pub fn arch(self) -> Arch {
        match self.arch {
            // -1 has every bit set and is no x32 call.
            AUDIT_ARCH_X86_64 if self.nr & X32_BIT != 0 && self.nr != u32::MAX => Arch::X32,
            value => Arch::NAMED
                .into_iter()
                .find(|arch| arch.audit() == value)
                .unwrap_or(Arch::Other(value)),
        }
    }

    /// The name in the table of the call's own architecture.
    pub fn name(self) -> Option<String> {
        ScmpSyscall::from_raw_syscall(self.nr as i32)
            .get_name_by_arch(self.arch().row()?.scmp)
            .ok()
    }

    /// The name, or the number where the table has none.
    pub fn label(self) -> String {
        self.name().unwrap_or_else(|| (self.nr as i32).to_string())
    }
}

impl fmt::Display for Call {
    /// The name or number, behind the architecture where it is not this
    /// program's own: `openat`, `i386:open`, `462`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.arch() {
            Arch::NATIVE => f.write_str(&self.label()),
            arch => write!(f, "{arch}:{}", self.label()),
        }
    }
}

impl FromStr for Call {
    type Err = String;

    /// The reverse of [`Call`]'s text.
    fn from_str(text: &str) -> Result<Self, String> {
        let (arch, name) = match text.split_once(':') {
            Some((arch, name)) => (arch.parse()?, name),
            None => (Arch::NATIVE, text),
        };
        arch.call_or_number(name)
            .ok_or_else(|| format!("{arch} has no system call {name:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_architecture_has_its_own_names() {
        let name = |arch, nr| Call { arch, nr }.label();
        assert_eq!(name(AUDIT_ARCH_X86_64, 1), "write");
        assert_eq!(name(AUDIT_ARCH_I386, 1), "exit");
        assert_eq!(name(AUDIT_ARCH_AARCH64, 64), "write");
        assert_eq!(name(0x4000_0028, 4), "write");
        assert_eq!(name(0xc000_00f3, 64), "write");
        assert_eq!(name(0xc000_0015, 4), "write");
        assert_eq!(name(0x8000_0016, 4), "write");
        assert_eq!(name(AUDIT_ARCH_X86_64, X32_BIT | 1), "write");
        assert_eq!(name(AUDIT_ARCH_X86_64, X32_BIT | 520), "execve");
    }

    #[test]
    fn each_architecture_is_known_by_its_names() {
        for arch in Arch::NAMED {
            for name in [
                arch.to_string(),
                arch.scmp_name().unwrap().to_owned(),
                arch.systemd_name().unwrap().to_owned(),
            ] {
                assert_eq!(name.parse(), Ok(arch));
            }
            assert!(arch.call("execve").is_some(), "{arch}");
            assert_eq!(arch.is_little_endian(), arch != Arch::S390x);
            assert_eq!(arch.call("execve").unwrap().arch(), arch);
        }
    }

    #[test]
    fn unknown_numbers_stay_numbers() {
        let name = |arch, nr| Call { arch, nr }.label();
        assert_eq!(name(AUDIT_ARCH_X86_64, 4000), "4000");
        assert_eq!(name(AUDIT_ARCH_X86_64, u32::MAX), "-1");
        assert_eq!(name(0x1234, 1), "1");
    }

    #[test]
    fn a_name_of_another_architecture_is_refused() {
        assert_eq!(Arch::X86_64.call("socketcall"), None);
        assert!(Arch::I386.call("socketcall").is_some());
        assert!(is_known("socketcall"));
        assert!(!is_known("no_such_call"));
        assert!("x86-64:socketcall".parse::<Call>().is_err());
        assert_eq!(Arch::I386.call("socket").map(|call| call.nr), Some(359));
        assert!("vax:read".parse::<Call>().is_err());
    }

    proptest! {
        #[test]
        fn every_call_survives_its_text(
            arch in prop_oneof![
                Just(AUDIT_ARCH_X86_64), Just(AUDIT_ARCH_I386),
                prop::sample::select(&Arch::NAMED).prop_map(Arch::audit), any::<u32>(),
            ],
            nr in prop_oneof![0..600u32, ARM_PRIVATE, (0..600u32).prop_map(|n| n | X32_BIT), any::<u32>()],
        ) {
            let call = Call { arch, nr };
            prop_assert_eq!(call.to_string().parse::<Call>(), Ok(call));
        }
    }
}
