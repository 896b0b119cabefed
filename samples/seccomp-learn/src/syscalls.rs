// SPDX-License-Identifier: GPL-2.0

//! Names of system calls, by architecture, from libseccomp's tables.

use std::fmt;

use libseccomp::{ScmpArch, ScmpSyscall};

/// AUDIT_ARCH_X86_64; the x32 calls carry it too.
pub const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// AUDIT_ARCH_I386.
pub const AUDIT_ARCH_I386: u32 = 0x4000_0003;
/// AUDIT_ARCH_AARCH64.
pub const AUDIT_ARCH_AARCH64: u32 = 0xc000_00b7;
/// The bit that marks an x32 call (`__X32_SYSCALL_BIT`).
pub const X32_BIT: u32 = 0x4000_0000;

/// A system call as the kernel reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The AUDIT_ARCH_* value.
    pub arch: u32,
    /// The number, x32's bit included.
    pub nr: u32,
}

impl Call {
    /// The name in the table of the call's own architecture.
    pub fn name(self) -> Option<String> {
        let arch = match self.arch {
            AUDIT_ARCH_X86_64 if self.nr & X32_BIT != 0 && self.nr != u32::MAX => ScmpArch::X32,
            AUDIT_ARCH_X86_64 => ScmpArch::X8664,
            AUDIT_ARCH_I386 => ScmpArch::X86,
            AUDIT_ARCH_AARCH64 => ScmpArch::Aarch64,
            _ => return None,
        };
        ScmpSyscall::from_raw_syscall(self.nr as i32)
            .get_name_by_arch(arch)
            .ok()
    }
}

impl fmt::Display for Call {
    /// The name, or the number where the table has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(&name),
            None => write!(f, "{}", self.nr as i32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_architecture_has_its_own_names() {
        let name = |arch, nr| Call { arch, nr }.to_string();
        assert_eq!(name(AUDIT_ARCH_X86_64, 1), "write");
        assert_eq!(name(AUDIT_ARCH_I386, 1), "exit");
        assert_eq!(name(AUDIT_ARCH_AARCH64, 64), "write");
        assert_eq!(name(AUDIT_ARCH_X86_64, X32_BIT | 1), "write");
        assert_eq!(name(AUDIT_ARCH_X86_64, X32_BIT | 520), "execve");
    }

    #[test]
    fn unknown_numbers_stay_numbers() {
        let name = |arch, nr| Call { arch, nr }.to_string();
        assert_eq!(name(AUDIT_ARCH_X86_64, 4000), "4000");
        assert_eq!(name(AUDIT_ARCH_X86_64, u32::MAX), "-1");
        assert_eq!(name(0x1234, 1), "1");
    }
}
