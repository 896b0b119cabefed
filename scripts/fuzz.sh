#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Fuzzes the rules, guided by coverage, against a second implementation of each:
# fuzz.sh [SECONDS]. Prints KTAP.
#
#	actions_logged	the parser and formatter of the sysctl's text
#	programs	which programs are accepted, and the allow cache
#
# Each starts from its corpus in git and leaves what it finds in build/fuzz/; then
# it is to find a planted fault, from nothing. `fuzz.sh minimize` takes what was
# found into the corpora in git.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

CARGO_FUZZ_VERSION=0.13.2
seconds=${1:-30}
targets=(actions_logged programs)
host=$ROOT/rust/host
out=$BUILD/fuzz

# cargo-fuzz wants a nightly compiler for sanitizers alone. Coverage is a pass of
# LLVM that any compiler runs, and no unsafe code is here to be watched.
PATH=$(dirname "$RUSTC"):$PATH
export RUSTC CARGO_TERM_COLOR=never
"$ROOT/scripts/cargo-tool.sh" cargo-fuzz "$CARGO_FUZZ_VERSION"

# A subcommand of cargo-fuzz for target $2, with features $3, which may be none.
fuzz()
{
	local subcommand=$1 target=$2 features=$3
	shift 3
	(cd "$host" && cargo-fuzz "$subcommand" --sanitizer none --target-dir "$BUILD/cargo/fuzz" \
		${features:+--features "$features"} "$target" "$@")
}

if [ "$seconds" = minimize ]; then
	for target in "${targets[@]}"; do
		cp "$out/$target/found/"* "$host/fuzz/corpus/$target/" 2>/dev/null || true
		fuzz cmin "$target" '' "$host/fuzz/corpus/$target"
	done
	exit
fi

number=0 failed=0
result()
{
	local status=$1 log=$2
	shift 2
	number=$((number + 1))
	grep -E 'DONE|BINGO|panicked|left:|right:|Base64|^error' "$log" | sed 's/^/# /' || true
	if [ "$status" -eq 0 ]; then printf 'ok %d %s\n' "$number" "$*"; else printf 'not ok %d %s\n' "$number" "$*"; failed=1; fi
}

# Looks for a difference in target $1, then for the planted fault.
look()
{
	local target=$1 status=0 work=$out/$1 limits
	local corpus=$host/fuzz/corpus/$target
	mkdir -p "$work/found" "$work/crash"
	limits=(-timeout=5 -rss_limit_mb=512 -print_final_stats=1)
	case $target in
	actions_logged) limits+=(-max_len=128 "-dict=$host/fuzz/actions_logged.dict") ;;
	programs) limits+=(-max_len=384) ;;
	esac

	fuzz run "$target" '' "$work/found" "$corpus" -- "${limits[@]}" -max_total_time="$seconds" \
		-artifact_prefix="$work/crash/" >"$work/log" 2>&1 || status=1
	# A run that has not run counts for nothing.
	grep -q 'stat::number_of_executed_units: [0-9]\{4,\}' "$work/log" || { status=1; tail -n 5 "$work/log" | sed 's/^/# /'; }
	result "$status" "$work/log" "$target for $seconds s, from the corpus"

	rm -rf "$work/planted" && mkdir "$work/planted"
	status=0
	fuzz run "$target" planted "$work/planted" -- "${limits[@]}" -max_total_time=60 \
		-artifact_prefix="$work/planted." >"$work/planted.log" 2>&1 || status=1
	if [ "$status" -ne 0 ] && grep -q 'panicked at' "$work/planted.log"; then status=0; else status=1; fi
	result "$status" "$work/planted.log" "a planted fault in $target is found, from nothing"
}

printf 'TAP version 14\n1..%d\n' $((2 * ${#targets[@]}))
for target in "${targets[@]}"; do
	look "$target"
done
exit "$failed"
