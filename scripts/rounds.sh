#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the TSYNC and notification tests of the kernel's own selftest many times
# over, as what depends on who comes first shows only now and then: rounds.sh
# [ROUNDS [KERNEL...]]
#
#	ROUNDS	how often each is run (default 60)
#	KERNEL	below build/ (default: c and rust, side by side)
#
# Prints KTAP, a line for each test and kernel. The guests have two CPUs, which
# really run side by side, and the clock of this machine; the one test that takes as
# long as its time limit there has a guest of its own, by the clock that counts
# instructions. A test that failed in a round is a failure, with what it said the
# first time; all rounds are run in any case. The output is in build/rounds/.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"
load_tools

rounds=${1:-60}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || die "usage: rounds.sh [ROUNDS [KERNEL...]]"
shift $(($# > 0 ? 1 : 0))
[ $# -gt 0 ] || set -- c rust
out=$BUILD/rounds
mkdir -p "$out"
rm -f "$out"/*

# For the guest: each test alone, so that those before it change nothing. The
# harness lists what tests there are in a table, a fixture's name once.
cat >"$out/guest" <<-'END'
	dir=$1 rounds=$2
	shift 2
	cd "$dir"
	names=$(./seccomp_bpf -l 2>&1 | awk '/^#/ { next } /^[^ ]/ { fixture = $1 }
		tolower(fixture "." $NF) ~ /tsync|notif/ { print fixture "." $NF }' | grep "$@")
	for ((round = 1; round <= rounds; round++)); do
		for name in $names; do
			if ./seccomp_bpf -r "$name" >/tmp/said 2>&1 && grep -q "^ok 1 $name" /tmp/said; then
				echo "passed $name"
			else
				echo "failed $name"
				sed "s/^/said $name round $round: /" /tmp/said
			fi
		done
	done
END

# guest KERNEL GREP [OPTION of vm.sh...]: the tests but the slow one where GREP, an
# option of grep's, is -v, and that one where it is -e.
guest()
{
	local kernel=$1 grep=$2 status=0
	shift 2
	"$ROOT/scripts/vm.sh" --quiet --kernel "$kernel" --timeout $((600 + rounds * 120)) "$@" -- \
		"bash $out/guest $BUILD/selftests/kernel $rounds $grep $SLOW_TEST" </dev/null || status=$?
	[ "$status" -eq 0 ] || echo "broken $status"
}

guests()
{
	guest "$1" -v
	guest "$1" -e --icount
}

for kernel; do
	background guests "$kernel" >"$out/$kernel" 2>"$out/$kernel.log"
done
wait

# The tests that were run on kernel $1.
tests_of()
{
	sed -nE 's/^(passed|failed) //p' "$out/$1" | sort -u
}

ktap_print_header
ktap_set_plan $(($(for kernel; do tests_of "$kernel"; done | wc -l) + $#))
for kernel; do
	mapfile -t names < <(tests_of "$kernel")
	for name in "${names[@]}"; do
		passed=$(grep -cx "passed $name" "$out/$kernel" || true)
		sed -n "s/^said $name \(round [0-9]*\): /# \1: /p" "$out/$kernel" | head -n 12 || true
		ktap_test_result "$kernel: $name: $passed of $rounds rounds pass" [ "$passed" -eq "$rounds" ]
	done
	# Whatever did not come to its end is no pass.
	broken=$(grep -c '^broken' "$out/$kernel" || true)
	[ "$broken" -eq 0 ] || tail -n 5 "$out/$kernel.log" | sed 's/^/# /'
	ktap_test_result "$kernel: the guests end in good order, ${#names[@]} tests" [ "$broken" -eq 0 -a "${#names[@]}" -gt 0 ]
done
ktap_finished
