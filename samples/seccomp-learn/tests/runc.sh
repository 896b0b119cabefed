#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A container under a profile with conditions: runc starts it, a value that was
# seen is allowed and another is refused. Needs root, runc, python3 and a compiler
# that links statically; what is missing is a skip. Prints TAP.
#
# Usage: runc.sh SECCOMP-LEARN
set -uo pipefail

if (($# != 1)) || [[ ! -x $1 ]]; then
	echo "usage: $0 SECCOMP-LEARN" >&2
	exit 2
fi
learn=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C
skip() {
	echo "1..0 # SKIP $1"
	exit 0
}
for program in runc gcc python3; do
	command -v "$program" >/dev/null || skip "no $program"
done
((UID == 0)) || skip "not root"
work=$(mktemp -d)
trap 'cd / && rm -rf "$work"' EXIT
cd "$work" || exit 2
mkdir rootfs
gcc -static -O1 -pthread -o rootfs/programs "$here/programs.c" 2>err || skip "no static linking"
runc spec || skip "runc makes no configuration"

"$learn" run --args --format json -o profile.json -- rootfs/programs socket 1 1 2>err || { cat err; exit 1; }
"$learn" convert --to oci --for oci --default-action errno -o seccomp.json profile.json 2>err || { cat err; exit 1; }

# contained ARGUMENT...: the status of the program in a container.
contained() {
	python3 - "$@" <<-'END' || return
	import json, sys
	config = json.load(open("config.json"))
	config["process"]["args"] = ["/programs"] + sys.argv[1:]
	config["process"]["terminal"] = False
	config["linux"]["seccomp"] = json.load(open("seccomp.json"))
	json.dump(config, open("config.json", "w"))
	END
	runc run "seccomp-learn-$$" >out 2>err
}

echo "1..2"
status=0
contained socket 1 1 || status=$?
if ((status != 0)); then
	sed 's/^/# /' err
	grep -q 'socket' err || { echo "ok 1 # SKIP runc starts no container here"; echo "ok 2 # SKIP"; exit 0; }
	echo "not ok 1 what was seen is allowed"
	exit 1
fi
echo "ok 1 what was seen is allowed"
status=0
contained socket 16 3 || status=$?
if ((status != 1)); then
	echo "# AF_NETLINK: status $status, not that of a socket that is refused"
	echo "not ok 2 another value is refused"
	exit 1
fi
echo "ok 2 another value is refused"
