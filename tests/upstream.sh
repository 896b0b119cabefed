#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Each patch in patches/upstream/ is to apply to the tree as it is without ours.
# Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

tree=$(mktemp -d "$BUILD/upstream.XXXXXX")
trap 'rm -rf "$tree"' EXIT
# git must not take the directory for a part of our own repository.
export GIT_CEILING_DIRECTORIES=$BUILD

upstream=("$ROOT"/patches/upstream/*.patch)
git -C "$tree" apply --numstat "$ROOT"/patches/*.patch "${upstream[@]}" | cut -f3 | sort -u | while read -r file; do
	mkdir -p "$tree/$(dirname "$file")"
	cp "$KSRC/$file" "$tree/$file"
done
printf '%s\n' "$ROOT"/patches/*.patch | sort -r | while read -r patch; do
	git -C "$tree" apply -R "$patch"
done

ktap_print_header
ktap_set_plan ${#upstream[@]}
for patch in "${upstream[@]}"; do
	if output=$(git -C "$tree" apply --check "$patch" 2>&1); then
		ktap_test_pass "$(basename "$patch")"
	else
		printf '%s\n' "$output" | sed 's/^/# /'
		ktap_test_fail "$(basename "$patch")"
	fi
done
ktap_finished
