#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of seccomp-learn that need a kernel and root: learn, then enforce, real
# programs; loss; two runs at once. Prints KTAP.
#
# Usage: guest.sh SECCOMP-LEARN [PROGRAMS [PROGRAMS32]]
# PROGRAMS is programs.c, compiled, and PROGRAMS32 the same with -m32; what is
# not given is compiled here. ONLY='NAME…' in the environment leaves out other
# tests.
set -uo pipefail

if (($# < 1)) || [[ ! -x $1 ]]; then
	echo "usage: $0 SECCOMP-LEARN [PROGRAMS [PROGRAMS32]]" >&2
	exit 2
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
learn=$(realpath "$1")
programs=${2:+$(realpath "$2")}
programs32=${3:+$(realpath "$3")}
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin

# A file system of our own: the one of the guest may be read-only or nosuid.
work=$(mktemp -d)
mount -t tmpfs -o mode=0755,exec,suid seccomp-learn "$work" || exit 2
trap 'cd / && umount -l "$work" && rmdir "$work"' EXIT
cd "$work" || exit 2
export HOME=$work

readonly SKIP=4
reason=
# The tool's name for this machine, and what it calls getppid.
native=$(uname -m) getppid=110
case $native in
x86_64) native=x86-64 ;;
aarch64) native=arm64 getppid=173 ;;
riscv64) getppid=173 ;;
s390x) getppid=64 ;;
esac
# A limit that only a hang reaches; in a guest whose clock counts instructions
# hours may pass while it waits for a file.
limit=36000

note() {
	echo "# $*"
}

fail() {
	note "$*"
	return 1
}

skip() {
	reason=$1
	return "$SKIP"
}

have() {
	command -v "$1" >/dev/null
}

sl() {
	timeout "$limit" "$learn" "$@"
}

# learns FILE OPTION... -- COMMAND...: a complete list of a run that ends with 0.
learns() {
	local file=$1 status=0
	shift
	sl run --format json --force -o "$file" "$@" >out.log 2>err.log </dev/null || status=$?
	if ((status != 0)); then
		sed 's/^/# /' out.log err.log
		fail "learning ended with status $status"
	fi
}

# round CALL OPTION... -- COMMAND...: learns the command, runs it under its
# profile, then under its profile without CALL, which must be refused by name.
round() {
	local call=$1 status=0
	shift
	learns profile.json "$@" || return 1
	while [[ $1 != -- ]]; do
		if [[ $1 == --passes ]]; then shift; fi
		if [[ $1 == --keep-privs ]]; then local keep=--keep-privs; fi
		shift
	done
	sl enforce ${keep:+"$keep"} profile.json "$@" >out.log 2>err.log </dev/null || status=$?
	if ((status != 0)) || ! grep -q 'nothing was refused;' err.log; then
		sed 's/^/# /' out.log err.log
		fail "its own profile stopped it (status $status)"
		return
	fi
	"$learn" convert profile.json >whole.txt 2>/dev/null || return 1
	grep -vx -- "$call" whole.txt >less.txt
	if (($(wc -l <less.txt) + 1 != $(wc -l <whole.txt))); then
		fail "$call is not in its profile: $(tr '\n' ' ' <whole.txt)"
		return
	fi
	status=0
	sl enforce ${keep:+"$keep"} less.txt "$@" >out.log 2>err.log </dev/null || status=$?
	if ((status != 123)) || ! grep -Eq "killed for: (.*, )?$call \(" err.log; then
		sed 's/^/# /' err.log
		fail "nothing was said to be killed for $call (status $status)"
	fi
}

# has CALL FILE
has() {
	"$learn" convert "$2" 2>/dev/null | grep -qx -- "$1" || fail "$1 is not in the profile"
}

# count CALL FILE: how often the profile has seen it.
count() {
	"$learn" show "$2" 2>/dev/null | awk -v call="$1" '$2 == call { print $3 }'
}

audit() {
	python3 "$here/audit.py" "$@"
}

# audit_is FIELD: its value.
audit_is() {
	audit | awk -v field="$1" '$1 == field { print $2 }'
}

