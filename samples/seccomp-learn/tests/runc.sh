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

# contained SECCOMP ARGUMENT...: the status of the program in a container under this
# profile, which may be "".
contained() {
	python3 - "$@" <<-'END' || return
	import json, sys
	config = json.load(open("config.json"))
	config["process"]["args"] = ["/programs"] + sys.argv[2:]
	config["process"]["terminal"] = False
	config["linux"].pop("seccomp", None)
	if sys.argv[1]:
	    config["linux"]["seccomp"] = json.load(open(sys.argv[1]))
	json.dump(config, open("config.json", "w"))
	END
	runc run "seccomp-learn-$$" >out 2>err
}

# What fails without a profile is no fault of one.
contained '' socket 1 1 || skip "runc starts no container here: $(tail -n 1 err)"
contained '' socket 16 3 || skip "a container has no AF_NETLINK here"

number=0
failed=0
# check STATUS NAME ARGUMENT...: the program in a container must end so.
check() {
	local want=$1 name=$2 status=0
	shift 2
	number=$((number + 1))
	contained seccomp.json "$@" || status=$?
	if ((status == want)); then
		echo "ok $number $name"
		return
	fi
	sed 's/^/# /' out err
	echo "# status $status, not $want"
	echo "not ok $number $name"
	failed=1
}

echo "1..2"
check 0 "what was seen is allowed" socket 1 1
check 42 "another value is refused" socket 16 3
exit "$failed"
