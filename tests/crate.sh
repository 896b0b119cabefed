#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Looks at the kernel crate as it was compiled: clippy has nothing to say, and
# nothing in it can panic. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
load_tools
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

object=kernel/seccomp/rust/seccomp.o
work=$(mktemp -d "$BUILD/crate.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The kernel's own flags and lints, taken from how it compiled the crate. Its
# `make CLIPPY=1` would build the whole of the kernel's Rust anew.
clippy()
{
	local command
	command=$(sed -n "s/^savedcmd_.*seccomp\\.o := //p" "$BUILD/rust/kernel/seccomp/rust/.seccomp.o.cmd" |
		sed "s/ ;.*//; s#$RUSTC #$(dirname "$RUSTC")/clippy-driver #; s# --emit=llvm-bc=[^ ]*# --emit=metadata=$work/seccomp.rmeta#; s# --emit=obj=[^ ]*# --emit=metadata=$work/seccomp.rmeta#; s# --emit=dep-info=[^ ]*##; s#--out-dir [^ ]*#--out-dir $work#")
	(cd "$BUILD/rust" && RUSTC_BOOTSTRAP=1 eval "$command $*")
}

result()
{
	local status=$1
	shift
	[ ! -s "$work/output" ] || sed 's/^/# /' "$work/output"
	if [ "$status" -eq 0 ]; then ktap_test_pass "$*"; else ktap_test_fail "$*"; fi
}

ktap_print_header
ktap_set_plan 3

status=0
clippy -D warnings >"$work/output" 2>&1 || status=1
result "$status" "clippy with the kernel's lints"

# It would not be a check if it let everything pass.
status=1
clippy -D clippy::missing_docs_in_private_items -D clippy::implicit_return >/dev/null 2>&1 || status=0
: >"$work/output"
result "$status" "clippy is seen to complain"

status=0
llvm-nm --undefined-only "$BUILD/rust/$object" | grep -E 'panic|unwrap_failed|expect_failed|alloc' >"$work/output" && status=1
result "$status" "nothing that panics or allocates is called"
ktap_finished
