#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The size of seccomp's code: size.sh KERNEL, c or rust
#
# Prints lines "1 size SECTION BYTES", SECTION being text or rodata: of
# kernel/seccomp.o for c; for rust of the crate, compiled again without its KUnit
# tests, and of the C beside it. Read-only data are the constants and strings;
# tables beside the code (unwinding, bug, jump label), which the linker collects
# elsewhere, are not.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../../scripts/common.sh"
load_tools

kernel=${1:?a kernel: c or rust}
out=$BUILD/bench/size
if [ "$kernel" = c ]; then
	objects=("$BUILD/c/kernel/seccomp.o")
else
	mkdir -p "$out"
	grep -v KUNIT "$BUILD/rust/include/generated/rustc_cfg" >"$out/rustc_cfg"
	command=$(sed -n 's/^savedcmd_kernel\/seccomp\/rust\/seccomp\.o := //p' "$BUILD/rust/kernel/seccomp/rust/.seccomp.o.cmd" |
		sed "s| kernel/seccomp/rust/| $out/|g; s|=kernel/seccomp/rust/|=$out/|g; s|@./include/generated/rustc_cfg|@$out/rustc_cfg|")
	(cd "$BUILD/rust" && RUSTC_BOOTSTRAP=1 eval "$command") 2>"$out/log" || { cat "$out/log" >&2; die "the crate does not compile without KUnit"; }
	objects=("$out/seccomp.o")
	for object in "$BUILD/rust/kernel/seccomp/rust/"*.o; do
		[ "${object##*/}" = seccomp.o ] || objects+=("$object")
	done
fi

llvm-size -A "${objects[@]}" | awk '
	$1 ~ /^\.(noinstr|init|exit|ref)?\.?text/ { text += $2 }
	$1 ~ /^\.(init\.)?rodata/ { rodata += $2 }
	END { print "1 size text", text + 0; print "1 size rodata", rodata + 0 }'
