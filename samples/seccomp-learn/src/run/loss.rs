// SPDX-License-Identifier: GPL-2.0-only

//! Why a list may not be the whole one.

use std::fmt;

use super::MAX_DISTINCT;

/// Why a list may not be the whole one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The kernel counted records that it dropped.
    Counted(u64),
    /// The socket ran over this many times.
    Overrun(u64),
    /// printk suppressed this many records.
    Suppressed(u64),
    /// The records came through printk, which keeps ten in five seconds.
    Printk,
    /// Records that could not be read.
    Unreadable(u64),
    /// An audit rule, as auditctl writes it, that could drop records.
    Excluded(String),
    /// The marker behind the last record was never read.
    NoMarker,
    /// The record of a call that was certainly made did not come.
    NoCanary,
    /// There were more distinct calls than are kept.
    TooMany,
    /// A signal that was sent to end the run killed the command.
    Interrupted(&'static str),
    /// The command did not end when it was asked to, and was killed.
    Killed,
    /// The command had ended and left processes that were still running.
    StillRunning,
    /// The listener failed, with this error.
    Listener(String),
    /// So many passes in a row that brought nothing new were wanted; there were
    /// fewer.
    Unstable {
        /// How many there were.
        quiet: u32,
        /// How many were wanted.
        wanted: u32,
    },
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted(n) => write!(f, "{n} lost"),
            Self::Overrun(n) => write!(f, "an unknown number lost (the socket overran {n} times)"),
            Self::Printk => f.write_str(
                "the records came through printk, which keeps 10 in 5 seconds and may have dropped others",
            ),
            Self::Suppressed(n) => write!(f, "{n} lost (suppressed by printk)"),
            Self::Unreadable(n) => write!(f, "{n} lost (records that cannot be read)"),
            Self::Excluded(rule) => write!(f, "an audit rule may drop records: {rule}"),
            Self::NoMarker => f.write_str(
                "the end of the log was not seen (an audit rule may drop it; records reach the \
                 initial network namespace only)",
            ),
            Self::NoCanary => f.write_str(
                "records do not come (an audit rule or another filter may keep them back)",
            ),
            Self::TooMany => write!(f, "more than {MAX_DISTINCT} distinct calls"),
            Self::Interrupted(signal) => write!(f, "interrupted by {signal}"),
            Self::Killed => f.write_str("the command was killed, as it did not end when asked to"),
            Self::StillRunning => f.write_str("processes were left running"),
            Self::Listener(error) => write!(f, "the listener failed: {error}"),
            Self::Unstable { quiet, wanted } => {
                write!(f, "not stable: {quiet} passes in a row without a new call, {wanted} wanted")
            }
        }
    }
}
