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
# in the environment is how many of each kind the benchmark of redis makes, BOUND how
# many hundredths of running free `run --via log` may take: above it the status is 1.
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

# row NAME FREE FOUND COMMAND...: its time, which is left in $took, how often FREE is
# in it, and how many of the kinds of calls that were made (/truth.txt) the function FOUND
# finds in what it has left. If that is none, the row has no such column. What it says of
# losses stands behind.
row() {
	local name=$1 free=$2 found=$3 kinds='' lost=''
	shift 3
	rm -f /found.txt /lost.txt
	took=$(least "$@") || return
	free=${free:-$took}
	if [[ -n $found ]]; then
		"$found" | sort -u >/found.txt
		kinds="$(comm -12 /truth.txt /found.txt | wc -l)/$(wc -l </truth.txt)"
		lost=0
		if [[ -s /lost.txt ]]; then lost=$(</lost.txt); fi
	fi
	printf '  %-34s %6d.%03d s %5d.%02d x  %7s  %s\n' "$name" $((took / 1000)) $((took % 1000)) \
		$((took / free)) $((took * 100 / free % 100)) "$kinds" "$lost"
}

# The names of the calls in a list that a run has left. One that is not complete says so.
by_learning() {
	if grep -q '^# incomplete' /list.txt; then sed -n 's/^# incomplete: //p' /list.txt >/lost.txt; fi
	sed '/^#/d; s/ .*//' /list.txt
}

# In the table of strace -c the name is last, and its number the fourth word.
by_strace() {
	awk '$4 ~ /^[0-9]+$/ && $NF != "total" { print $NF }' /strace.txt
}

by_perf() {
	sed -n 's/.*LOST \([0-9]* events\).*/\1/p' /perf.txt | tail -n 1 >/lost.txt
	awk '$2 ~ /^[0-9]+$/ && NF >= 7 { print $1 }' /perf.txt >/names.txt
	# It leaves out what the kernel has no format for.
	if [[ ! -s /names.txt ]]; then echo "it shows no calls" >/lost.txt; fi
	cat /names.txt
}

# Numbers of the native table, which the learner has names for.
by_bpftrace() {
	sed -n 's/.*Lost \([0-9]* events\).*/\1/p' /bpftrace.txt | tail -n 1 >/lost.txt
	sed -n 's/^@\[\([0-9]*\)\]: .*/\1/p' /bpftrace.txt >/numbers.txt
	seccomp-learn convert --exact /numbers.txt 2>/dev/null | sed '/^#/d; s/ .*//'
}

# bpftrace takes its command as one word.
with_bpftrace() {
	bpftrace -I /include -q -o /bpftrace.txt -e 'tracepoint:raw_syscalls:sys_enter { @[args->id] = count(); }' -c "$*"
}

learning=(seccomp-learn run -q --force --exact)

# choose NAME: the load of that name, as $title and $command.
choose() {
	case $1 in
	find) title="find /usr (96,081 names)" command=(find /usr) ;;
	redis) title="redis-benchmark ($requests SET, $requests GET)" command=(sh /redis.sh) ;;
	esac
}

