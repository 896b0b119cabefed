#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: what the KUnit suites of seccomp and of what lies below it have said
# as the kernel booted, as one KTAP.

set -euo pipefail

suites=(seccomp_rust seccomp_rust_locked_task seccomp_rust_nospec seccomp_rust_sighand
	seccomp_rust_tree seccomp_rust_wait seccomp_rust_wait_list)
number=0
printf 'KTAP version 1\n1..%d\n' "${#suites[@]}"
for suite in "${suites[@]}"; do
	number=$((number + 1))
	results=/sys/kernel/debug/kunit/$suite/results
	if [ -f "$results" ]; then
		# Without the heading and the totals of each.
		sed -E "1,2d; /^#/d; s/^(ok|not ok) 1 /\1 $number /" "$results"
	else
		printf 'not ok %d %s\n' "$number" "$suite"
	fi
done
