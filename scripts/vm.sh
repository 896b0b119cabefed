#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs a command in a guest that boots one of our kernels: vm.sh [OPTION...] -- COMMAND
#
#	--kernel NAME	build/NAME/arch/x86/boot/bzImage (default rust); with ARCH in the
#			environment that architecture's below build/ARCH/
#	--append ARGS	more arguments for the kernel
#	--qemu ARGS	more arguments for QEMU
#	--cpus N	(default 2; with --icount 1)
#	--memory SIZE	(default 1G)
#	--timeout SECS	after which the guest counts as hung (default 900)
#	--still SECS	after which a guest that uses no CPU and says nothing counts
#			as hung (default 60)
#	--icount	the guest's clock counts instructions while it works, and is
#			ours while it is idle: emulation only, but how fast or busy
#			this machine is then matters little to time-outs in the guest.
#			One CPU, because QEMU forgets to wake a guest of more; see
#			Documentation/testing.rst
#	--quiet		no line about what is done
#	--allow-splat	a splat on the console is not a failure
#	--failing-allocations
#			the traces of failed ones are none, and the console allocates
#			nothing, which lockdep would tell of
#
# COMMAND is run by bash, as root, with the current directory as its own. The
# guest sees the host's files, and can write below build/; that of another
# architecture sees those of the repository, and can write below build/ARCH/. The
# exit status is COMMAND's, 125 if the guest could not tell one or hung, 126 for a
# splat. Without COMMAND it is a shell.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

kernel=rust append='' qemu='' cpus='' memory=1G timeout=900 still=60 icount='' quiet='' allow_splat='' failing=''
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2; shift ;;
	--append) append+=" $2"; shift ;;
	--qemu) qemu+=" $2"; shift ;;
	--cpus) cpus=$2; shift ;;
	--memory) memory=$2; shift ;;
	--timeout) timeout=$2; shift ;;
	--still) still=$2; shift ;;
	--icount) icount=1; qemu+=' -icount shift=0,sleep=on' ;;
	--quiet) quiet=1 ;;
	--allow-splat) allow_splat=1 ;;
	--failing-allocations) failing=--failing-allocations ;;
	--) shift; break ;;
	*) die "vm.sh: unknown option $1" ;;
	esac
	shift
done
command=$*
[ -z "$icount" ] || [ "${cpus:-1}" = 1 ] || die "vm.sh: --icount is for one CPU"
cpus=${cpus:-$([ -n "$icount" ] && echo 1 || echo 2)}

load_tools
need "$QEMU" "the emulator"
image=$BUILD/$kernel/$image
[ -f "$image" ] || die "no kernel $image: make kernel"
"$ROOT/scripts/rootfs.sh"

# The command line of virtme-ng but for the command, in $vng, or of what stands in
# for it. The clocksource watchdog of 7.3 can wait forever for the other CPU while the
# kernel boots, as patches/upstream/0002-*.patch says, so no guest has it. Nor has one
# page tables of five levels: identify_cpu() clears what is known of the boot CPU with
# interrupts on, and to KASAN in an interrupt that comes then there are four, and every
# address is wild.
virtme()
{
	local kvm=$1
	vng=(--run "$image" --cpus "$cpus" --memory "$memory" --rwdir "$BUILD")
	if [ "$ARCH" != x86_64 ]; then
		vng=("$ROOT/scripts/qemu.sh" "${vng[@]}")
		return
	fi
	vng=(vng "${vng[@]}" --force-9p --user root --append tsc=nowatchdog --append no5lvl)
	[ "$kvm" = yes ] || vng+=(--disable-kvm)
}

# Whether KVM runs a guest here, found out by doing it, once for a machine and
# a QEMU. /dev/kvm that opens says little where the host is a guest itself.
have_kvm()
{
	local known=$BUILD/kvm.known key proof
	if [ "$ARCH" != x86_64 ] || ! [ -r /dev/kvm ] || ! [ -w /dev/kvm ]; then
		echo no
		return
	fi
	key="$(cat /proc/sys/kernel/random/boot_id) $(qemu-system-x86_64 --version | head -n 1)"
	if ! [ -f "$known" ] || [ "$(head -n 1 "$known")" != "$key" ]; then
		local works=no
		say "/dev/kvm is there: trying whether it runs a guest"
		virtme yes
		# What a guest leaves in a file is proof; an exit status is not. Another guest may be
		# tried at the same time.
		proof=$(mktemp "$BUILD/kvm.XXXXXX")
		timeout --kill-after=2 25 "${vng[@]}" -- "echo yes >$proof" </dev/null >/dev/null 2>&1 || true
		[ ! -s "$proof" ] || works=yes
		rm -f "$proof"
		[ "$works" = yes ] || say "KVM does not run a guest here: using emulation from now on"
		printf '%s\n%s\n' "$key" "$works" >"$known.$$"
		mv "$known.$$" "$known"
	fi
	tail -n 1 "$known"
}

# Counting instructions is something that only the emulation does.
case $qemu in
*icount*) virtme no ;;
*) virtme "$(have_kvm)" ;;
esac

if [ -z "$command" ]; then
	exec "${vng[@]}" --append "$append"
fi

# No guest outlives this script, whatever ends it.
kill_guest()
{
	local pid
	pid=$(cat "$run/pid" 2>/dev/null) || return 0
	! grep -qs qemu "/proc/$pid/comm" || kill -KILL "$pid" 2>/dev/null || true
}

