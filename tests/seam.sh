#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the kernel is cut: with CONFIG_SECCOMP_RUST it is built of kernel/seccomp/
# in place of kernel/seccomp.c, without it of that file, which is not changed by
# a line. Above the abstractions there is no unsafe code. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
load_tools
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

# A test: its name, then a command, what it says being why it failed.
check()
{
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ktap_test_pass "$name"
	else
		printf '%s\n' "$output" | sed 's/^/# /'
		ktap_test_fail "$name"
	fi
}

patched_files()
{
	git apply --numstat "$ROOT"/patches/*.patch | cut -f3 | sort -u
}

untouched()
{
	! patched_files | grep -x 'kernel/seccomp\.c'
}

# What of seccomp is linked into a kernel. Other objects may lie about.
objects()
{
	(cd "$BUILD/$1" && llvm-ar t kernel/built-in.a | grep -E '(^|/)seccomp' | sort)
}

built_of()
{
	local kernel=$1
	shift
	diff <(printf '%s\n' "$@") <(objects "$kernel")
}

# The entry points are what C calls, and the one place above that may be unsafe.
above()
{
	find "$ROOT/rust" -maxdepth 1 -name '*.rs' ! -name entry.rs
}

no_unsafe()
{
	local files
	mapfile -t files < <(above)
	[ "${#files[@]}" -gt 10 ] &&
		! grep -nE '\bunsafe \{|\bunsafe (impl|fn|extern)|\bbindings::|\ballow\(unsafe_code' "${files[@]}"
}

# The compiler says so as well.
denied()
{
	grep -q '^#!\[deny(unsafe_code)\]$' "$ROOT/rust/seccomp.rs" &&
		[ "$(grep -c 'unsafe_code' "$ROOT/rust/seccomp.rs")" -eq 3 ]
}

# Files with unsafe code and how much, examples apart, as the documentation has it.
counted()
{
	diff <(cd "$ROOT" && grep -rcE '^[^/]*\bunsafe (\{|impl|fn|extern)' --include='*.rs' --exclude-dir=host rust |
		awk -F: '$2 > 0 { print $1, $2 }' | sort) \
		<(sed -n 's/^``\(rust[^`]*\)`` *\([0-9]*\)$/\1 \2/p' "$ROOT/Documentation/design.rst" | sort)
}

ktap_print_header
ktap_set_plan 6
check "no patch touches kernel/seccomp.c" untouched
check "with SECCOMP_RUST the kernel is built of kernel/seccomp/" \
	built_of rust kernel/seccomp/rust/seccomp.o kernel/seccomp/rust/syscall.o \
	kernel/seccomp/rust/trace.o
check "without it of kernel/seccomp.c" built_of c kernel/seccomp.o
check "no unsafe code and no bindings above the abstractions" no_unsafe
check "the documentation counts the unsafe code of each file" counted
check "the compiler denies unsafe code there" denied
ktap_finished
