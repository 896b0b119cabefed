#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The size of seccomp's code: size.sh KERNEL, c or rust
#
# Prints lines "1 size NAME BYTES". NAME is text or rodata: of kernel/seccomp.o for
# c; for rust of the crate, compiled again without its KUnit tests and without what C
# does not have, and of the C beside it. For rust there are both together as well, as
# all of it is (whole), and without calls that are logged once (traced).
# Read-only data are the constants and strings; tables beside the code (unwinding,
# bug, jump label), which the linker collects elsewhere, are not.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
load_tools

kernel=${1:?a kernel: c or rust}
out=$BUILD/bench/size
crate=$BUILD/rust/kernel/seccomp/rust

# Text and read-only data of objects.
sizes()
{
	llvm-size -A "$@" | awk '
		$1 ~ /^\.(noinstr|init|exit|ref)?\.?text/ { text += $2 }
		$1 ~ /^\.(init\.)?rodata/ { rodata += $2 }
		END { print text + 0, rodata + 0 }'
}

# The crate without the options whose names match $1, and the objects of C that
# follow.
sizes_without()
{
	local without=$1 command
	shift
	mkdir -p "$out"
	grep -vE "$without" "$BUILD/rust/include/generated/rustc_cfg" >"$out/rustc_cfg"
	command=$(sed -n 's/^savedcmd_kernel\/seccomp\/rust\/seccomp\.o := //p' "$crate/.seccomp.o.cmd" |
		sed "s| kernel/seccomp/rust/| $out/|g; s|=kernel/seccomp/rust/|=$out/|g; s|@./include/generated/rustc_cfg|@$out/rustc_cfg|")
	(cd "$BUILD/rust" && RUSTC_BOOTSTRAP=1 eval "$command") 2>"$out/log" ||
		{ cat "$out/log" >&2; die "the crate does not compile without $without"; }
	sizes "$out/seccomp.o" "$@"
}

if [ "$kernel" = c ]; then
	read -r text rodata < <(sizes "$BUILD/c/kernel/seccomp.o")
else
	read -r text rodata < <(sizes_without 'KUNIT|SECCOMP_LOG_ONCE|CONFIG_TRACEPOINTS' "$crate/syscall.o")
	sizes_without 'KUNIT|SECCOMP_LOG_ONCE' "$crate/syscall.o" "$crate/trace.o" | awk '{ print "1 size traced", $1 + $2 }'
	sizes_without KUNIT "$crate/syscall.o" "$crate/trace.o" | awk '{ print "1 size whole", $1 + $2 }'
fi
printf '1 size text %d\n1 size rodata %d\n' "$text" "$rodata"