# await PID COMMAND...: waits until the command succeeds; fails if PID ends before.
await() {
	local pid=$1
	shift
	until "$@"; do
		kill -0 "$pid" 2>/dev/null || { fail "it has ended too early: $(<err.log)"; return; }
		sleep 0.1
	done
}

# waiting OPTION...: starts a run of a program that waits, and has it wait. Its number
# is in pid.
waiting() {
	# What an earlier one said is no answer.
	rm -f out.log
	"$learn" run --force "$@" -o list.txt -- "$programs" wait >out.log 2>err.log &
	pid=$!
	await "$pid" grep -qs ready out.log
}

# stop PID: has a run end, and waits for that.
stop() {
	kill -TERM "$1"
	wait "$1"
}

# Has all actions logged, as it is without anybody's doing.
log_all_actions() {
	sed 's/ allow//' /proc/sys/kernel/seccomp/actions_avail \
		>/proc/sys/kernel/seccomp/actions_logged
}

# ---- programs of different kinds ----

test_coreutils() {
	round getdents64 -- ls -l /usr
}

test_shell_pipes() {
	round pipe2 -- sh -c 'cat /etc/passwd | sort | uniq -c | wc -l'
}

test_python_threads_subprocess() {
	have python3 || { skip "no python3"; return; }
	round wait4 --passes 2 -- python3 -c '
import subprocess, threading
threads = [threading.Thread(target=subprocess.run, args=(["true"],)) for _ in range(3)]
for t in threads: t.start()
for t in threads: t.join()'
}

test_compiler() {
	have gcc || { skip "no gcc"; return; }
	echo 'int main(void) { return 0; }' >empty.c
	round unlink -- gcc -o empty empty.c
}

test_git() {
	have git || { skip "no git"; return; }
	round getcwd --passes 2 -- sh -c '
rm -rf repo && git init -q repo && cd repo && echo one >file && git add file &&
git -c user.name=n -c user.email=e commit -q -m one && git log --oneline | cat'
}

test_server_under_load() {
	if ! have redis-server || ! have redis-benchmark; then
		skip "no redis"
		return
	fi
	# The shell makes the same calls however quick the server is: it sleeps in any
	# case, and does not wait for what may have ended. Below a list without epoll_ctl
	# redis 8 is killed before it has made the socket, redis 7 behind that.
	cat >redis.sh <<-'END'
	rm -f socket
	redis-server --port 0 --unixsocket "$HOME/socket" --save '' --daemonize yes
	sleep 0.1
	n=0
	until [ -S socket ] || [ $((n += 1)) -gt 200 ]; do sleep 0.1; done
	redis-benchmark -q -s "$HOME/socket" -n 500 -c 10 -t set,get,lpush
	redis-cli -s "$HOME/socket" shutdown nosave
	END
	round epoll_ctl --passes 2 -- sh redis.sh
}

test_i386() {
	[[ -n $programs32 ]] || { skip "no compiler for i386"; return; }
	# Without threads: a kernel without COMPAT_32BIT_TIME has no i386 futex.
	round i386:getpgid -- "$programs32" who
}

test_many_threads() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	round sched_yield --passes 2 -- "$programs" threads
}

test_daemon() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	round getpgid -- "$programs" daemon
}

test_set_uid() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	cp "$programs" who && chown 65534 who && chmod 4755 who
	round getpgid --keep-privs -- ./who who || return
	learns profile.json --keep-privs -- ./who who || return
	[[ $(<out.log) == 65534 ]] || fail "--keep-privs: it ran as $(<out.log)" || return
	learns profile.json -- ./who who || return
	[[ $(<out.log) == 0 ]] || fail "no_new_privs: it ran as $(<out.log)" || return
	grep -q 'set-uid' err.log || fail "nothing was said about set-uid"
}

# ---- arguments ----

