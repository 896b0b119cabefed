#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the same random seccomp cases on the C and on the Rust kernel and shows
# the lines that differ; none may: oracle.sh [CASES [SEED]]
#
#	CASES	how many of each program (default 10000)
#	SEED	any number (default 1); the same seed makes the same cases
#	PROGRAMS
#		in the environment: which programs make the cases (default all):
#		seccomp_oracle		calls below filters, tracers, listeners
#		seccomp_api		the interface: attaching, TSYNC, listeners, ptrace
#		seccomp_programs	filters' programs, and the allow cache
#	KERNELS	in the environment: the two kernels below build/ (default "c rust")
#
# A tenth of the cases is run a second time in the same guest: were those lines
# to differ, the program and not the kernel would be at fault. The output is in
# build/oracle/. Exit status 0: no line differs and every case was printed.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

cases=${1:-10000} seed=${2:-1}
read -r -a kernels <<<"${KERNELS:-c rust}"
read -r -a programs <<<"${PROGRAMS:-seccomp_oracle seccomp_api seccomp_programs}"
[[ $cases =~ ^[1-9][0-9]*$ && $seed =~ ^[0-9]+$ && ${#kernels[@]} -eq 2 ]] ||
	die "usage: oracle.sh [CASES [SEED]]"
again=$(((cases + 9) / 10))
out=$BUILD/oracle
shown=10

number=0 failed=0
result()
{
	number=$((number + 1))
	if [ "$1" = ok ]; then
		printf 'ok %d %s\n' "$number" "$2"
	else
		printf 'not ok %d %s\n' "$number" "$2"
		failed=1
	fi
}

# Of two files the lines that differ, each taken apart into what was observed where.
show_differences()
{
	local one=$1 two=$2 line

	while read -r line; do
		printf '# line %d\n' "$line"
		diff -u --label "${one##*/}" --label "${two##*/}" \
			<(sed -n "${line}{s/ | /\n/g;p}" "$one") <(sed -n "${line}{s/ | /\n/g;p}" "$two") | sed 's/^/#   /' || true
	done < <(paste -d $'\001' "$one" "$two" |
		awk -F $'\001' -v max="$shown" '$1 != $2 { print NR; if (++n == max) exit }')
}

differing()
{
	paste -d $'\001' "$1" "$2" | awk -F $'\001' '$1 != $2 { n++ } END { print n + 0 }'
}

# Runs the cases of program $1 in a guest of kernel $2, and the first tenth of
# them again. One CPU: the two guests run side by side, and most of an emulated
# second one goes into waiting for the first. A pipe, because the virtual machine
# would truncate a file that is its output.
guest_run()
{
	local run="$out/$1 --seed $seed --jobs 2" lines=$out/$1-$2

	"$ROOT/scripts/vm.sh" --kernel "$2" --cpus 1 --timeout $((300 + cases / 4)) -- \
		"$run --cases $cases >$lines.lines && $run --cases $again >$lines.again" </dev/null 2>&1 | cat >&2
}

# All there is to say about program $1.
compare()
{
	local program=$1 kernel lines status printed hung count one two
	local -A guest

	# A line of an earlier run must not pass for one of this.
	rm -f "$out/$program"-*.lines "$out/$program"-*.again
	make --silent -C "$ROOT/tools/testing/selftests/$program" OUTPUT="$out" KSRC="$KSRC" CC="$target_cc" >&2
	for kernel in "${kernels[@]}"; do
		background guest_run "$program" "$kernel"
		guest[$kernel]=$!
	done
	for kernel in "${kernels[@]}"; do
		lines=$out/$program-$kernel
		status=0
		wait "${guest[$kernel]}" || status=$?
		touch "$lines.lines" "$lines.again"
		printed=$(grep -c '^[0-9]' "$lines.lines" || true)
		hung=$(grep -c ' HUNG$' "$lines.lines" || true)
		if [ "$status" -eq 0 ] && [ "$printed" -eq "$cases" ] && [ "$hung" -eq 0 ]; then
			result ok "$program: $kernel: $cases cases of seed $seed"
		else
			result fail "$program: $kernel: $printed of $cases cases of seed $seed, $hung hung, exit status $status"
		fi
		grep ' HUNG$' "$lines.lines" | head -n "$shown" | cut -c1-300 | sed 's/^/# /' || true

		# The second run prints the lines of whole batches that the first one began with.
		head -n "$(wc -l <"$lines.again")" "$lines.lines" >"$lines.first"
		count=$(differing "$lines.first" "$lines.again")
		if [ -s "$lines.again" ] && [ "$count" -eq 0 ]; then
			result ok "$program: $kernel: $again cases again, the same lines"
		else
			result fail "$program: $kernel: $count of $again cases run again differ: the program is at fault"
			show_differences "$lines.first" "$lines.again"
		fi
	done

	one=$out/$program-${kernels[0]}.lines two=$out/$program-${kernels[1]}.lines
	count=$(differing "$one" "$two")
	if [ -s "$one" ] && [ "$count" -eq 0 ]; then
		result ok "$program: ${kernels[0]} and ${kernels[1]}: no line differs"
	else
		result fail "$program: ${kernels[0]} and ${kernels[1]}: $count lines differ"
		show_differences "$one" "$two"
		printf '# one case alone: %s --seed %s --case N\n' "${out#"$ROOT"/}/$program" "$seed"
	fi
}

mkdir -p "$out"
printf 'TAP version 14\n1..%d\n' $((5 * ${#programs[@]}))
for program in "${programs[@]}"; do
	compare "$program"
done
exit "$failed"
