// SPDX-License-Identifier: GPL-2.0-only

//! Calls that are answered as a kernel answers that does not have them.

use std::collections::{BTreeMap, BTreeSet};

use crate::syscalls::{Arch, Call, Calls, X32_BIT};

/// Calls that are answered with ENOSYS, for which programs have another way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Absent {
    /// These.
    pub calls: BTreeSet<Call>,
    /// Those of an architecture from this number on: the calls of newer kernels
    /// than the profile knows.
    pub newer: BTreeMap<Arch, u32>,
}

impl Absent {
    /// No call has this number, or a greater one: x32's begin here.
    pub const END: u32 = X32_BIT;

    /// Adds those of another profile, but for what is allowed.
    pub(crate) fn merge(&mut self, other: Self, allowed: &Calls) {
        self.calls.extend(other.calls);
        self.calls.retain(|call| !allowed.contains_key(call));
        for (arch, from) in other.newer {
            let mine = self.newer.entry(arch).or_insert(from);
            *mine = from.max(*mine);
        }
    }
}