# A value that was not seen is refused, and named, however the calls are seen,
# and by what a format's own compiler makes of the profile.
conditions() {
	local via=$1 status=0
	learns profile.json --via "$via" --args -- "$programs" socket 1 1 || return
	grep -q 'calls have conditions: ' err.log || fail "nothing was said: $(<err.log)" || return
	sl enforce --via "$via" profile.json -- "$programs" socket 1 1 >out.log 2>err.log || status=$?
	((status == 0)) || fail "its own profile stopped it ($status): $(<err.log)" || return
	status=0
	sl enforce --via "$via" profile.json -- "$programs" socket 16 3 >out.log 2>err.log || status=$?
	if ((status != 123)) || ! grep -q 'killed for: socket (AF_NETLINK SOCK_RAW, ' err.log; then
		fail "status $status: $(<err.log)"
		return
	fi
	status=0
	sl enforce --via "$via" --action errno profile.json -- "$programs" socket 1 2 >out.log 2>err.log ||
		status=$?
	if ((status != 123)) || ! grep -q 'refused: socket (AF_UNIX SOCK_DGRAM, ' err.log; then
		fail "errno: status $status: $(<err.log)"
	fi
}

test_conditions_by_log() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	conditions log
}

test_conditions_by_listener() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	conditions notify
}

# The log has what does no harm, a listener is asked about the rest: F_GETFL, and
# F_SETSIG of a signal that there is not.
test_conditions_of_what_matters() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local status=0 asked='a value that does harm'
	learns profile.json --via log --args -- "$programs" fcntl 3 || return
	"$learn" explain fcntl profile.json >explained || fail "$(<explained)" || return
	grep -q 'arguments that do no harm, .*F_GETFL' explained || fail "$(<explained)" || return
	if grep -q 'values that were seen' explained; then fail "$(<explained)"; return; fi
	# Another day may bring another that does no harm; F_SETSIG is refused, and named.
	sl enforce --via log profile.json -- "$programs" fcntl 1 4 1034 >out.log 2>err.log || status=$?
	((status == 0)) || fail "stopped ($status): $(<err.log)" || return
	sl enforce --via log profile.json -- "$programs" fcntl 3 10 >out.log 2>err.log || status=$?
	if ((status != 123)) || ! grep -q 'killed for: fcntl (F_SETSIG, ' err.log; then
		fail "$asked: status $status: $(<err.log)"
		return
	fi
	learns profile.json --via log --args -- "$programs" fcntl 3 10 || return
	"$learn" explain fcntl profile.json | grep -q 'the values that were seen: F_SETSIG$' ||
		fail "$asked: $("$learn" explain fcntl profile.json)" || return
	status=0
	sl enforce --via log profile.json -- "$programs" fcntl 10 3 >out.log 2>err.log || status=$?
	((status == 0)) || fail "stopped with what was seen ($status): $(<err.log)" || return
	# The listener sees all of them, and so it does where they were asked for by number.
	for option in "--via notify --args" "--via log --args=fcntl:1"; do
		read -ra words <<<"$option"
		learns profile.json "${words[@]}" -- "$programs" fcntl 10 3 || return
		"$learn" explain fcntl profile.json >explained
		grep -q 'seen: .*\(F_GETFL, F_SETSIG\|0x3, 0xa\)' explained || fail "$option: $(<explained)" || return
		[[ $(count fcntl profile.json) == 2000 ]] || fail "$option: $(count fcntl profile.json) of 2000" || return
	done
}

# The same by libseccomp, from the C source: what it loads is the kernel's.
test_conditions_by_libseccomp() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local status=0
	learns profile.json --args -- "$programs" socket 1 1 || return
	"$learn" convert --to c --force -o profile.c profile.json 2>err.log || fail "$(<err.log)" || return
	cat >loader.c <<-'END'
	#include <unistd.h>
	int load_seccomp_profile(void);
	int main(int argc, char **argv)
	{
		if (argc < 2 || load_seccomp_profile())
			return 99;
		execv(argv[1], argv + 1);
		return 98;
	}
	END
	gcc -o loader loader.c profile.c -lseccomp 2>err.log || { skip "no libseccomp to link with"; return; }
	./loader "$programs" socket 1 1 || fail "its own profile stopped it: $?" || return
	./loader "$programs" socket 16 3 2>/dev/null || status=$?
	((status == 159)) || fail "AF_NETLINK: status $status, not that of SIGSYS"
}

