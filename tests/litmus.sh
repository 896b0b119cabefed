#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests scripts/litmus.sh: that it fails where it must, and says when it could
# test nothing. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

work=$(mktemp -d "$BUILD/litmus.XXXXXX")
trap 'rm -rf "$work"' EXIT
ours=$ROOT/Documentation/litmus-tests
export SECCOMP_RUST_BUILD=$work/build
mkdir "$work/build"
ln -s "$KSRC" "$work/build/linux"
cp "$BUILD/linux.stamp" "$work/build/"

# A test of ours after a change by sed; one that changes nothing tests nothing.
changed()
{
	sed "$2" "$ours/$1.litmus" >"$work/$1.litmus"
	! cmp -s "$ours/$1.litmus" "$work/$1.litmus" && printf '%s\n' "$work/$1.litmus"
}

# Runs scripts/litmus.sh: a name, its exit status, the line it must say, the file.
expect()
{
	local name=$1 want=$2 line=$3 status=0
	shift 3
	"$ROOT/scripts/litmus.sh" "$@" >"$work/output" 2>&1 || status=$?
	if grep -q '# SKIP' "$work/output" && [[ $line != *SKIP* ]]; then
		ktap_test_skip "$name"
	elif [ "$status" = "$want" ] && grep -qxE -- "$line" "$work/output"; then
		ktap_test_pass "$name"
	else
		printf '# exit status %s (wanted %s), wanted: %s\n' "$status" "$want" "$line"
		sed 's/^/# /' "$work/output"
		ktap_test_fail "$name"
	fi
}

ktap_print_header
ktap_set_plan 7
expect "a reader without its barrier is found" 1 '# expected: Never; found: Sometimes DATARACE' \
	"$(changed TSYNC+rmb-mode-filter '/smp_rmb/d')"
expect "a writer without its barrier is found" 1 '# expected: Never; found: Sometimes DATARACE' \
	"$(changed TSYNC+rmb-mode-filter '/before_atomic/d')"
expect "a data race that is not expected is found" 1 '# expected: Sometimes; found: Sometimes DATARACE' \
	"$(changed TSYNC+mode-rmb-filter 's/ DATARACE$//')"
expect "a data race that is not there is missed" 1 '# expected: Sometimes DATARACE; found: Sometimes' \
	"$(changed TSYNC+no-flag 's/Sometimes$/& DATARACE/')"
expect "a test that expects nothing fails" 1 '# expected: nothing; found: Never' \
	"$(changed x86+mode-filter '/Result:/d')"
expect "a test that is none fails" 1 '# expected: Never; found: nothing' \
	"$(changed arm64+rmb-mode-filter 's/DMB/BMD/')"

# A herd7 too old, and no archive to get another from.
mkdir "$work/bin"
printf '#!/bin/sh\necho 7.57\n' >"$work/bin/herd7"
printf '#!/bin/sh\necho "E: no network" >&2\nexit 100\n' >"$work/bin/apt-get"
chmod +x "$work/bin/"*
XDG_CACHE_HOME=$work/cache PATH=$work/bin:$PATH \
	expect "without herd7 all is skipped" 0 "ok 1 .*# SKIP" "$ours/TSYNC+no-flag.litmus"
ktap_finished
