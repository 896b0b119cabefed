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
mkdir -p "$out"
"$ROOT/scripts/selftests.sh"
selftests=$BUILD/selftests
oracles=(seccomp_oracle seccomp_api seccomp_programs)

# Runs a command, whose output is KTAP, in a guest of kernel $1 as part $2; what
# vm.sh has to say against the guest is one more test. More options of vm.sh may
# precede --.
part()
{
	local kernel=$1 name=$1-$2 begin=$SECONDS status=0 options=()
	shift 2
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	"$ROOT/scripts/vm.sh" --quiet --kernel "$kernel" --memory 2G --timeout 1500 --append panic_on_warn=1 \
		"${options[@]}" "$@" >"$out/$name.ktap" 2>"$out/$name.log" </dev/null || status=$?
	# 126 and 125 are a splat and an end before its time; else it is the tests' own.
	printf 'TAP version 14\n1..1\n%s 1 %s: the guest ends in good order, no splat\n' \
		"$([ "$status" -lt 124 ] && echo ok || echo 'not ok')" "$name" >"$out/$name-console.ktap"
	say "$name: $(python3 "$ROOT/scripts/ktap.py" summary "$out/$name.ktap" | tail -n 1) ($((SECONDS - begin)) s)"
}

# For the guest: two scans, because what is not yet old enough is not told of.
cat >"$out/kmemleak" <<-'END'
	printf 'TAP version 14\n1..1\n'
	file=/sys/kernel/debug/kmemleak
	if ! [ -e $file ]; then
		echo 'ok 1 kmemleak # SKIP this kernel has none'
		exit
	fi
	sleep 6
	echo scan >$file
	sleep 6
	echo scan >$file
	found=$(cat $file)
	[ -z "$found" ] || sed 's/^/# /' <<<"$found"
	[ -z "$found" ] && echo 'ok 1 kmemleak finds nothing' || echo 'not ok 1 kmemleak finds nothing'
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
	part "$kernel" kunit -- "$ROOT/tests/kunit.sh"
	part "$kernel" stress --failing-allocations -- "$selftests/seccomp_log/stress $stress"
	part "$kernel" seccomp_bpf -- "cd $selftests/kernel && ./seccomp_bpf -T $SLOW_TEST"
	# The guest's clock counts instructions here: one CPU.
	part "$kernel" seccomp_bpf-slow --icount -- "cd $selftests/kernel && ./seccomp_bpf -t $SLOW_TEST"
	part "$kernel" log -- "cd $selftests/seccomp_log && ./log_test -F no_audit"
	part "$kernel" log-audit-off --append audit=0 -- "cd $selftests/seccomp_log && ./log_test -f no_audit"
	part "$kernel" sysctl -- "cd $selftests/seccomp_log && ./sysctl_test"
	part "$kernel" lifetime -- "cd $selftests/seccomp_lifetime && ./lifetime_test"
	part "$kernel" listener -- "cd $selftests/seccomp_lifetime && ./listener_test"
	part "$kernel" alloc --failing-allocations -- "cd $selftests/seccomp_lifetime && ./alloc_test"
	part "$kernel" oracle -- "bash $out/oracle $kernel"
	# What some of each in one guest has lost.
	part "$kernel" kmemleak --failing-allocations -- "(cd $selftests/seccomp_log && ./stress 5 2; ./sysctl_test; cd ../seccomp_lifetime &&
		./listener_test; ./alloc_test; bash $out/oracle $kernel) >/dev/null 2>&1; bash $out/kmemleak"
done
printf '\n'
python3 "$ROOT/scripts/ktap.py" summary "$out"/*.ktap