# A call that is newer than the profile fails as on an older kernel.
test_newer_calls() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local via status
	learns profile.json -- "$programs" who || return
	"$learn" convert --newer-absent --format json --force -o newer.json profile.json 2>err.log ||
		fail "$(<err.log)" || return
	for via in log notify; do
		status=0
		sl enforce --via "$via" profile.json -- "$programs" nameless >out.log 2>err.log || status=$?
		if ((status != 123)) || ! grep -q 'killed for: 4000 ' err.log; then
			fail "$via: status $status: $(<err.log)"
			return
		fi
		status=0
		sl enforce --via "$via" newer.json -- "$programs" nameless >out.log 2>err.log || status=$?
		((status == 0)) || fail "$via: status $status: $(<err.log)" || return
	done
}

# ---- whose records ----

test_change_of_identity() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	learns profile.json --keep-privs -- "$programs" identity || return
	has getpgid profile.json || return
	"$learn" show profile.json 2>/dev/null | grep -q "^$native  getpgid .* a \"new\" name\$" ||
		fail "the new name is not shown: $("$learn" show profile.json 2>&1 | grep getpgid)"
}

test_two_at_once() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local before first second
	before=$(audit)
	sl run --count --format json --force -o one.json -- "$programs" flood 2 2000 2>one.log &
	first=$!
	sl run --count --format json --force -o two.json -- sh -c 'for i in 1 2 3; do ls /usr; done' \
		>out.log 2>two.log &
	second=$!
	wait "$first" || { fail "the first: $(<one.log)"; return; }
	wait "$second" || { fail "the second: $(<two.log)"; return; }
	[[ $(count getppid one.json) == 4000 ]] ||
		fail "getppid: $(count getppid one.json) of 4000" || return
	# The shell asks once for its parent.
	[[ $(count getppid two.json) == 1 ]] ||
		fail "the second has $(count getppid two.json) getppid" || return
	[[ -z $(count getdents64 one.json) && $(count getdents64 two.json) == 6 ]] ||
		fail "getdents64: $(count getdents64 one.json), $(count getdents64 two.json)" || return
	[[ $(audit) == "$before" ]] || fail "settings are not put back: $(audit | tr '\n' ' ')"
}

test_numbers_without_name() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	round 4000 -- "$programs" nameless
}

# ---- loss ----

# A list that says it is complete has every call; any other says why.
complete_or_said() {
	local status=$1 want=$2 file=$3 log=$4 got
	got=$(count getppid "$file")
	case $status in
	0)
		note "complete: $got of $want"
		[[ $got == "$want" ]] || fail "it claims to be complete"
		;;
	124)
		note "$(grep -o 'incomplete: [^;]*' "$log"): $got of $want"
		grep -q '"incomplete": ' "$file" || fail "the profile does not say so"
		;;
	*) fail "status $status: $(<"$log")" ;;
	esac
}

flood() {
	local status=0
	sl run --count --format json --force -o flood.json "$@" 2>err.log || status=$?
	return "$status"
}

test_flood() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local status=0
	flood -- "$programs" flood 4 5000 || status=$?
	((status == 0)) || fail "nothing need be lost: $(<err.log)" || return
	complete_or_said "$status" 20000 flood.json err.log
}

test_flood_small_backlog() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local status=0
	flood --backlog 8 -- "$programs" flood 4 2500 || status=$?
	complete_or_said "$status" 10000 flood.json err.log
}

test_flood_without_waiting() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	local status=0
	audit backlog_wait_time 0
	flood --backlog 64 -- "$programs" flood 4 5000 || status=$?
	if complete_or_said "$status" 20000 flood.json err.log; then
		status=0
		flood --backlog 64 --retry -- "$programs" flood 4 2500 || status=$?
	else
		status=-1
	fi
	audit backlog_wait_time 6000
	case $status in
	0)
		has getppid flood.json || return
		grep -Eq ' complete;|the last pass is complete, earlier ones were not' err.log ||
			fail "what is known is not said: $(<err.log)"
		;;
	-1) return 1 ;;
	*) fail "--retry did not reach the end: $(<err.log)" ;;
	esac
}

# ---- each call once ----

# What there is of "N records, M distinct calls" in FILE, N and M.
records_and_calls() {
	sed -nE 's/.* ([0-9]+) records, ([0-9]+) distinct calls.*/\1 \2/p' "$1"
}

readonly once=/proc/sys/kernel/seccomp/actions_logged_once

