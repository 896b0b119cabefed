#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How much slower a command is while it is learnt, beside strace. Runs as root in
# a virtual machine; prints a table, in seconds and as a multiple of running free.
#
# Usage: bench.sh SECCOMP-LEARN [ROUNDS]
# The figure of each row is the least of ROUNDS (1) runs; one does where the
# guest's clock counts instructions. All of it runs from memory, in a root
# directory of its own, so that no other file system is measured. REQUESTS (4000)
# in the environment is how many of each kind the benchmark of redis makes.
set -euo pipefail

if (($# < 1)) || [[ ! -x $1 ]]; then
	echo "usage: $0 SECCOMP-LEARN [ROUNDS]" >&2
	exit 2
fi

# least COMMAND...: the least time of some runs, in milliseconds.
least() {
	local best='' start took
	for ((i = 0; i < rounds; i++)); do
		start=${EPOCHREALTIME/./}
		"$@" >/dev/null 2>/err.log </dev/null || {
			echo "failed: $*" >&2
			cat /err.log >&2
			return 1
		}
		took=$(((${EPOCHREALTIME/./} - start) / 1000))
		if [[ -z $best ]] || ((took < best)); then best=$took; fi
	done
	echo "$best"
}

# row NAME FREE COMMAND...: its time, and how often FREE is in it.
row() {
	local name=$1 free=$2 took
	shift 2
	took=$(least "$@")
	free=${free:-$took}
	printf '  %-34s %6d.%03d s %5d.%02d x\n' "$name" $((took / 1000)) $((took % 1000)) \
		$((took / free)) $((took * 100 / free % 100))
}

# bench TITLE OFF COMMAND...: OFF is its time where audit has never been on.
bench() {
	local title=$1 off=$2 free
	shift 2
	free=$(least "$@")
	echo "$title"
	printf '  %-34s %6d.%03d s %5d.%02d x\n' "free, audit never on" $((off / 1000)) $((off % 1000)) \
		$((off / free)) $((off * 100 / free % 100))
	row "free" "$free" "$@"
	row "run --via log" "$free" seccomp-learn run -q --via log --force -o /log.txt -- "$@"
	row "run, all known (the last pass)" "$free" \
		seccomp-learn run -q --via log --base /log.txt --force -o /last.txt -- "$@"
	row "enforce" "$free" seccomp-learn enforce -q /last.txt -- "$@"
	row "run --via log --args" "$free" \
		seccomp-learn run -q --via log --args --format json --force -o /args.json -- "$@"
	row "enforce, with conditions" "$free" seccomp-learn enforce -q /args.json -- "$@"
	row "run --via notify" "$free" seccomp-learn run -q --via notify --force -o /notify.txt -- "$@"
	if [[ -x /bin/strace ]]; then
		row "strace -f -c" "$free" strace -f -c -o /strace.txt "$@"
		# Without calls to trace the filter would save nothing.
		row "strace -f --seccomp-bpf -e none" "$free" \
			strace -f --seccomp-bpf -e trace=none -o /strace.txt "$@"
		row "strace -f -c --seccomp-bpf -e %file" "$free" \
			strace -f -c --seccomp-bpf -e trace=%file -o /strace.txt "$@"
	else
		echo "  no strace"
	fi
}

# Where audit is on, or has been since the boot, each system call of each program
# costs more; that is not learning's doing, so there are times of both.
off() {
	find /usr >/dev/null # fills the caches
	least find /usr >/off.find
	if [[ -x /bin/redis-server && -x /bin/redis-benchmark ]]; then
		sh /redis.sh >/dev/null
		least sh /redis.sh >/off.redis
	fi
}

on() {
	bench "find /usr (96,081 names)" "$(</off.find)" find /usr
	if [[ -s /off.redis ]]; then
		bench "redis-benchmark ($requests SET, $requests GET)" "$(</off.redis)" sh /redis.sh
	else
		echo "no redis"
	fi
}

rounds=${2:-1}
requests=${REQUESTS:-4000}
if (($# > 2)); then
	export PATH=/bin HOME=/
	"$3"
	exit
fi

export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(mktemp -d)
mount -t tmpfs -o mode=0755,exec,dev seccomp-learn "$root"
trap 'cd / && umount -l "$root" && rmdir "$root"' EXIT
mkdir -p "$root"/{bin,proc,run,dev,usr}
mknod -m 666 "$root/dev/null" c 1 3
cp "$1" "$root/bin/seccomp-learn"
cp "$0" "$root/bench.sh"
for program in bash sh find cat rm sleep strace redis-{server,benchmark,cli}; do
	if path=$(command -v "$program"); then cp -L "$path" "$root/bin/$program"; fi
done
# What they are linked with, the dynamic linker included.
for program in "$root"/bin/*; do ldd "$program" 2>/dev/null || true; done |
	grep -o '/[^ ]*' | sort -u | while read -r library; do
	mkdir -p "$root${library%/*}"
	cp -L "$library" "$root$library"
done
# A directory for eleven other names is what /usr has.
printf '%s\0' usr/{0..79}/{0..99} | (cd "$root" && xargs -0 mkdir -p)
printf '%s\0' usr/{0..79}/{0..99}/{a..k} | (cd "$root" && xargs -0 touch)
cat >"$root/redis.sh" <<END
rm -f /socket
redis-server --port 0 --unixsocket /socket --save '' &
until [ -S /socket ]; do sleep 0.01; done
redis-benchmark -q -s /socket -n $requests -c 10 -t set,get
redis-cli -s /socket shutdown nosave
wait
END
mount -t proc proc "$root/proc"
chroot "$root" /bin/bash /bench.sh /bin/seccomp-learn "$rounds" off
python3 "$here/audit.py" enabled 1
chroot "$root" /bin/bash /bench.sh /bin/seccomp-learn "$rounds" on
python3 "$here/audit.py" enabled 0
