#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the litmus tests by herd7, those in C on the kernel's memory model and the
# others on their architecture's: litmus.sh [FILE...]. A test passes when herd7
# says what its "Result:" line does; without herd7 all are skipped. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
"$ROOT/scripts/source.sh"
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

tests=("$@")
[ $# -gt 0 ] || tests=("$ROOT"/Documentation/litmus-tests/*.litmus)
output=$BUILD/litmus.log

# Runs a file, and prints what herd7 found in the words of a "Result:" line.
observed()
{
	local file options=()
	file=$(realpath "$1")
	[ "$(head -n 1 "$file" | cut -d' ' -f1)" != C ] || options=(-conf linux-kernel.cfg)
	# The files of the kernel's model are looked for where herd7 is started.
	(cd "$KSRC/tools/memory-model" && timeout 60 "$herd7" "${options[@]}" "$file") >"$output" 2>&1 || return
	awk '$1 == "Observation" { result = $3 }
		$0 == "Flag data-race" { race = " DATARACE" }
		END { print result race }' "$output"
}

# The tree's judgelitmus.sh knows these lines, but forgives any result where
# there is a data race.
expected()
{
	sed -n 's/^ \* Result: //p' "$1" | head -n 1
}

ktap_print_header
ktap_set_plan ${#tests[@]}
if ! herd7=$("$ROOT/scripts/herd7.sh" 2>"$BUILD/herd7.log"); then
	sed 's/^/# /' "$BUILD/herd7.log"
	for file in "${tests[@]}"; do
		ktap_test_skip "$(basename "$file" .litmus)"
	done
	ktap_finished
fi
for file in "${tests[@]}"; do
	name=$(basename "$file" .litmus)
	want=$(expected "$file")
	got=$(observed "$file") || got=
	if [ -n "$want" ] && [ "$got" = "$want" ]; then
		ktap_test_pass "$name: $want"
	else
		printf '# expected: %s; found: %s\n' "${want:-nothing}" "${got:-nothing}"
		sed 's/^/# /' "$output"
		ktap_test_fail "$name"
	fi
done
ktap_finished