# The same list of fewer records, where the kernel can; of as many where it cannot.
test_once() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local before records calls status=0
	before=$(audit; cat "$once" 2>&1)
	sl run --count --force -o each.txt -- "$programs" flood 4 2000 2>each.log || status=$?
	((status == 0)) || fail "with --count: $(<each.log)" || return
	read -r records calls < <(records_and_calls each.log)
	note "with --count $records records of $calls calls"
	((records > 8000)) || fail "with --count there are $records records" || return
	sl run --format json --force -o once.json -- "$programs" flood 4 2000 2>once.log || status=$?
	((status == 0)) || fail "$(<once.log)" || return
	"$learn" convert once.json >once.txt 2>/dev/null
	cmp each.txt once.txt || fail "the lists differ: $(diff each.txt once.txt)" || return
	read -r records calls < <(records_and_calls once.log)
	note "without $records records of $calls calls"
	[[ $(audit; cat "$once" 2>&1) == "$before" ]] || fail "settings are not put back" || return
	if [[ -e $once ]]; then
		# Two threads that make a call for the first time at once may both be recorded.
		((records >= calls && records <= 2 * calls)) || fail "$records records" || return
		[[ $(count getppid once.json) == - ]] || fail "it counts what it did not see" || return
	else
		((records > 8000)) || fail "$records records" || return
		[[ $(count getppid once.json) == 8000 ]] || fail "$(count getppid once.json) of 8000"
	fi
}

# Where each call is recorded once there is next to nothing to lose.
test_once_small_backlog() {
	[[ -e $once ]] || { skip "the kernel records each call"; return; }
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	local status=0
	audit backlog_wait_time 0
	sl run --force --backlog 64 -o flood.txt -- "$programs" flood 4 5000 2>err.log || status=$?
	audit backlog_wait_time 6000
	((status == 0)) || fail "status $status: $(<err.log)" || return
	grep -qx getppid flood.txt || fail "getppid is not in the list"
}

# Each pass records everything, with a filter of its own.
test_once_in_each_pass() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	learns profile.json --stable 2 -- "$programs" flood 2 100 || return
	grep -q ' complete' err.log || fail "$(<err.log)" || return
	! grep -q 'seen in one pass only' err.log || fail "$(<err.log)"
}

# Who keeps the records gets each of them.
test_records_are_each() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local kept
	rm -f records.log
	learns profile.json --records records.log -- "$programs" flood 2 500 || return
	kept=$(grep -c "syscall=$getppid " records.log)
	((kept == 1000)) || fail "$kept records of 1000"
}

test_interrupted() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	local status=0 pid
	# A shell's background command ignores SIGINT, so SIGTERM is sent.
	waiting || return
	stop "$pid" || status=$?
	((status == 124)) || fail "status $status" || return
	grep -qx '# incomplete: interrupted by SIGTERM' list.txt || fail "not said" || return
	grep -qxE "pause|ppoll" list.txt || fail "pause is not in the list"
}

test_audit_settings() {
	local before after
	have python3 || { skip "no python3"; return; }
	audit backlog_limit 64
	audit rate_limit 20
	before=$(audit)
	learns profile.json -- ls -l /usr || return
	after=$(audit)
	audit rate_limit 0
	[[ $before == "$after" ]] || fail "not put back: $after" || return
	echo 'kill_process errno' >/proc/sys/kernel/seccomp/actions_logged
	learns profile.json -- true
	local status=$?
	after=$(</proc/sys/kernel/seccomp/actions_logged)
	log_all_actions
	((status == 0)) || return
	[[ $after == 'kill_process errno' ]] || fail "actions_logged: $after"
}

# On a terminal: progress is shown there, Ctrl-C reaches the command, and the
# list is written.
test_terminal() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	python3 - "$learn" "$programs" >out.log 2>err.log <<-'END' || fail "$(<err.log)" || return
	import os, pty, sys

	pid, terminal = pty.fork()
	if pid == 0:
	    os.execv(sys.argv[1], [sys.argv[1], "run", "--force", "-o", "list.txt", "--", sys.argv[2], "wait"])
	shown = b""
	sent = False
	while True:
	    try:
	        shown += os.read(terminal, 4096)
	    except OSError:
	        break
	    if not sent and b"ready" in shown and b"distinct calls" in shown:
	        os.write(terminal, b"\x03")
	        sent = True
	status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
	assert b"distinct calls, last " in shown, shown
	assert b"incomplete: interrupted by SIGINT; the command's exit status is 130" in shown, shown
	assert status == 124, (status, shown)
	END
	grep -qx '# incomplete: interrupted by SIGINT' list.txt || fail "not said: $(<list.txt)" || return
	grep -qxE "pause|ppoll" list.txt || fail "pause is not in the list"
}

