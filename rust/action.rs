// SPDX-License-Identifier: GPL-2.0

//! The actions a filter can ask for.
//!
//! One table, the `actions!` invocation below, gives each action its value, its
//! sysctl name, its bit in `actions_logged` and the rule by which it is logged. Everything that
//! names or numbers an action reads it.
//!
//! This file is safe, pure and uses `core` alone, so that it is also tested on the host.
//!
//! C header: [`include/uapi/linux/seccomp.h`](srctree/include/uapi/linux/seccomp.h)

/// When an action is logged, provided that `actions_logged` has its name.
///
/// The rule is that of `seccomp_log()` in `kernel/seccomp.c`, and is told to users in
/// `Documentation/userspace-api/seccomp_filter.rst`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum LogRule {
    /// Always.
    Always,
    /// Only if the filter that decided was attached with `SECCOMP_FILTER_FLAG_LOG`.
    OnRequest,
    /// Never. `actions_logged` does not take the name of such an action.
    Never,
}

/// Defines [`Action`] and everything about an action from one table.
macro_rules! actions {
    ($(
        $(#[$doc:meta])*
        $variant:ident = $value:literal, $name:literal, bit $bit:literal, $rule:ident;
    )*) => {
        /// An action that a filter can return, the strictest first.
        ///
        /// Its number here is that of its bit, because a small and dense one makes short code.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[repr(u8)]
        pub(crate) enum Action {
            $( $(#[$doc])* $variant = $bit, )*
        }

        impl Action {
            /// Every action, in the order in which `actions_avail` and `actions_logged` name them.
            pub(crate) const ALL: &'static [Self] = &[$( Self::$variant, )*];

            /// The action whose `SECCOMP_RET_*` value is `code`, if there is one.
            #[inline]
            pub(crate) const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $( $value => Some(Self::$variant), )*
                    _ => None,
                }
            }

            /// The action's `SECCOMP_RET_*` value.
            #[inline(always)]
            pub(crate) const fn code(self) -> u32 {
                match self {
                    $( Self::$variant => $value, )*
                }
            }

            /// The name by which the sysctls know the action.
            #[inline]
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )*
                }
            }

            /// When the action is logged.
            #[inline(always)]
            pub(crate) const fn log_rule(self) -> LogRule {
                match self {
                    $( Self::$variant => LogRule::$rule, )*
                }
            }
        }
    };
}

actions! {
    /// Kill the process. Also what becomes of a verdict with no known action.
    KillProcess = 0x8000_0000, "kill_process", bit 0, Always;
    /// Kill the thread.
    KillThread  = 0x0000_0000, "kill_thread",  bit 1, Always;
    /// Do not run the system call, send `SIGSYS` with the data in `si_errno`.
    Trap        = 0x0003_0000, "trap",         bit 2, OnRequest;
    /// Do not run the system call, return the data as its error.
    Errno       = 0x0005_0000, "errno",        bit 3, OnRequest;
    /// Let the listener of the filter answer.
    UserNotif   = 0x7fc0_0000, "user_notif",   bit 7, OnRequest;
    /// Let the tracer decide; without one the system call fails with `ENOSYS`.
    Trace       = 0x7ff0_0000, "trace",        bit 4, OnRequest;
    /// Allow the system call after it has been logged.
    Log         = 0x7ffc_0000, "log",          bit 5, Always;
    /// Allow the system call.
    Allow       = 0x7fff_0000, "allow",        bit 6, Never;
}

impl Action {
    /// The action's bit in the mask behind `actions_logged`: `SECCOMP_LOG_*`.
    #[inline(always)]
    pub(crate) const fn log_bit(self) -> u32 {
        1 << self as u32
    }

    /// The action that the sysctls know by `name`, byte for byte.
    pub(crate) fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.name().as_bytes() == name)
    }
}
