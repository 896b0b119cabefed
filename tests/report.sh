#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests tools/bench/report.py, which decides whether make bench fails, on made-up
# figures. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

work=$(mktemp -d "$BUILD/report.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Figures of both kernels: all that the table has a row for, 10,000 in C and 4,000
# in Rust, and nothing where that is to be subtracted.
figures()
{
	(cd "$ROOT/tools/bench" && python3 -B - "$work") <<'PYTHON'
import sys
from pathlib import Path

import report

def subtracted(group, prefix, names):
    """What is left of more, 8 or 64 of them, in proportion."""
    return [(group, f"{prefix}-{name}", 0 if name == "0" else 1 + int(name.split("-")[0]) / 64)
            for name in names]

figures = [(group, name, 1 + (name == "full-8")) for group in ("x86-64", "i386")
           for name, _, _ in report.CALLS if name != "further"]
figures += [(group, "native", 0) for group in ("x86-64", "i386")]
figures += [(group, row[0], 1) for group in ("x86-64", "i386") for row in report.ONCE]
figures += [("attach", name, 1) for name, _, _ in report.ATTACH]
figures += subtracted("attach", "tsync", ("1", "8", "64", "64-again"))
figures += subtracted("lifetime", "vfork", ("0", "1", "8"))
figures += subtracted("lifetime", "free", ("0", "1", "8", "64"))
figures += subtracted("lifetime", "close", ("0", "1", "8"))
for group, rows in (("notify", report.NOTIFY), ("memory", report.MEMORY),
                    ("benchmark", report.BENCHMARK), ("stack", report.STACK)):
    figures += [(group, row[0], 1) for row in rows]
figures += [("load", f"{name}-{run}", share) for name, _, _ in report.LOADS
            for run, share in (("free", 0), ("profile", 1))]
figures += [("size", section, 1) for section in ("text", "rodata", "traced", "whole")]

for side, one in (("c", 10000), ("rust", 4000)):
    Path(sys.argv[1], f"{side}.figures").write_text("".join(
        f"{number} {group} {name} {int(share * one)}\n"
        for number in (1, 2) for group, name, share in figures), encoding="ascii")
PYTHON
}

# The figure of row $2 in group $1 is $3 in Rust.
set_rust()
{
	sed -i "s/ $1 $2 .*/ $1 $2 $3/" "$work/rust.figures"
}

# One test: its name, the exit status there is to be, what is to be said, and a bound
# of all rows if there is one.
expect()
{
	local name=$1 wanted=$2 text=$3 status=0
	python3 -B "$ROOT/tools/bench/report.py" "$work" ${4:+"$4"} >"$work/out" 2>&1 || status=$?
	if [ "$status" -eq "$wanted" ] && grep -qF -- "$text" "$work/out"; then
		ktap_test_pass "$name"
	else
		sed 's/^/# /' "$work/out"
		ktap_test_fail "$name"
	fi
}

ktap_print_header
ktap_set_plan 12
figures
expect "within all bounds" 0 "Machine-readable"
figures
set_rust attach list-1000-first 9901
expect "attaching all but as fast as C" 1 "above the bound: attach list-1000-first"
figures
set_rust attach list-1000-first 9900
expect "attaching a hundredth faster" 0 "Machine-readable"
figures
set_rust notify addfd 10501
expect "a notification" 1 "above the bound: notify addfd"
figures
set_rust notify addfd 10500
expect "a notification at its bound" 0 "Machine-readable"
figures
set_rust lifetime free-0 -9000
expect "what is to be subtracted is" 1 "above the bound: lifetime free-1, lifetime free-8"
figures
set_rust memory 5-slab 20000
expect "a filter that takes more memory" 1 "above the bound: memory 5-slab"
figures
set_rust x86-64 once-flag 4020
expect "a call that is logged already" 0 "Machine-readable"
figures
set_rust x86-64 once-flag 4021
expect "one that takes 21 instructions more" 1 "above the bound: once-x86-64 once-flag"
expect "the same in a variant, which has no bound for it" 0 "Machine-readable" 2
figures
set_rust x86-64 errno 9001
expect "a bound of all rows" 1 "above the bound: x86-64 errno" 0.9
figures
sed -i '/lifetime vfork-8/d' "$work/rust.figures"
expect "a figure that is missing" 2 "a figure is missing"
ktap_finished