# With audit=1 and no auditd the kernel keeps records for one to come, and counts
# as lost those for which there is no room. They have all been read before that.
test_nobody_takes_records() {
	test_flood
}

# What an administrator says during a run stays after it; what was there in any
# case is not lowered.
test_administrator() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	local pid enabled
	enabled=$(audit_is enabled)
	audit backlog_limit 64
	audit enabled 0
	waiting --backlog 4 || return
	[[ $(audit | tr '\n' ' ') == 'enabled 1 rate_limit 0 backlog_limit 64 ' ]] ||
		fail "during the run: $(audit | tr '\n' ' ')" || return
	# It is on already, as the run needs it.
	audit enabled 1
	audit rate_limit 1000
	echo kill_process >/proc/sys/kernel/seccomp/actions_logged
	stop "$pid"
	local after actions
	after=$(audit | tr '\n' ' ')
	actions=$(</proc/sys/kernel/seccomp/actions_logged)
	audit rate_limit 0
	audit enabled "$enabled"
	log_all_actions
	[[ $after == 'enabled 1 rate_limit 1000 backlog_limit 64 ' ]] || fail "after the run: $after" || return
	[[ $actions == kill_process ]] || fail "actions_logged: $actions" || return
	grep -q 'set by somebody else meanwhile' err.log || fail "it was not said: $(<err.log)"
}

# Audit that is switched off and on again meanwhile stays on, though there is no record
# of the latter.
test_audit_off_and_on() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	local pid enabled found after=1
	enabled=$(audit_is enabled)
	for found in 0 1; do
		audit enabled "$found"
		waiting || return
		audit enabled 0
		audit enabled 1
		stop "$pid"
		after=$(audit_is enabled)
		((after == 1)) || break
	done
	audit enabled "$enabled"
	((after == 1)) || fail "found $found: it is $after after the run" || return
	grep -q "audit's enabled flag was set by somebody else meanwhile" err.log ||
		fail "it was not said: $(<err.log)"
}

# What an administrator says while one run lasts is there again after the next, which
# has begun before the end of the first.
test_set_between_two_runs() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	local pid first before after actions
	before=$(audit_is rate_limit)
	waiting || return
	first=$pid
	audit rate_limit 1000
	audit backlog_limit 500
	echo kill_process >/proc/sys/kernel/seccomp/actions_logged
	waiting || return
	stop "$first"
	[[ $(audit_is rate_limit) == 0 ]] || fail "the second has a rate limit" || return
	stop "$pid"
	after="$(audit_is rate_limit) $(audit_is backlog_limit)"
	actions=$(</proc/sys/kernel/seccomp/actions_logged)
	audit rate_limit "$before"
	audit backlog_limit 64
	log_all_actions
	[[ $after == '1000 500' ]] || fail "limits: $after" || return
	[[ $actions == kill_process ]] || fail "actions_logged: $actions"
}

# A run that fails says all the same what has become of the settings.
test_failed_run() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	local pid enabled after status=0
	mkdir -p small
	mount -t tmpfs -o size=64k seccomp-learn small || { skip "no small file system"; return; }
	cat /dev/zero >small/full 2>/dev/null
	enabled=$(audit_is enabled)
	audit enabled 0
	waiting --records small/records.log || return
	# It is on already: the record alone tells.
	audit enabled 1
	stop "$pid" || status=$?
	after=$(audit_is enabled)
	audit enabled "$enabled"
	umount small
	((status == 125)) || fail "status $status: $(<err.log)" || return
	grep -q 'cannot write the records' err.log || fail "$(<err.log)" || return
	((after == 1)) || fail "audit is off after the run" || return
	grep -q 'set by somebody else meanwhile' err.log || fail "it was not said: $(<err.log)"
}