# bench NAME: the table of a load, whose time where audit has never been on is in
# /off.NAME. What ruled() compares with is left under that name as well.
bench() {
	local name=$1 title command free off
	off=$(<"/off.$name")
	choose "$name"
	set -- "${command[@]}"
	free=$(least "$@")
	echo "$free" >"/free.$name"
	# What there is to be found: each call was recorded, and no record lost.
	seccomp-learn run --force --exact --count --via log -o /list.txt -- "$@" >/dev/null 2>/err.log </dev/null || {
		cat /err.log >&2
		return 1
	}
	by_learning | sort -u >/truth.txt
	cp /truth.txt "/truth.$name"
	echo "$title: $(sed -nE 's/.* ([0-9]+) records, .*/\1/p' /err.log) calls of $(wc -l </truth.txt) kinds"
	printf '  %-34s %12s %10s  %7s  %s\n' '' time 'times free' found lost
	printf '  %-34s %6d.%03d s %5d.%02d x\n' "free, audit never on" $((off / 1000)) $((off % 1000)) \
		$((off / free)) $((off * 100 / free % 100))
	row "free" "$free" '' "$@"
	row "run --via log" "$free" by_learning "${learning[@]}" --via log -o /list.txt -- "$@"
	if [[ -n ${BOUND:-} ]] && ((took * 100 > free * BOUND)); then
		echo "  ABOVE ITS BOUND of $BOUND hundredths"
		above=1
	fi
	cp /list.txt /known.txt
	row "run --via log --count" "$free" by_learning "${learning[@]}" --via log --count -o /list.txt -- "$@"
	row "run, all known (the last pass)" "$free" '' \
		seccomp-learn run -q --via log --base /known.txt --force -o /last.txt -- "$@"
	row "enforce" "$free" '' seccomp-learn enforce -q /last.txt -- "$@"
	row "run --via log --args" "$free" '' \
		seccomp-learn run -q --via log --args --format json --force -o /args.json -- "$@"
	row "enforce, with conditions" "$free" '' seccomp-learn enforce -q /args.json -- "$@"
	row "run --via notify" "$free" by_learning "${learning[@]}" --via notify -o /list.txt -- "$@"
	if [[ -x /bin/strace ]]; then
		row "strace -f -c" "$free" by_strace strace -f -c -o /strace.txt "$@"
		row "strace -f -c --seccomp-bpf" "$free" by_strace \
			strace -f -c --seccomp-bpf -e trace=all -o /strace.txt "$@"
	else
		echo "  no strace"
	fi
	if [[ -x /bin/perf ]]; then
		row "perf trace -s" "$free" by_perf perf trace -s -o /perf.txt -- "$@" || echo "  perf trace: $(tail -n 1 /err.log)"
	else
		echo "  no perf"
	fi
	if [[ -x /bin/bpftrace ]]; then
		row "bpftrace, a map of the numbers" "$free" by_bpftrace with_bpftrace "$@" ||
			echo "  bpftrace: $(tail -n 1 /err.log)"
	else
		echo "  no bpftrace"
	fi
}

# Where audit is on, or has been since the boot, each system call of each program
# costs more; that is not learning's doing, so there are times of both.
off() {
	local name title command
	for name in find redis; do
		[[ $name == find || (-x /bin/redis-server && -x /bin/redis-benchmark) ]] || continue
		choose "$name"
		"${command[@]}" >/dev/null # fills the caches
		least "${command[@]}" >"/off.$name"
	done
}

on() {
	bench find
	if [[ -s /off.redis ]]; then
		bench redis
	else
		echo "no redis"
	fi
	return "$above"
}

# What --args could be learnt from as well, beside the listener: audit's own records of
# the calls, which have arguments. They are taken from the socket, and nothing is made of
# them: this is the least that they cost. What audit or its reader loses by them is in the
# last column.
ruled() {
	local name title command
	for name in find redis; do
		[[ -s /free.$name ]] || continue
		choose "$name"
		cp "/truth.$name" /truth.txt
		echo "$title, a record by audit of each call that --args asks for:"
		row "run --via log, an audit rule" "$(<"/free.$name")" by_learning "${learning[@]}" --via log -o /list.txt -- "${command[@]}" ||
			cat /err.log
	done
}

above=0
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
for program in bash sh find cat rm cp sleep sort comm wc sed grep tail awk strace perf bpftrace redis-{server,benchmark,cli}; do
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
# What perf and bpftrace look at.
mkdir -p "$root/include"
cp -rL /usr/include/{linux,asm-generic} /usr/include/x86_64-linux-gnu/asm "$root/include/" 2>/dev/null || true
mkdir -p "$root/sys"
mount -t sysfs sysfs "$root/sys"
mount -t debugfs debugfs "$root/sys/kernel/debug" || true
mount -t tracefs tracefs "$root/sys/kernel/tracing" || true
chroot "$root" /bin/bash /bench.sh /bin/seccomp-learn "$rounds" off
python3 "$here/audit.py" enabled 1
status=0
chroot "$root" /bin/bash /bench.sh /bin/seccomp-learn "$rounds" on || status=$?
# The calls that have a condition by default.
calls=(socket socketpair ioctl prctl fcntl clone unshare setns personality mmap mprotect pkey_mprotect
	madvise futex keyctl bpf ptrace arch_prctl getsockopt setsockopt seccomp userfaultfd)
if python3 "$here/audit.py" record "${calls[@]}"; then
	chroot "$root" /bin/bash /bench.sh /bin/seccomp-learn "$rounds" ruled
	python3 "$here/audit.py" forget "${calls[@]}"
fi
python3 "$here/audit.py" enabled 0
exit "$status"
