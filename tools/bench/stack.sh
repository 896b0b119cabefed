#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: how much stack seccomp's path uses: stack.sh PROGRAM [ARGUMENT...]
#
# Runs PROGRAM with probes on the path's entry and on the functions by which it
# leaves kernel/seccomp.c and the crate, and prints for each of these a line
# "1 stack FUNCTION BYTES": the largest distance between the stack pointers.

set -euo pipefail
tracing=/sys/kernel/tracing
leaving=(audit_seccomp force_sig_seccomp ptrace_notify do_exit
	wait_for_completion_interruptible wait_for_completion_killable)

# The stack pointer, and where a function returns to, at its entry.
case $(uname -m) in
x86_64) sp=%sp return='+0(%sp)' ;;
aarch64) sp=%sp return=%x30 ;;
riscv64) sp=%sp return=%ra ;;
s390x) sp=%r15 return=%r14 ;;
esac

cd "$tracing"
echo 0 >tracing_on
echo 16384 >buffer_size_kb
echo "p:seccomp_stack/enter __seccomp_permit_syscall sp=$sp" >kprobe_events
for function in "${leaving[@]}"; do
	echo "p:seccomp_stack/$function $function sp=$sp caller=$return:symbol" >>kprobe_events
done
echo 1 >events/seccomp_stack/enable
echo 1 >tracing_on
"$@" >/dev/null
echo 0 >tracing_on
echo 0 >events/seccomp_stack/enable

lost=$(awk '/entries-in-buffer/ { split($3, n, "/"); print n[2] - n[1] }' trace)
[ "$lost" -eq 0 ] || { echo "stack.sh: the trace lost $lost entries" >&2; exit 1; }
# The low half of the stack pointers: awk would round the whole.
sed -n 's/^ *.*-\([0-9]*\) .* \([a-z_]*\): (.* sp=0x[0-9a-f]*\([0-9a-f]\{8\}\)\( caller=[^ ]*\)\?$/\1 \2 \3\4/p' trace |
	while read -r task function sp caller; do
		echo "$task $function $((16#$sp)) $caller"
	done | awk '
		$2 == "enter" { enter[$1] = $3 }
		$2 != "enter" && /caller=.*(seccomp|secure_computing|rust_helper_ptrace_event)/ && $1 in enter {
			depth = enter[$1] - $3
			if (depth > deepest[$2]) deepest[$2] = depth
		}
		END { for (f in deepest) print "1 stack", f, deepest[f] }' | sort
echo >kprobe_events