# A rule that keeps records back, of a user that the program may become.
test_exclude_rule() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	local status=0
	if ! audit add 65534 2>err.log; then
		skip "no audit rules in this kernel: $(<err.log)"
		return
	fi
	sl run --keep-privs --force -o list.txt -- "$programs" identity >out.log 2>err.log || status=$?
	audit remove 65534
	((status == 124)) || fail "status $status: $(<err.log)" || return
	grep -qx '# incomplete: an audit rule may drop records: -a never,exclude -F uid=65534' list.txt ||
		fail "the rule is not named: $(head -n 1 list.txt)" || return
	learns profile.json --keep-privs -- "$programs" identity
}

# A run that is killed cannot put anything back; the next one does.
test_killed_run() {
	local before pid
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	before=$(audit)
	waiting || return
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	kill -KILL "$(awk '$1 == "ready" { print $2 }' out.log)"
	[[ $(audit) != "$before" ]] || fail "the run changed nothing" || return
	learns profile.json -- true || return
	[[ $(audit) == "$before" ]] || fail "not put back: $(audit | tr '\n' ' ')" || return
	grep -q 'a run that was killed' err.log || fail "it was not said: $(<err.log)"
}

# ... but for what somebody has changed since.
test_changed_after_killed_run() {
	local before pid
	[[ -n $programs ]] || { skip "no compiler"; return; }
	have python3 || { skip "no python3"; return; }
	before=$(audit | grep -v backlog_limit)
	waiting || return
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	kill -KILL "$(awk '$1 == "ready" { print $2 }' out.log)"
	audit backlog_limit 500
	learns profile.json -- true || return
	pid=$(audit_is backlog_limit)
	audit backlog_limit 64
	((pid == 500)) || fail "the backlog limit is $pid" || return
	[[ $(audit | grep -v backlog_limit) == "$before" ]] || fail "not put back: $(audit | tr '\n' ' ')"
}

# ---- profiles that survive ----

# The kernel restarts a sleep that was stopped meanwhile; nobody saw that when it
# was learned.
test_survives_a_signal() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	learns profile.json -- "$programs" sleep quiet || return
	sl enforce profile.json -- "$programs" sleep stopped >out.log 2>err.log || fail "$(<err.log)" || return
	"$learn" convert --exact profile.json >exact.txt 2>/dev/null
	local status=0
	sl enforce exact.txt -- "$programs" sleep stopped >out.log 2>err.log || status=$?
	if ((status != 123)) || ! grep -q 'killed for: restart_syscall' err.log; then
		fail "without what is implied: status $status, $(<err.log)"
	fi
}

