#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Looks at the kernel crate as it was compiled: clippy has nothing to say, nothing
# in it can panic, and the path of a system call does not allocate. Prints KTAP.

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
ktap_set_plan 4

status=0
clippy -D warnings >"$work/output" 2>&1 || status=1
result "$status" "clippy with the kernel's lints"

# It would not be a check if it let everything pass.
status=1
clippy -D clippy::missing_docs_in_private_items -D clippy::implicit_return >/dev/null 2>&1 || status=0
: >"$work/output"
result "$status" "clippy is seen to complain"

status=0
llvm-nm --undefined-only "$BUILD/rust/$object" | grep -E 'panic|unwrap_failed|expect_failed' >"$work/output" && status=1
result "$status" "nothing that panics is called"

# Memory is given and taken by one function. What a system call goes through up to
# an action has none of it; a filter is freed where its last reference goes.
status=0
llvm-objdump -dr --no-show-raw-insn "$BUILD/rust/$object" |
	awk '/^[0-9a-f]+ </ { where = $2 } /R_X86_64_P.*(alloc|kfree)/ { print where }' | sort -u >"$work/callers"
[ -s "$work/callers" ] || { status=1; echo "no caller of the allocator was found at all" >"$work/output"; }
grep -E '__seccomp_permit_syscall|8dispatch|6permit|6strict|3log|28seccomp_do_user_notification' "$work/callers" >>"$work/output" && status=1
result "$status" "no memory is allocated or freed on the path of a system call"
ktap_finished
