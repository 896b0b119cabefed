#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds into build/selftests/, with ARCH below build/ARCH/, what the guest runs: the
# kernel tree's own seccomp selftests and ours, each with the kernel's own
# makefiles, whose output is in build/selftests.log.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

"$ROOT/scripts/rootfs.sh"
log=$BUILD/selftests.log
say "building the selftests"
# Everything below speaks into the log, this to the caller.
exec 3>&2 >"$log" 2>&1
show_failure()
{
	tail -n 20 "$log" >&3
	die "the selftests do not build (all of the output: ${BUILD#"$ROOT"/}/selftests.log)" 2>&3
}
trap '[ $? -eq 0 ] || show_failure' EXIT

headers=$BUILD/headers
make -s -C "$KSRC" O="$BUILD/rust" ARCH="$karch" LLVM=1 INSTALL_HDR_PATH="$headers" headers_install
mkdir -p "$BUILD/selftests/kernel"
make -s -C "$KSRC/tools/testing/selftests/seccomp" OUTPUT="$BUILD/selftests/kernel" CC="$target_cc" \
	KHDR_INCLUDES="-isystem $headers/include" top_srcdir="$KSRC"
for ours in "$ROOT"/tools/testing/selftests/*/; do
	mkdir -p "$BUILD/selftests/$(basename "$ours")"
	make -s -C "$ours" KSRC="$KSRC" CC="$target_cc" ${compat_cc:+CC_COMPAT="$compat_cc"} ARCH="$karch" OUTPUT="$BUILD/selftests/$(basename "$ours")" \
		KHDR_INCLUDES="-isystem $headers/include"
done
