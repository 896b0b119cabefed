#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Sees to it that a tool from crates.io is there in the very version that is
# asked for: cargo-tool.sh NAME VERSION. It goes where bindgen goes.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

name=$1 version=$2
# What cargo itself wrote down about what it installed there.
if [ -x "$CACHE/tools/bin/$name" ] && grep -qF "\"$name $version " "$CACHE/tools/.crates.toml"; then
	exit 0
fi
say "building $name $version (a minute)"
run_logged "$BUILD/$name.log" env RUSTC="$RUSTC" "$CARGO" install --locked --force \
	--root "$CACHE/tools" --version "$version" "$name" || {
	tail -n 5 "$BUILD/$name.log" >&2
	die "$name $version could not be built"
}
