// SPDX-License-Identifier: GPL-2.0

//! What filters decide: an action and the data for it.
//!
//! This file is safe, pure and uses `core` alone, so that it is also tested on the host.
//!
//! C header: [`include/uapi/linux/seccomp.h`](srctree/include/uapi/linux/seccomp.h)

use crate::action::Action;

/// The bits of a filter's return value that select the action: `SECCOMP_RET_ACTION_FULL`.
pub(crate) const RET_ACTION_FULL: u32 = 0xffff_0000;

/// The bits of a filter's return value that are data for the action: `SECCOMP_RET_DATA`.
pub(crate) const RET_DATA: u32 = 0x0000_ffff;

/// What one filter, or a chain of them, has decided: the 32 bits that a filter returns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Verdict(u32);

impl Verdict {
    /// The verdict before any filter was asked.
    pub(crate) const ALLOW: Self = Self(Action::Allow.code());

    /// The verdict where no filter can be asked although one must: kill, so as not to fail open.
    pub(crate) const KILL_PROCESS: Self = Self(Action::KillProcess.code());

    /// The verdict of a filter that returned `ret`.
    #[inline(always)]
    pub(crate) const fn from_ret(ret: u32) -> Self {
        Self(ret)
    }

    /// The value that selects the action, which need not be that of a known one.
    #[inline(always)]
    pub(crate) const fn code(self) -> u32 {
        self.0 & RET_ACTION_FULL
    }

    /// The action, `None` for an unknown one, which is to be treated as [`Action::KillProcess`]
    /// and logged by its [`Self::code`].
    #[inline]
    pub(crate) const fn action(self) -> Option<Action> {
        Action::from_code(self.code())
    }

    /// The data for the action.
    #[inline(always)]
    pub(crate) const fn data(self) -> u16 {
        // The mask keeps the low half, so that the cast loses nothing.
        (self.0 & RET_DATA) as u16
    }

    /// Whether this verdict takes precedence over `other`, by their actions alone.
    ///
    /// The values are compared as signed, which makes `SECCOMP_RET_KILL_PROCESS` the strictest. This
    /// verdict's data need not be masked out: the other value is a multiple of 0x10000, and they are
    /// less than that, so that they cannot bring this value up to it.
    #[inline(always)]
    pub(crate) const fn is_stricter_than(self, other: Self) -> bool {
        (self.0 as i32) < (other.code() as i32)
    }
}
