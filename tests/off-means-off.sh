#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# With CONFIG_SECCOMP_RUST off, the patched kernel/seccomp.c must give the code
# and the read-only data of the unpatched one. Compiles both by the command that
# built the baseline kernel, and compares. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
load_tools
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

work=$(mktemp -d "$BUILD/off.XXXXXX")
trap 'rm -rf "$work"' EXIT
export GIT_CEILING_DIRECTORIES=$BUILD

# The same file three times: as patched, without the patches, with a fault.
for tree in patched unpatched faulty; do
	mkdir -p "$work/$tree/kernel"
	cp "$KSRC/kernel/seccomp.c" "$work/$tree/kernel/"
	ln -s "$ROOT" "$work/$tree/kernel/seccomp"
done
for patch in $(printf '%s\n' "$ROOT"/patches/*.patch | sort -r); do
	git -C "$work/unpatched" apply -R --include=kernel/seccomp.c "$patch"
done
sed -i 's/data = MAX_ERRNO;/data = MAX_ERRNO - 1;/' "$work/faulty/kernel/seccomp.c"

command=$(sed -n 's/^savedcmd_kernel\/seccomp\.o := //p' "$BUILD/c/kernel/.seccomp.o.cmd" |
	sed 's/ -c -o kernel\/seccomp\.o .*//; s/-Wp,-MMD,[^ ]*//; s/^[^ ]*ccache //')

compile()
{
	local tree=$1
	# The file's own name, in the messages of WARN(), is not what counts.
	(cd "$BUILD/c" && eval "$command -fmacro-prefix-map=$work/$tree/= -c -o $work/$tree.o $work/$tree/kernel/seccomp.c")
	# Instructions, data and what they refer to; the bug table, which has line
	# numbers, is left out, and so are numbers that count within the file.
	llvm-objdump -d -r -s --no-show-raw-insn \
		-j .text -j .text.unlikely. -j .init.text -j .rodata -j .rodata.str1.1 -j .rodata.cst4 -j .rodata.cst8 \
		-j .rodata.cst16 -j .rodata.cst32 -j .data -j .initcall6.init "$work/$tree.o" 2>/dev/null |
		sed "s/^.*$tree\\.o:/seccomp.o:/; s/__UNIQUE_ID_[A-Za-z_]*[0-9]*/__UNIQUE_ID/; s/__kmod_seccomp__[0-9_]*/__kmod_seccomp__/" >"$work/$tree.txt"
}

ktap_print_header
ktap_set_plan 3
for tree in patched unpatched faulty; do
	compile "$tree"
done

if grep -q '<__seccomp_permit_syscall>:' "$work/patched.txt"; then
	ktap_test_pass "the object has the system call path in C"
else
	ktap_test_fail "the object has the system call path in C"
fi
if diff "$work/unpatched.txt" "$work/patched.txt" >"$work/diff"; then
	ktap_test_pass "SECCOMP_RUST=n: code and read-only data as without the patches"
else
	head -n 20 "$work/diff" | sed 's/^/# /'
	ktap_test_fail "SECCOMP_RUST=n: code and read-only data as without the patches"
fi
if cmp -s "$work/unpatched.txt" "$work/faulty.txt"; then
	ktap_test_fail "the comparison sees a changed constant"
else
	ktap_test_pass "the comparison sees a changed constant"
fi
ktap_finished
