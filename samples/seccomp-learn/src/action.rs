// SPDX-License-Identifier: GPL-2.0-only

//! What happens to a call that the profile does not list.

use std::fmt;
use std::str::FromStr;

use crate::bpf::{RET_ERRNO, RET_KILL_PROCESS, RET_LOG};

/// The largest error number that a filter can return (the kernel's MAX_ERRNO).
const MAX_ERRNO: u16 = 4095;

/// The action for a call that is not on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The process dies of SIGSYS.
    Kill,
    /// The call fails with this error number.
    Errno(u16),
    /// The call goes through and is recorded.
    Log,
}

impl Action {
    /// The SECCOMP_RET_* value.
    pub const fn value(self) -> u32 {
        match self {
            Self::Kill => RET_KILL_PROCESS,
            Self::Errno(errno) => RET_ERRNO | errno as u32,
            Self::Log => RET_LOG,
        }
    }

    /// The kernel's name of the action in `actions_logged`.
    pub const fn kernel_name(self) -> &'static str {
        match self {
            Self::Kill => "kill_process",
            Self::Errno(_) => "errno",
            Self::Log => "log",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill => f.write_str("kill"),
            Self::Errno(1) => f.write_str("errno"),
            Self::Errno(errno) => write!(f, "errno:{errno}"),
            Self::Log => f.write_str("log"),
        }
    }
}

impl FromStr for Action {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "kill" => Ok(Self::Kill),
            "errno" => Ok(Self::Errno(libc::EPERM as u16)),
            "log" => Ok(Self::Log),
            _ => text
                .strip_prefix("errno:")
                .and_then(|n| n.parse().ok())
                .filter(|&n| n <= MAX_ERRNO)
                .map(Self::Errno)
                .ok_or_else(|| {
                    format!("unknown action {text:?} (kill, errno, errno:NUMBER or log)")
                }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_survive_their_text() {
        for action in [
            Action::Kill,
            Action::Log,
            Action::Errno(1),
            Action::Errno(38),
        ] {
            assert_eq!(action.to_string().parse(), Ok(action));
        }
        assert!("errno:4096".parse::<Action>().is_err());
        assert!("allow".parse::<Action>().is_err());
    }
}
