#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Fuzzes the parser and formatter of actions_logged, guided by coverage, against
# a second implementation: fuzz.sh [SECONDS]. Prints KTAP.
#
# It starts from the corpus in git and leaves what it finds in build/fuzz/; then
# it is to find a planted fault, from nothing. `fuzz.sh minimize` takes what was
# found into the corpus in git.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

CARGO_FUZZ_VERSION=0.13.2
seconds=${1:-30}
host=$ROOT/rust/host
corpus=$host/fuzz/corpus/actions_logged
out=$BUILD/fuzz
mkdir -p "$out/found" "$out/crash"

# cargo-fuzz wants a nightly compiler for sanitizers alone. Coverage is a pass of
# LLVM that any compiler runs, and no unsafe code is here to be watched.
PATH=$(dirname "$RUSTC"):$PATH
export RUSTC CARGO_TERM_COLOR=never
"$ROOT/scripts/cargo-tool.sh" cargo-fuzz "$CARGO_FUZZ_VERSION"

fuzz()
{
	local subcommand=$1 features=$2
	shift 2
	(cd "$host" && cargo-fuzz "$subcommand" --sanitizer none --target-dir "$BUILD/cargo/fuzz" \
		${features:+--features "$features"} actions_logged "$@")
}

if [ "$seconds" = minimize ]; then
	cp "$out/found/"* "$corpus/" 2>/dev/null || true
	fuzz cmin '' "$corpus"
	exit
fi

result()
{
	local status=$1 log=$2
	shift 2
	grep -E 'DONE|BINGO|panicked|left:|right:|Base64|^error' "$log" | sed 's/^/# /' || true
	if [ "$status" -eq 0 ]; then printf 'ok %s\n' "$*"; else printf 'not ok %s\n' "$*"; failed=1; fi
}

failed=0
printf 'TAP version 14\n1..2\n'
limits=(-max_len=128 -timeout=5 -rss_limit_mb=512 "-dict=$host/fuzz/actions_logged.dict" -print_final_stats=1)
status=0
fuzz run '' "$out/found" "$corpus" -- "${limits[@]}" -max_total_time="$seconds" \
	-artifact_prefix="$out/crash/" >"$out/log" 2>&1 || status=1
# A run that has not run counts for nothing.
grep -q 'stat::number_of_executed_units: [0-9]\{4,\}' "$out/log" || { status=1; tail -n 5 "$out/log" | sed 's/^/# /'; }
result "$status" "$out/log" "1 actions_logged for $seconds s, from the corpus"

rm -rf "$out/planted" && mkdir "$out/planted"
status=0
fuzz run planted "$out/planted" -- "${limits[@]}" -max_total_time=60 \
	-artifact_prefix="$out/planted." >"$out/planted.log" 2>&1 || status=1
if [ "$status" -ne 0 ] && grep -q 'panicked at' "$out/planted.log"; then status=0; else status=1; fi
result "$status" "$out/planted.log" "2 a planted fault is found, from nothing"
exit "$failed"
