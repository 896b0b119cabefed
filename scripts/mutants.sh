#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Changes the rules that know no kernel, one way at a time, and sees whether the
# tests in rust/host/ notice: mutants.sh [OPTION of cargo-mutants...]. Exits with
# a failure if a change survives that rust/host/mutants.toml does not explain. One
# that makes the tests go on for ever is noticed, too: cargo-mutants lists those by
# themselves.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

CARGO_MUTANTS_VERSION=27.1.0
# The tests take less than a fifth of so many seconds; its status if some took longer.
TIMEOUT=60 TIMED_OUT=3
work=$BUILD/mutants status=0
"$ROOT/scripts/cargo-tool.sh" cargo-mutants "$CARGO_MUTANTS_VERSION"
PATH=$(dirname "$RUSTC"):$PATH
export RUSTC CARGO CARGO_TERM_COLOR=never

# cargo-mutants works on a copy of the package's directory; the rules lie outside
# of it, with the kernel crate. So a package is made that has them inside.
rm -rf "$work"
mkdir -p "$work/rules/host"
cp -r "$ROOT/rust/host/src" "$work/rules/host/"
sed -n 's,^#\[path = "../../\(.*\)"\]$,\1,p' "$ROOT/rust/host/src/lib.rs" | (cd "$ROOT/rust" && xargs cp --parents -t "$work/rules")
cp "$ROOT/rust/host/Cargo.lock" "$work/rules/"
{
	cat "$ROOT/rust/host/Cargo.toml"
	printf '[lib]\npath = "host/src/lib.rs"\n'
} >"$work/rules/Cargo.toml"

cargo-mutants mutants --dir "$work/rules" --output "$work" --config "$ROOT/rust/host/mutants.toml" \
	--no-shuffle --colors never --timeout "$TIMEOUT" "$@" || status=$?
[ "$status" -eq "$TIMED_OUT" ] || exit "$status"
