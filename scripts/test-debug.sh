#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The tests on kernels that look for their own faults: test-debug.sh [VARIANT...]
#
#	debug	KASAN, lockdep, RCU, UBSAN, object life, kmemleak, failing allocations
#	kcsan	data races
#
# CASES (300) says how many of the oracle's cases, SECONDS_OF_STRESS (60) how long
# the stress. Each part writes KTAP into build/test-debug/. A warning of the
# kernel is a panic there, and what it prints a failure in any case. Guests run by
# the real clock, on CPUs that really run side by side: races want that, and with
# so many checks the counting of instructions takes several times as long.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
cases=${CASES:-300} stress=${SECONDS_OF_STRESS:-60}

"$ROOT/scripts/setup.sh"
load_tools
[ $# -gt 0 ] || set -- debug kcsan
"$ROOT/scripts/kernel.sh" rust
"$ROOT/scripts/kernel.sh" c
out=$BUILD/test-debug
# shellcheck source=scripts/parts.sh
. "$ROOT/scripts/parts.sh"
mkdir -p "$out"
"$ROOT/scripts/selftests.sh"
selftests=$BUILD/selftests
oracles=(seccomp_oracle seccomp_api seccomp_programs)

# Runs a command, whose output is KTAP, in a guest of kernel $1 as part $2. More options
# of vm.sh may precede --.
debug_part()
{
	local kernel=$1 name=$1-$2
	shift 2
	part "$name" "$ROOT/scripts/vm.sh" --quiet --kernel "$kernel" --memory 2G --timeout 1500 --append panic_on_warn=1 "$@"
}

# For the guest: two scans, because what is not yet old enough is not told of.
cat >"$out/kmemleak" <<-'END'
	printf 'TAP version 14\n1..1\n'
	file=/sys/kernel/debug/kmemleak
	if ! [ -e $file ]; then
		echo 'ok 1 kmemleak # SKIP this kernel has none'
		exit
	fi
	# It gives up for good when it gets no memory itself, and refuses to scan then.
	scan() { sleep 6; echo scan >$file; }
	if scan && scan && found=$(cat $file) && [ -z "$found" ] && [ "$1" = 0 ]; then
		echo 'ok 1 kmemleak finds nothing'
	else
		[ "$1" = 0 ] || echo "# what it was to look at ended with $1"
		[ -z "$found" ] || sed 's/^/# /' <<<"$found"
		echo 'not ok 1 kmemleak finds nothing'
	fi
END
cat >"$out/oracle" <<-END
	printf 'TAP version 14\n1..${#oracles[@]}\n'
	number=0
	for name in ${oracles[*]}; do
		number=\$((number + 1))
		$selftests/\$name/\$name --seed 1 --cases $cases --jobs 2 >$out/\$1.\$name
		if [ "\$1" = c ] || cmp $out/c.\$name $out/\$1.\$name >&2; then
			echo "ok \$number \$name: $cases lines are those of C"
		else
			diff $out/c.\$name $out/\$1.\$name | cut -c1-400 | head -n 4 | sed 's/^/# /'
			echo "not ok \$number \$name: $cases lines are those of C"
		fi
	done
END

rm -f "$out"/*.ktap "$out"/*.log
"$ROOT/scripts/vm.sh" --quiet --icount --kernel c -- "bash $out/oracle c" >&2
for variant; do
	kernel=$variant-rust
	"$ROOT/scripts/kernel.sh" "$kernel"
	debug_part "$kernel" kunit -- "$ROOT/tests/kunit.sh"
	debug_part "$kernel" stress --failing-allocations -- "$selftests/seccomp_log/stress $stress"
	debug_part "$kernel" seccomp_bpf -- "cd $selftests/kernel && ./seccomp_bpf -T $SLOW_TEST"
	# The guest's clock counts instructions here: one CPU.
	debug_part "$kernel" seccomp_bpf-slow --icount -- "cd $selftests/kernel && ./seccomp_bpf -t $SLOW_TEST"
	debug_part "$kernel" log -- "cd $selftests/seccomp_log && ./log_test -F no_audit"
	debug_part "$kernel" log-audit-off --append audit=0 -- "cd $selftests/seccomp_log && ./log_test -f no_audit"
	debug_part "$kernel" sysctl -- "cd $selftests/seccomp_log && ./sysctl_test"
	debug_part "$kernel" lifetime -- "cd $selftests/seccomp_lifetime && ./lifetime_test"
	debug_part "$kernel" listener -- "cd $selftests/seccomp_lifetime && ./listener_test"
	debug_part "$kernel" alloc --failing-allocations -- "cd $selftests/seccomp_lifetime && ./alloc_test"
	debug_part "$kernel" oracle -- "bash $out/oracle $kernel"
	# What some of each in one guest has lost.
	debug_part "$kernel" kmemleak --failing-allocations -- "(cd $selftests/seccomp_log && ./stress 5 2 && ./sysctl_test && cd ../seccomp_lifetime &&
		./listener_test && ./alloc_test && bash $out/oracle $kernel) >/dev/null 2>&1; bash $out/kmemleak \$?"
done
printf '\n'
python3 "$ROOT/scripts/ktap.py" summary "$out"/*.ktap
