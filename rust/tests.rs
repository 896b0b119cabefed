// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the rules, in the kernel that stands on them.
//!
//! The same files have more of them on the host, in `rust/host/`, where generated input costs nothing.

use kernel::prelude::*;

#[kunit_tests(seccomp_rust)]
mod tests {
    #[test]
    fn placeholder() {}
}
