#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Format, lints and host tests: seconds, no kernel. Prints KTAP with -k, else a
# line for each check, and all that a failed one said.

set -uo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools
cd "$ROOT" || exit

ktap=${1:-}
PATH=$(dirname "$RUSTC"):$PATH
export RUSTC
number=0 failed=0

# Says what came of a check: "ok" or "not ok", its name.
result()
{
	number=$((number + 1))
	if [ "$ktap" = -k ]; then
		printf '%s %d %s\n' "$1" "$number" "$2"
	else
		printf '%-6s %s\n' "$1" "$2"
	fi
}

# Runs a check: its name, then its command.
check()
{
	local name=$1 output status=ok
	shift
	output=$("$@" 2>&1) || { status='not ok'; failed=1; }
	[ "$status" = ok ] || printf '%s\n' "$output" | sed 's/^/# /'
	result "$status" "$name"
}

# Every script, those without a suffix as well.
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard | while read -r file; do
	if [ -f "$file" ] && head -n 1 "$file" | grep -aqE '^#!.*[/ ](bash|sh)$'; then
		echo "$file"
	fi
done)

# By standard input: a file that git knows checkpatch takes for source.
checkpatch()
{
	local patch
	for patch in patches/*.patch patches/upstream/*.patch; do
		# Commits of the kernel are not known here.
		perl "$KSRC/scripts/checkpatch.pl" --no-tree --no-signoff --ignore UNKNOWN_COMMIT_ID --terse --quiet - \
			<"$patch" || return
	done
}

cargo_in()
{
	local project=$1 subcommand=$2
	shift 2
	CARGO_TARGET_DIR=$BUILD/cargo/$(basename "$project") CARGO_TERM_COLOR=never \
		"$CARGO" "$subcommand" --manifest-path "$project/Cargo.toml" "$@"
}

# The cargo projects.
projects=(rust/host samples/seccomp-learn)

[ "$ktap" != -k ] || printf 'TAP version 13\n1..%d\n' $((6 + 3 * ${#projects[@]}))
check "format of the kernel crate" rustfmt --check --edition 2021 rust/seccomp.rs
check "format of the fuzz targets" rustfmt --check --edition 2021 rust/host/fuzz/fuzz_targets/*.rs
check "shell: shellcheck" shellcheck -x "${scripts[@]}"
check "shell: syntax" sh -c 'for s; do bash -n "$s" || exit; done' sh "${scripts[@]}"
if [ -x "$KSRC/scripts/checkpatch.pl" ]; then
	check "patches: checkpatch" checkpatch
else
	result ok "patches: checkpatch # SKIP there is no kernel tree yet"
fi
check "faults: each applies" scripts/faults.sh --check
for project in "${projects[@]}"; do
	check "$project: format" cargo_in "$project" fmt --check
	check "$project: clippy" cargo_in "$project" clippy --quiet --locked --all-targets -- -D warnings
	check "$project: tests" cargo_in "$project" test --quiet --locked
done
exit "$failed"
