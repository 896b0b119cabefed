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
load_tools

rounds=${1:-60}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || die "usage: rounds.sh [ROUNDS [KERNEL...]]"
shift $(($# > 0 ? 1 : 0))
[ $# -gt 0 ] || set -- c rust
out=$BUILD/rounds
mkdir -p "$out"
rm -f "$out"/*

# 100,000 calls that are answered, within 30 s.
slow=user_notification_wait_killable_after_reply

# For the guest: each test alone, so that those before it change nothing. The
# harness lists what tests there are in a table, a fixture's name once.
cat >"$out/guest" <<-'END'
	dir=$1 rounds=$2 grep=$3 slow=$4
	cd "$dir"
	names=$(./seccomp_bpf -l 2>&1 | awk '/^#/ { next } /^[^ ]/ { fixture = $1 }
		tolower(fixture "." $NF) ~ /tsync|notif/ { print fixture "." $NF }' | $grep "$slow")
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

# Runs in a guest of kernel $1 the tests that grep, $2, takes: options of vm.sh.
guest()
{
	local kernel=$1 grep=$2 status=0
	shift 2
	"$ROOT/scripts/vm.sh" --quiet --kernel "$kernel" --timeout $((600 + rounds * 120)) "$@" -- \
		"bash $out/guest $BUILD/selftests/kernel $rounds '$grep' $slow" </dev/null || status=$?
	[ "$status" -eq 0 ] || echo "broken $status"
}

for kernel; do
	{
		guest "$kernel" 'grep -v'
		guest "$kernel" grep --icount
	} >"$out/$kernel" 2>"$out/$kernel.log" &
done
wait

number=0 failed=0
printf 'TAP version 14\n'
for kernel; do
	mapfile -t names < <(sed -nE 's/^(passed|failed) //p' "$out/$kernel" | sort -u)
	for name in "${names[@]}" "$kernel"; do
		number=$((number + 1))
		if [ "$name" = "$kernel" ]; then
			# Whatever did not come to its end is no pass.
			result="the guests end in good order, ${#names[@]} tests"
			if grep -q '^broken' "$out/$kernel" || [ "${#names[@]}" -eq 0 ]; then
				tail -n 5 "$out/$kernel.log" | sed 's/^/# /'
				result="not $result"
			fi
		else
			passed=$(grep -cx "passed $name" "$out/$kernel" || true)
			result="$passed of $rounds rounds pass"
			if [ "$passed" -ne "$rounds" ]; then
				sed -n "s/^said $name \(round [0-9]*\): /# \1: /p" "$out/$kernel" | head -n 12
				result="not $result"
			fi
		fi
		case $result in
		not*) printf 'not ok %d %s: %s: %s\n' "$number" "$kernel" "$name" "${result#not }"; failed=1 ;;
		*) printf 'ok %d %s: %s: %s\n' "$number" "$kernel" "$name" "$result" ;;
		esac
	done
done
printf '1..%d\n' "$number"
exit "$failed"
