#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Compares what run --args makes of programs with what minijail's own generator
# (tools/generate_seccomp_policy.py of its source) makes of an strace of the same:
# each condition of its must be one of ours, on the same argument, with the same
# values. Needs strace and python3. Prints a table.
#
# Usage: minijail.sh SECCOMP-LEARN GENERATOR
set -uo pipefail

if (($# != 2)) || [[ ! -x $1 || ! -f $2 ]]; then
	echo "usage: $0 SECCOMP-LEARN GENERATOR" >&2
	exit 2
fi
learn=$(realpath "$1")
generator=$(realpath "$2")
export LC_ALL=C
for program in strace python3; do
	command -v "$program" >/dev/null || { echo "SKIP: no $program"; exit 0; }
done
work=$(mktemp -d)
trap 'cd / && rm -rf "$work"' EXIT
cd "$work" || exit 2

cat >sockets.py <<'END'
import fcntl, os, pty, socket, subprocess
for family, kind in ((socket.AF_UNIX, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM)):
    with socket.socket(family, kind) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
subprocess.run(["true"])
END
cat >compare.py <<'END'
import json, sys

# What each says of a call: the values that its arguments are compared with, and
# whether there is a condition at all.
def conditions(path):
    found = {}
    for call in json.load(open(path))["calls"]:
        if "when" not in call:
            continue
        values = {}
        for case in call["when"]:
            for test in case:
                if test["op"] == "eq" and test.get("mask") in (None, 0xffffffff):
                    values.setdefault(test["arg"], set()).add(test["value"])
        found[call["name"]] = values
    return found

theirs, ours = map(conditions, sys.argv[1:3])
wrong = 0
for name, values in sorted(theirs.items()):
    if name not in ours:
        print(f"# {name}: theirs has a condition, ours has none")
        wrong += 1
    for arg, mine in values.items():
        if ours.get(name, {}).get(arg, set()) != mine:
            print(f"# {name}: argument {arg}: theirs {mine}, ours {ours.get(name, {}).get(arg)}")
            wrong += 1
print(f"{sys.argv[3]:10}  {len(theirs):6}  {len(ours):4}  {wrong:5}")
sys.exit(wrong != 0)
END

status=0
# compare NAME COMMAND...
compare() {
	local name=$1
	shift
	strace -f -o trace "$@" >/dev/null 2>&1 </dev/null
	python3 "$generator" trace >theirs.policy 2>err || { cat err; status=1; return; }
	"$learn" run --args --exact --format json --force -o ours.json -- "$@" >/dev/null 2>err </dev/null ||
		{ cat err; status=1; return; }
	"$learn" convert --from minijail --format json --force -o theirs.json theirs.policy 2>err ||
		{ cat err; status=1; return; }
	python3 compare.py theirs.json ours.json "$name" || status=1
}

echo "program     theirs  ours  wrong"
compare ls ls -l /
compare shell sh -c 'echo a | cat | wc -c'
compare python python3 -I sockets.py
if command -v openssl >/dev/null; then compare openssl openssl version; fi
exit "$status"