watcher=''
cleanup()
{
	kill_guest
	[ -z "$watcher" ] || kill "$watcher" 2>/dev/null || true
	rm -rf "$run"
}

run=$(mktemp -d "$BUILD/run.XXXXXX")
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
printf 'cd %q\n%s\n' "$PWD" "$command" >"$run/command"
console=$run/console early=$run/early
append+=" $early_console"
if [ -n "$failing" ] && [ -n "$serial_console" ]; then
	klog_console=$serial_console klog_device='-serial chardev:klog'
elif [ -n "$early_console" ]; then
	qemu+=" -chardev file,id=early,path=$early -serial chardev:early"
fi

# How often the threads of process $1 were given a CPU.
switches()
{
	cat "/proc/$1"/task/*/status 2>/dev/null | awk '/ctxt_switches/ { n += $2 } END { print n + 0 }'
}

# What a guest does that does not end: where each CPU is, by QEMU, and on x86 what the
# kernel tells when it panics of an NMI, the stacks of all CPUs and of what is blocked.
# It is for people; whether there was a splat is told by the console as it was before.
look_at_guest()
{
	cp "$console" "$console.before" 2>/dev/null || true
	# Opened to read as well, it waits for nobody.
	printf 'info registers -a\nnmi\n' 1<>"$run/monitor.in"
	timeout 10 cat "$run/monitor.out" >"$run/registers" || true
}

# Ends QEMU after $timeout seconds, or when none of its threads runs for $still
# seconds. A guest that only waits is woken by its timers far more often than that.
watch_guest()
{
	local pid='' now before='' since=$SECONDS begin=$SECONDS how=''
	while sleep 1; do
		[ -n "$pid" ] || { read -r pid <"$run/pid" || continue; } 2>/dev/null
		now=$(switches "$pid")
		[ "$now" -gt 0 ] || return 0
		if [ "$now" != "$before" ]; then
			before=$now since=$SECONDS
		elif [ $((SECONDS - since)) -ge "$still" ]; then
			how=still
		fi
		[ $((SECONDS - begin)) -lt "$timeout" ] || how=hung
		if [ -n "$how" ]; then
			echo "$how" >"$run/ended"
			look_at_guest
			kill_guest
			return
		fi
	done
}

[ -n "$quiet" ] || say "booting the $kernel kernel"
status=0
mkfifo "$run/monitor.in" "$run/monitor.out"
[ "$ARCH" != x86_64 ] || append+=' unknown_nmi_panic panic_sys_info=all_bt,blocked_tasks'
watch_guest &
watcher=$!
# The console has a port of its own, apart from the command's streams. Those go
# through pipes, because QEMU opens them anew, which would truncate a file. The time-out
# here is for a QEMU that does not even start.
timeout --foreground --kill-after=5 $((timeout + 60)) "${vng[@]}" \
	--append "console=$klog_console ignore_loglevel panic=-1 $append" \
	--qemu-opts="-pidfile $run/pid -chardev file,id=klog,path=$console $klog_device \
-chardev pipe,id=monitor,path=$run/monitor -mon chardev=monitor $qemu" \
	-- "$ROOT/scripts/guest.sh $run" > >(cat) 2> >(cat >&2) || status=$?
[ -e "$run/ended" ] || kill "$watcher" 2>/dev/null || true
wait

# A kernel may die before it has its console.
[ -s "$console" ] || console=$early

# The console as it was before somebody looked at the guest.
before=$console
[ ! -f "$console.before" ] || before=$console.before

tail_console()
{
	printf -- '--- the last lines of the console\n' >&2
	tail -n "${1:-30}" "$before" 2>/dev/null | sed 's/\r$//' >&2
	if ! cmp -s "$before" "$console"; then
		printf -- '--- what the kernel said when it was asked\n' >&2
		tail -c "+$(($(wc -c <"$before") + 1))" "$console" | sed 's/\r$//' | grep -avE '^\[[ .0-9]*\] (Code|R[A-Z0-9]{2}|CR[0-9]|[DFEGC]S):' >&2 || true
	fi
	printf -- '---\n' >&2
	cp "$console" "$BUILD/console.log" 2>/dev/null || true
}

# How a guest ended that did not get as far as its command's exit status.
unfinished()
{
	[ ! -f "$run/registers" ] || tr -d '\r' <"$run/registers" | grep -aE '^(CPU#|[ER]IP=| *PC=| *pc |PSW=)' >&2 || true
	[ -e "$run/ended" ] || [ "$status" -ne 124 ] || echo hung >"$run/ended"
	case $(cat "$run/ended" 2>/dev/null) in
	still) printf 'error: the guest stood still: no CPU used and nothing said for %d s\n' "$still" >&2 ;;
	hung) printf 'error: the guest hung: no end after %d s\n' "$timeout" >&2 ;;
	*) printf 'error: the guest ended before its command did\n' >&2 ;;
	esac
}

if [ -z "$allow_splat" ] && [ -s "$before" ] && ! splat=$("$ROOT/scripts/splat.sh" ${failing:+"$failing"} "$before"); then
	tail_console 60
	printf 'error: the kernel printed a splat (all of the console: %s/console.log):\n%s\n' "${BUILD#"$ROOT"/}" "$(head -n 20 <<<"$splat")" >&2
	[ -s "$run/status" ] || unfinished
	exit 126
fi
if ! [ -s "$run/status" ]; then
	tail_console
	unfinished
	exit 125
fi
exit "$(cat "$run/status")"
