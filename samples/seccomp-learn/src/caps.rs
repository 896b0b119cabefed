// SPDX-License-Identifier: GPL-2.0-only

//! What this process may do.

use std::fs;

/// A capability, by its number in `linux/capability.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Install a filter without `no_new_privs`.
    SysAdmin = 21,
    /// Write an audit record.
    AuditWrite = 29,
    /// Change audit's settings, and take a new session.
    AuditControl = 30,
    /// Read audit's records.
    AuditRead = 37,
}

impl Cap {
    /// The capability's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SysAdmin => "CAP_SYS_ADMIN",
            Self::AuditWrite => "CAP_AUDIT_WRITE",
            Self::AuditControl => "CAP_AUDIT_CONTROL",
            Self::AuditRead => "CAP_AUDIT_READ",
        }
    }
}

/// Those of `wanted` that this process does not have.
pub fn missing(wanted: &[Cap]) -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = effective(&status);
    wanted
        .iter()
        .filter(|&&cap| effective & (1 << cap as u32) == 0)
        .map(|cap| cap.name())
        .collect()
}

fn effective(status: &str) -> u64 {
    status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_set_is_read() {
        assert_eq!(
            effective("CapPrm:\t1\nCapEff:\t0000000000200000\n"),
            1 << Cap::SysAdmin as u32
        );
        assert_eq!(effective(""), 0);
    }
}
