#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the program is built on: licences, sources and duplicates by cargo-deny,
# and known faults if a copy of the advisories is there (ADVISORIES=DIRECTORY, a
# clone of the RustSec database). What is not installed is a skip.

set -euo pipefail
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}

if ! "$CARGO" deny --version >/dev/null 2>&1; then
	echo "SKIP: no cargo-deny"
else
	"$CARGO" deny --offline check --config packaging/deny.toml bans licenses sources
fi
if ! "$CARGO" audit --version >/dev/null 2>&1; then
	echo "SKIP: no cargo-audit"
elif [[ -z ${ADVISORIES:-} ]]; then
	echo "SKIP: no copy of the advisories (ADVISORIES=DIRECTORY)"
else
	"$CARGO" audit --no-fetch --stale --db "$ADVISORIES"
fi
