// SPDX-License-Identifier: GPL-2.0-only

//! The machine that a profile is read for, where it says different things of
//! different ones.

use std::str::FromStr;

use crate::syscalls::Arch;

/// A kernel's version: `6.18`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kernel(pub u32, pub u32);

impl FromStr for Kernel {
    type Err = String;

    /// Takes `uname -r` as well: what follows is passed over.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit());
        let mut next = || numbers.next().and_then(|digits| digits.parse().ok());
        next()
            .zip(next())
            .map(|(major, minor)| Self(major, minor))
            .ok_or_else(|| format!("{text:?} is no kernel version (as 6.18)"))
    }
}

/// Capabilities, each a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps(u64);

/// In the order of their numbers in `linux/capability.h`.
const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// What Docker gives a container that asks for nothing; podman gives three less,
/// on which no profile of either depends.
const CONTAINER: &str = "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,\
                         net_bind_service,net_raw,sys_chroot,mknod,audit_write,setfcap";

impl Caps {
    /// Those of a container that asks for none.
    pub fn container() -> Self {
        CONTAINER.parse().unwrap_or_default()
    }

    /// Whether this one is among them; one that nobody knows is not.
    pub fn has(self, name: &str) -> bool {
        bit(name).is_some_and(|bit| self.0 & bit != 0)
    }
}

fn bit(name: &str) -> Option<u64> {
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let number = NAMES
        .iter()
        .position(|known| &known["CAP_".len()..] == short);
    number.map(|number| 1 << number)
}

impl FromStr for Caps {
    type Err = String;

    /// Takes names with commas between, with `CAP_` or without; `none`, `all`,
    /// and `container`, which is [`Caps::container`].
    fn from_str(text: &str) -> Result<Self, String> {
        let mut caps = Self::default();
        for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            caps.0 |= match word {
                "none" => 0,
                "all" => (1 << NAMES.len()) - 1,
                "container" => Self::container().0,
                _ => bit(word).ok_or_else(|| format!("unknown capability {word:?}"))?,
            };
        }
        Ok(caps)
    }
}

/// A machine, and what a container may do on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Machine {
    /// Its own architecture.
    pub arch: Arch,
    /// What its process may do.
    pub caps: Caps,
    /// Its kernel.
    pub kernel: Kernel,
}

impl Default for Machine {
    /// This one, and a container that asks for no capability.
    fn default() -> Self {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            arch: Arch::NATIVE,
            caps: Caps::container(),
            kernel: release.parse().unwrap_or(Kernel(u32::MAX, 0)),
        }
    }
}

impl Machine {
    /// The machine on which calls of this architecture are made: this one if it
    /// makes them, or else the same with the architecture's own processor.
    pub fn making(self, arch: Arch) -> Self {
        if self.arch.machine() == arch.machine() {
            self
        } else {
            Self {
                arch: arch.machine(),
                ..self
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!("4.8".parse(), Ok(Kernel(4, 8)));
        assert_eq!("6.18.3-1-amd64\n".parse(), Ok(Kernel(6, 18)));
        assert!(Kernel(4, 10) > Kernel(4, 8));
        assert!("6".parse::<Kernel>().is_err());
        assert!("x.y".parse::<Kernel>().is_err());
    }

    #[test]
    fn capabilities_have_names() {
        let caps: Caps = "CAP_SYS_ADMIN,net_raw".parse().unwrap();
        assert!(caps.has("CAP_SYS_ADMIN") && caps.has("cap_net_raw"));
        assert!(!caps.has("CAP_BPF") && !caps.has("CAP_NONSENSE"));
        assert!(Caps::container().has("CAP_SYS_CHROOT"));
        assert!(!Caps::container().has("CAP_SYS_ADMIN"));
        assert!("all".parse::<Caps>().unwrap().has("CAP_CHECKPOINT_RESTORE"));
        assert_eq!("none".parse(), Ok(Caps::default()));
        assert!("nonsense".parse::<Caps>().is_err());
    }
}
