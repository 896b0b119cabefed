#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds seccomp-learn into build/learn/release/.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

RUSTC=$RUSTC run_logged "$BUILD/learn.log" "$CARGO" build --release --locked \
	--manifest-path "$ROOT/samples/seccomp-learn/Cargo.toml" --target-dir "$BUILD/learn" || {
	grep -m 1 -A 12 '^error' "$BUILD/learn.log" >&2 || tail -n 12 "$BUILD/learn.log" >&2
	die "seccomp-learn does not build (all of the output: build/learn.log)"
}
