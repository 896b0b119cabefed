#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the program is built on: no crate in two versions, all from the registry,
# each under a licence that goes with GPL-2.0-only (so MIT has to be offered:
# Apache-2.0 alone does not). Known faults, if cargo-audit is installed and a
# clone of its database is there (ADVISORIES=DIRECTORY): nothing is fetched.

set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
tree=("$CARGO" tree --locked --offline --edges 'normal,build')

# cargo says so on standard error if there is none.
duplicates=$("${tree[@]}" --duplicates 2>/dev/null)
[[ -z $duplicates ]] || { printf 'error: in two versions:\n%s\n' "$duplicates" >&2; exit 1; }

"${tree[@]}" --prefix none --no-dedupe --format '{p};{l}' | sort -u | while IFS=';' read -r crate licence; do
	case $crate in seccomp-learn\ *) continue ;; esac
	[[ $crate != *'('*'://'* ]] || { echo "error: not from the registry: $crate" >&2; exit 1; }
	[[ $licence =~ (^|[^A-Z-])MIT([^A-Z0-9-]|$) ]] || { echo "error: $crate is under $licence" >&2; exit 1; }
done

if ! "$CARGO" audit --version >/dev/null 2>&1; then
	echo "SKIP: no cargo-audit"
elif [[ -z ${ADVISORIES:-} ]]; then
	echo "SKIP: no copy of the advisories (ADVISORIES=DIRECTORY)"
else
	"$CARGO" audit --no-fetch --stale --db "$ADVISORIES"
fi