# A smaller make survive; the emulation is busy enough.
test_survives() {
	have python3 || { skip "no python3"; return; }
	SMALL=1 BUSY=0 ROUNDS=3 LEARN='--stable 1' KEEP=$work/kept bash "$here/survive.sh" "$learn" python >table || {
		sed 's/^/# /' table "$work"/kept/*.killed
		return 1
	}
	sed 's/^/# /' table
}

# A server is stopped by a signal, and that is all of it.
test_stopped_server() {
	have redis-server || { skip "no redis"; return; }
	local pid status=0
	rm -f socket
	"$learn" run --force -o list.txt -- redis-server --port 0 --unixsocket "$work/socket" --save '' \
		>out.log 2>err.log &
	pid=$!
	await "$pid" test -S socket || return
	stop "$pid" || status=$?
	((status == 0)) || fail "status $status: $(<err.log)" || return
	grep -q ' complete;' err.log || fail "$(<err.log)"
}

# ---- without privilege ----

unprivileged() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs -- "$@"
}

test_notify_unprivileged() {
	have setpriv || { skip "no setpriv"; return; }
	local status=0
	mkdir -m 777 -p anybody
	unprivileged "$learn" run --force -o anybody/list.txt -- ls /usr >out.log 2>err.log || status=$?
	((status == 0)) || fail "status $status: $(<err.log)" || return
	grep -q 'via notify, as audit cannot be read (no CAP_AUDIT_' err.log ||
		fail "the way was not said: $(<err.log)" || return
	sl run --force -o list.txt -- ls /usr >out.log 2>err.log
	diff list.txt anybody/list.txt || fail "the log and the listener differ" || return
	grep -vx getdents64 list.txt >less.txt
	unprivileged "$learn" enforce - -- ls /usr <less.txt >out.log 2>err.log
	grep -q 'killed for: getdents64 (by ls)' err.log || fail "$(<err.log)" || return
	status=0
	unprivileged "$learn" run --via log -- true >out.log 2>err.log || status=$?
	((status == 125)) || fail "--via log without privilege: $status" || return
	grep -q 'CAP_AUDIT_READ.*--via notify' err.log ||
		fail "--via log without privilege: $(<err.log)"
}

# Arguments, which no audit record has.
test_notify_arguments() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	learns profile.json --via notify -- sh -c "$programs socket 1 1 && $programs fcntl 3" || return
	"$learn" show profile.json 2>/dev/null >shown
	if ! grep -qE "^$native  socket .*  \(AF_UNIX SOCK_STREAM\)\$" shown ||
		! grep -qE "^$native  fcntl .*[ (]F_GETFL[,)]" shown; then
		fail "$(grep -E 'socket|fcntl' shown)"
	fi
}

test_notify_threads() {
	[[ -n $programs ]] || { skip "no compiler"; return; }
	learns profile.json --via notify -- "$programs" threads || return
	[[ $(count sched_yield profile.json) == 1280 ]] ||
		fail "sched_yield: $(count sched_yield profile.json) of 1280"
}

# ---- the command's own affairs ----

test_status_and_streams() {
	local status=0
	echo in | sl run --force -o list.txt -- sh -c 'cat; echo out; echo err >&2; exit 7' \
		>out.log 2>err.log || status=$?
	((status == 7)) || fail "status $status" || return
	[[ $(<out.log) == $'in\nout' ]] || fail "$(<out.log)" || return
	grep -qx err err.log || fail "$(<err.log)" || return
	status=0
	sl run --force -o list.txt -- sh -c 'kill -KILL $$' >out.log 2>err.log || status=$?
	((status == 137)) || fail "killed: status $status" || return
	status=0
	sl run -- ./no-such-program >out.log 2>err.log || status=$?
	((status == 127)) && [[ ! -s out.log ]] || fail "not found: status $status" || return
	status=0
	sl run -- /etc/passwd >out.log 2>err.log || status=$?
	((status == 126)) || fail "not executable: status $status"
}

tests=(
	coreutils shell_pipes python_threads_subprocess compiler git server_under_load
	i386 many_threads daemon set_uid
	conditions_by_log conditions_by_listener conditions_of_what_matters conditions_by_libseccomp newer_calls
	change_of_identity two_at_once numbers_without_name
	flood flood_small_backlog flood_without_waiting
	once once_small_backlog once_in_each_pass records_are_each
	interrupted terminal audit_settings
	administrator audit_off_and_on set_between_two_runs failed_run
	exclude_rule killed_run changed_after_killed_run
	survives_a_signal survives stopped_server
	notify_unprivileged notify_arguments notify_threads
	status_and_streams
)

# What a kernel that was started without this cannot show.
if grep -qw audit=1 /proc/cmdline; then tests+=(nobody_takes_records); fi
if [[ -n ${ONLY:-} ]]; then
	wanted=()
	for name in "${tests[@]}"; do
		if [[ " $ONLY " == *" $name "* ]]; then wanted+=("$name"); fi
	done
	tests=("${wanted[@]}")
fi

if [[ -z $programs ]] && have gcc; then
	gcc -O1 -pthread -o programs "$here/programs.c" 2>cc.log && programs=$work/programs
fi
if [[ -z $programs32 ]] && have gcc; then
	gcc -m32 -O1 -pthread -o programs32 "$here/programs.c" 2>cc.log &&
		programs32=$work/programs32
fi

echo "TAP version 13"
echo "1..${#tests[@]}"
failed=0
number=0
for name in "${tests[@]}"; do
	number=$((number + 1))
	start=$SECONDS
	"test_$name"
	case $? in
	0) echo "ok $number $name" ;;
	"$SKIP") echo "ok $number $name # SKIP $reason" ;;
	*)
		failed=$((failed + 1))
		echo "not ok $number $name"
		;;
	esac
	note "$name took $((SECONDS - start)) s"
done
note "$((number - failed)) of $number did not fail"
((failed == 0))
