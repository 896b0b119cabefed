#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Every test there is: test.sh [PART...], with ARCH in the environment those that run
# in a guest, in one of that architecture.
#
# Each part writes KTAP into build/test/PART.ktap (build/ARCH/test/ there), and what
# else it says into PART.log beside it. Guests of the two kernels run side by side, by
# a clock that counts instructions, so that how busy the machine is changes nothing.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
CASES=${CASES:-10000}
started=$SECONDS

"$ROOT/scripts/setup.sh"
load_tools
"$ROOT/scripts/source.sh"
"$ROOT/scripts/kernel.sh" rust
"$ROOT/scripts/kernel.sh" c
out=$BUILD/test
# shellcheck source=scripts/parts.sh
. "$ROOT/scripts/parts.sh"
rm -rf "$out"
mkdir -p "$out"

# A part in the guest of each kernel, side by side: its name, options of vm.sh
# up to --, the command.
guests()
{
	local name=$1 options=()
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	background part "$name-c" "$ROOT/scripts/vm.sh" --quiet --kernel c "${options[@]}" "$@"
	background part "$name-rust" "$ROOT/scripts/vm.sh" --quiet --kernel rust "${options[@]}" "$@"
	wait
}

# The tests of part $1 with their results, without that of what the C kernel does
# not have, which it skips: ADDED.
list()
{
	python3 "$ROOT/scripts/ktap.py" list "$out/$1.ktap" | grep -vE " (${ADDED:-none})$"
}

# The same tests with the same results on both kernels.
same()
{
	printf 'TAP version 13\n1..%d\n' $#
	local name number=0
	for name; do
		number=$((number + 1))
		if diff <(list "$name-c") <(list "$name-rust") | sed 's/^/# /' &&
			[ "${PIPESTATUS[0]}" -eq 0 ]; then
			printf 'ok %d %s: C and Rust have the same list\n' "$number" "$name"
		else
			printf 'not ok %d %s: C and Rust have the same list\n' "$number" "$name"
		fi
	done
}

wanted=("$@")
run()
{
	[ "${#wanted[@]}" -eq 0 ] || [[ " ${wanted[*]} " == *" $1 "* ]] || return 0
	"part_$1"
}

part_host() { part host "$ROOT/scripts/check.sh" -k; }
part_crate() { part crate "$ROOT/tests/crate.sh"; }
part_seam() { part seam "$ROOT/tests/seam.sh"; }
part_splat() { part splat "$ROOT/tests/splat.sh"; }
part_upstream() { part upstream "$ROOT/tests/upstream.sh"; }
part_report() { part report "$ROOT/tests/report.sh"; }
part_trouble() { part trouble "$ROOT/tests/trouble.sh"; }

# Side by side, as rustc works on one crate after the other. riscv64 is without inlined
# helpers, and s390x without compat callers as well.
part_configs()
{
	background part configs "$ROOT/scripts/configs.sh" no-sysctl schedstats no-log-once
	background part configs-others "$ROOT/scripts/configs.sh" "${other_architectures[@]/#/arch-}"
	wait
}

part_litmus()
{
	part litmus "$ROOT/scripts/litmus.sh"
	part litmus-script "$ROOT/tests/litmus.sh"
}

# Its results are not a part's: what it expects is judged beside C.
benchmark_rust()
{
	local status=0
	"$ROOT/scripts/vm.sh" --kernel rust "$@" >"$out/benchmark" 2>"$out/benchmark.log" </dev/null || status=$?
	guest_ended benchmark "$status"
}

part_kselftest()
{
	guests seccomp_bpf --icount -- "cd $BUILD/selftests/kernel && ./seccomp_bpf"
	part same-kselftest same seccomp_bpf
	local benchmark=(--quiet --icount --cpus 1 -- "cd $BUILD/selftests/kernel && ./seccomp_benchmark $benchmark_calls")
	background benchmark_rust "${benchmark[@]}"
	part seccomp_benchmark-c "$ROOT/scripts/vm.sh" --kernel c "${benchmark[@]}"
	wait
	part seccomp_benchmark-rust "$ROOT/tests/benchmark.sh" "$out/seccomp_benchmark-c.ktap" "$out/benchmark"
}

part_ours()
{
	local dir=$BUILD/selftests/seccomp_log
	guests log --icount -- "cd $dir && ./log_test -F no_audit"
	guests sysctl --icount -- "cd $dir && ./sysctl_test"
	# The tracepoint is ours; the function that tools probe is C's as well.
	part trace "$ROOT/scripts/vm.sh" --quiet --icount -- "cd $dir && ./trace_test -F probe"
	guests probe --icount -- "cd $dir && ./trace_test -f probe"
	guests log-audit-off --icount --append audit=0 -- "cd $dir && ./log_test -f no_audit"
	guests lifetime --icount -- "cd $BUILD/selftests/seccomp_lifetime && ./lifetime_test"
	guests listener --icount -- "cd $BUILD/selftests/seccomp_lifetime && ./listener_test"
	part same-ours same log sysctl probe log-audit-off lifetime listener
}

part_once()
{
	local dir=$BUILD/selftests/seccomp_log
	part once "$ROOT/scripts/vm.sh" --quiet --icount -- \
		"[ -z \"\$(cat /proc/sys/kernel/seccomp/actions_logged_once)\" ] && cd $dir && ./once_test"
	part once-sysctl "$ROOT/scripts/vm.sh" --quiet --icount -- "cd $dir && ./once_sysctl_test"
}

part_kunit()
{
	part kunit "$ROOT/scripts/vm.sh" --quiet --icount -- "$ROOT/tests/kunit.sh"
}

part_stress()
{
	guests stress -- "cd $BUILD/selftests/seccomp_log && ./stress 20"
}

part_fuzz() { part fuzz "$ROOT/scripts/fuzz.sh" 15; }

part_oracle() { part oracle "$ROOT/scripts/oracle.sh" "$CASES"; }

part_learn()
{
	"$ROOT/scripts/learn.sh"
	local tests="tests/guest.sh $LEARNER"
	# A guest of another architecture has no compiler.
	if [ "$ARCH" != x86_64 ]; then
		$target_cc -O1 -pthread -o "$BUILD/learn/programs" "$ROOT/samples/seccomp-learn/tests/programs.c"
		tests+=" $BUILD/learn/programs"
	fi
	guests learn --icount -- "cd $ROOT/samples/seccomp-learn && $tests"
	guests learn-audit-on --icount --append audit=1 -- \
		"cd $ROOT/samples/seccomp-learn && ONLY='coreutils flood two_at_once nobody_takes_records' $tests"
	ADDED=once_small_backlog part same-learn same learn learn-audit-on
}

parts=(host crate seam splat upstream report litmus kunit kselftest ours once learn oracle stress fuzz configs trouble)
# What does not run in a guest is the same for all.
[ "$ARCH" = x86_64 ] || parts=(kunit kselftest ours once learn oracle stress)
"$ROOT/scripts/selftests.sh"
for name in "${parts[@]}"; do
	run "$name"
done

printf '\n'
say "took $(((SECONDS - started) / 60)) min $(((SECONDS - started) % 60)) s"
python3 "$ROOT/scripts/ktap.py" summary "$out"/*.ktap
