// SPDX-License-Identifier: GPL-2.0

//! Names of system calls, by architecture, from libseccomp's tables.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use libseccomp::{ScmpArch, ScmpSyscall};

/// AUDIT_ARCH_X86_64; the x32 calls carry it too.
pub const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// AUDIT_ARCH_I386.
pub const AUDIT_ARCH_I386: u32 = 0x4000_0003;
/// AUDIT_ARCH_AARCH64.
pub const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
/// The bit that marks an x32 call (`__X32_SYSCALL_BIT`).
pub const X32_BIT: u32 = 0x4000_0000;

/// No architecture of [`Arch::NAMED`] has a named call from here on; they have
/// 512 or so.
const MAX_NUMBER: u32 = 1024;

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
    /// Any other AUDIT_ARCH_* value; its calls have numbers only.
    Other(u32),
}

impl Arch {
    /// Those whose names are known.
    pub const NAMED: [Self; 4] = [Self::X86_64, Self::I386, Self::X32, Self::Arm64];

    /// The one that this program was built for.
    pub const NATIVE: Self = if cfg!(target_arch = "x86_64") {
        Self::X86_64
    } else if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else if cfg!(target_arch = "x86") {
        Self::I386
    } else {
        panic!("seccomp-learn does not know this architecture's number");
    };

    /// The AUDIT_ARCH_* value that the kernel gives for its calls.
    pub const fn audit(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => AUDIT_ARCH_X86_64,
            Self::I386 => AUDIT_ARCH_I386,
            Self::Arm64 => AUDIT_ARCH_AARCH64,
            Self::Other(value) => value,
        }
    }

    /// libseccomp's and OCI's name for it; `None` for one without names.
    pub const fn scmp_name(self) -> Option<&'static str> {
        Some(match self {
            Self::X86_64 => "SCMP_ARCH_X86_64",
            Self::I386 => "SCMP_ARCH_X86",
            Self::X32 => "SCMP_ARCH_X32",
            Self::Arm64 => "SCMP_ARCH_AARCH64",
            Self::Other(_) => return None,
        })
    }

    /// systemd's name for it (`SystemCallArchitectures=`).
    pub const fn systemd_name(self) -> Option<&'static str> {
        Some(match self {
            Self::X86_64 => "x86-64",
            Self::I386 => "x86",
            Self::X32 => "x32",
            Self::Arm64 => "arm64",
            Self::Other(_) => return None,
        })
    }

    const fn scmp(self) -> Option<ScmpArch> {
        Some(match self {
            Self::X86_64 => ScmpArch::X8664,
            Self::I386 => ScmpArch::X86,
            Self::X32 => ScmpArch::X32,
            Self::Arm64 => ScmpArch::Aarch64,
            Self::Other(_) => return None,
        })
    }

    /// The call of this name, if this architecture has it.
    pub fn call(self, name: &str) -> Option<Call> {
        let nr = *table(self)?.get(name)?;
        Some(Call {
            arch: self.audit(),
            nr,
        })
    }

    const fn index(self) -> Option<usize> {
        Some(match self {
            Self::X86_64 => 0,
            Self::I386 => 1,
            Self::X32 => 2,
            Self::Arm64 => 3,
            Self::Other(_) => return None,
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
    static TABLES: [OnceLock<HashMap<String, u32>>; 4] = [const { OnceLock::new() }; 4];
    Some(TABLES[arch.index()?].get_or_init(|| {
        let mut table = HashMap::new();
        for nr in 0..MAX_NUMBER {
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
        match self {
            Self::X86_64 => f.write_str("x86-64"),
            Self::I386 => f.write_str("i386"),
            Self::X32 => f.write_str("x32"),
            Self::Arm64 => f.write_str("arm64"),
            Self::Other(value) => write!(f, "{value:#x}"),
        }
    }
}

impl FromStr for Arch {
    type Err = String;

    /// Takes this tool's names, uname's, systemd's and libseccomp's, and a raw
    /// value in hexadecimal.
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "x86-64" | "x86_64" | "amd64" | "SCMP_ARCH_X86_64" => Self::X86_64,
            "i386" | "i686" | "x86" | "SCMP_ARCH_X86" => Self::I386,
            "x32" | "SCMP_ARCH_X32" => Self::X32,
            "arm64" | "aarch64" | "SCMP_ARCH_AARCH64" => Self::Arm64,
            _ => match text
                .strip_prefix("0x")
                .map(|hex| u32::from_str_radix(hex, 16))
            {
                Some(Ok(value)) => Call { arch: value, nr: 0 }.arch(),
                _ => {
                    return Err(format!(
                        "unknown architecture {text:?} (x86-64, i386, x32, arm64 or 0xVALUE)"
                    ))
                }
            },
        })
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

/// How a call was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How often; 0 where nobody has counted.
    pub count: u64,
    /// The name of the task that made it first, if known.
    pub first: Option<String>,
}

impl Call {
    /// Whose number it is.
    pub fn arch(self) -> Arch {
        match self.arch {
            // -1 has every bit set and is no x32 call.
            AUDIT_ARCH_X86_64 if self.nr & X32_BIT != 0 && self.nr != u32::MAX => Arch::X32,
            AUDIT_ARCH_X86_64 => Arch::X86_64,
            AUDIT_ARCH_I386 => Arch::I386,
            AUDIT_ARCH_AARCH64 => Arch::Arm64,
            other => Arch::Other(other),
        }
    }

    /// The name in the table of the call's own architecture.
    pub fn name(self) -> Option<String> {
        ScmpSyscall::from_raw_syscall(self.nr as i32)
            .get_name_by_arch(self.arch().scmp()?)
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
        assert_eq!(name(AUDIT_ARCH_X86_64, X32_BIT | 1), "write");
        assert_eq!(name(AUDIT_ARCH_X86_64, X32_BIT | 520), "execve");
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
                Just(AUDIT_ARCH_AARCH64), any::<u32>(),
            ],
            nr in prop_oneof![0..600u32, (0..600u32).prop_map(|n| n | X32_BIT), any::<u32>()],
        ) {
            let call = Call { arch, nr };
            prop_assert_eq!(call.to_string().parse::<Call>(), Ok(call));
        }
    }
}
