#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How much slower a command is while it is learnt, beside strace. Runs as root in
# a virtual machine; prints a table, in seconds and as a multiple of running free.
#
# Usage: bench.sh SECCOMP-LEARN [ROUNDS]
# The figure of each row is the least of ROUNDS (3) runs. TREE in the environment
# is what find walks (/usr/include).
set -euo pipefail

if (($# < 1)) || [[ ! -x $1 ]]; then
	echo "usage: $0 SECCOMP-LEARN [ROUNDS]" >&2
	exit 2
fi
learn=$(realpath "$1")
rounds=${2:-3}
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
work=$(mktemp -d)
mount -t tmpfs -o mode=0755 seccomp-learn "$work"
trap 'cd / && umount -l "$work" && rmdir "$work"' EXIT
cd "$work"
export HOME=$work

# least COMMAND...: the least time of some runs, in milliseconds.
least() {
	local best='' start took
	for ((i = 0; i < rounds; i++)); do
		start=${EPOCHREALTIME/./}
		"$@" >/dev/null 2>err.log </dev/null || {
			echo "failed: $*" >&2
			cat err.log >&2
			return 1
		}
		took=$(((${EPOCHREALTIME/./} - start) / 1000))
		if [[ -z $best ]] || ((took < best)); then best=$took; fi
	done
	echo "$best"
}

row() {
	local name=$1 free=$2 took=$3
	awk -v name="$name" -v free="$free" -v took="$took" 'BEGIN {
		printf "  %-34s %8.2f s %7.2f x\n", name, took / 1000, took / free
	}'
}

bench() {
	local title=$1 free
	shift
	"$@" >/dev/null 2>&1 </dev/null # warms the caches
	free=$(least "$@")
	echo "$title"
	row "free" "$free" "$free"
	row "run --via log" "$free" "$(least "$learn" run -q --via log --force -o log.txt -- "$@")"
	row "run, all known (the last pass)" "$free" \
		"$(least "$learn" run -q --via log --base log.txt --force -o last.txt -- "$@")"
	row "enforce" "$free" "$(least "$learn" enforce -q last.txt -- "$@")"
	row "run --via notify" "$free" \
		"$(least "$learn" run -q --via notify --force -o notify.txt -- "$@")"
	if command -v strace >/dev/null; then
		row "strace -f -c" "$free" "$(least strace -f -c -o strace.txt "$@")"
		row "strace -f -c --seccomp-bpf" "$free" \
			"$(least strace -f -c --seccomp-bpf -o strace.txt "$@")"
	fi
}

tree=${TREE:-/usr/include}
bench "find $tree" find "$tree"
if command -v redis-server >/dev/null && command -v redis-benchmark >/dev/null; then
	redis-server --port 0 --unixsocket "$work/warm" --save '' --daemonize yes >/dev/null
	redis-cli -s "$work/warm" shutdown nosave || true
	cat >redis.sh <<-'END'
	rm -f socket
	redis-server --port 0 --unixsocket "$HOME/socket" --save '' &
	until [ -S socket ]; do sleep 0.05; done
	redis-benchmark -q -s "$HOME/socket" -n 500 -c 10 -t set,get
	redis-cli -s "$HOME/socket" shutdown nosave
	wait
	END
	bench "redis-benchmark, 1000 requests" sh redis.sh
fi
