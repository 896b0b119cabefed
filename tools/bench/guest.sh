#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What make bench runs in a guest: guest.sh PROGRAMS BENCHMARK CALLS PROFILE TREE
#
#	PROGRAMS	the directory with the built programs of this one
#	BENCHMARK	the kernel tree's seccomp_benchmark
#	CALLS		how many calls that makes in each of its cases
#	PROFILE		a classic BPF program
#	TREE		the directory that the real load walks
#
# Prints lines "ROUND GROUP NAME COST", twice what can be repeated. With --time
# before the arguments COST is in picoseconds, and there are the rows of system
# calls alone; without, it is instructions as far as the machine's clock counts them.

set -euo pipefail
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin

# As the table has it.
case $(uname -m) in
x86_64) arch=x86-64 ;;
aarch64) arch=arm64 ;;
*) arch=$(uname -m) ;;
esac
by_time=()
if [ "${1:-}" = --time ]; then
	by_time=("$1")
	shift
fi
programs=$1 benchmark=$2 calls=$3 profile=$4 tree=$5

# An audit record costs a few instructions more for each digit of the task's pid:
# all are to have as many.
echo 10000 >/proc/sys/kernel/ns_last_pid

for round in 1 2; do
	"$programs/percall" "${by_time[@]}" | sed "s/^/$round $arch /"
	[ ! -e "$programs/percall32" ] || "$programs/percall32" "${by_time[@]}" | sed "s/^/$round i386 /"
done
[ "${#by_time[@]}" -eq 0 ] || exit 0

for round in 1 2; do
	"$programs/attach" "$profile" | sed "s/^/$round attach /"
	"$programs/lifetime" | sed "s/^/$round lifetime /"
	"$programs/notify" | sed "s/^/$round notify /"
	"$programs/memory" | sed "s/^/$round memory /"
done

for round in 1 2; do
	# Its exit status tells how like C's the costs are distributed.
	("$benchmark" "$calls" || true) | sed -n "
		s/^# getpid native: \([0-9]*\) ns/$round benchmark native \1/p
		s/^# Estimated total seccomp overhead for \([0-9]\) bitmapped filters\?: \([0-9]*\) ns/$round benchmark \1-bitmapped \2/p
		s/^# Estimated total seccomp overhead for \([0-9]\) full filters: \([0-9]*\) ns/$round benchmark \1-full \2/p
		s/^# Estimated seccomp entry overhead: \([0-9]*\) ns/$round benchmark entry \1/p
		s/^# Estimated seccomp per-filter overhead (last 2 diff): \([0-9]*\) ns/$round benchmark per-filter \1/p"
done

# The real load has its files in memory: reading them from the host would take
# interrupts that are counted with it.
root=$(mktemp -d)
mount -t tmpfs -o mode=0755 bench "$root"
trap 'umount -l "$root"' EXIT
cp -a --attributes-only "$tree" "$root/tree"
[ ! -e "$programs/walk32" ] || cp "$programs/walk32" "$root/"
# shellcheck disable=SC2046 # a word for each library
cp --parents -L /usr/bin/find $(ldd /usr/bin/find | grep -o '/[^ ]*') "$root/"

# load NAME PROGRAM [ARGUMENT...]: without and with the profile.
load()
{
	local name=$1 filter
	shift
	for round in 1 2; do
		for filter in - "$profile"; do
			"$programs/under" 15 "$root" "$filter" "$@" |
				sed "s|^|$round load $name-$([ "$filter" = - ] && echo free || echo profile) |"
		done
	done
}

load find /usr/bin/find /tree -type f
[ ! -e "$programs/walk32" ] || load walk-i386 /walk32 /tree
