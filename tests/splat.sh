#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Tests scripts/splat.sh on lines that kernels print. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

splats=(
	'------------[ cut here ]------------'
	'WARNING: CPU: 0 PID: 1 at kernel/seccomp.c:1362 __seccomp_permit_syscall+0x91/0xa0'
	'kernel BUG at rust/helpers/bug.c:7!'
	'Oops: invalid opcode: 0000 [#1] SMP'
	# arm64 and riscv64 have other words for it.
	'Internal error: Oops - BUG: 00000000f2000800 [#1]  SMP'
	'Oops [#1]'
	'Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008'
	'Call trace:'
	'BUG: kernel NULL pointer dereference, address: 0000000000000008'
	'BUG: KASAN: slab-use-after-free in seccomp_run_filters+0x1/0x2'
	'BUG: KCSAN: data-race in do_seccomp / seccomp_log'
	'BUG: sleeping function called from invalid context at kernel/locking/mutex.c:1'
	'WARNING: suspicious RCU usage'
	'WARNING: possible circular locking dependency detected'
	'INFO: task seccomp_bpf:82 blocked for more than 120 seconds.'
	'UBSAN: array-index-out-of-bounds in kernel/seccomp.c:1:2'
	'kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)'
	'general protection fault, probably for non-canonical address 0xdead: 0000 [#1]'
	'Kernel panic - not syncing: VFS: Unable to mount root fs on "" or unknown-block(0,0)'
	'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]'
	'ODEBUG: free active (active state 0) object: 0 object type: timer_list'
	'rcu: INFO: rcu_preempt self-detected stall on CPU'
	'rust_kernel: panicked at kernel/seccomp/rust/filter.rs:1:1:'
)
harmless=(
	'Linux version 7.3.4 (seccomp-rust@localhost) #1 SMP PREEMPT @0'
	'audit: type=1326 audit(1.0:2): auid=4294967295 uid=0 comm="ls" sig=0 arch=c000003e syscall=39 code=0x7ffc0000'
	'rcu: RCU event tracing is enabled.'
	'kmemleak: Kernel memory leak detector initialized (mem pool available: 15858)'
	'ok 1 seccomp_rust'
	'virtme-ng-init: WARNING: failed to run: systemd-tmpfiles (error: No such file or directory)'
	'traps: seccomp_bpf[110] general protection fault ip:7f sp:7f error:0 in libc.so.6'
)

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# expect RESULT NAME [OPTION...]: splat.sh sees something in the log, or is quiet.
expect()
{
	local expected=$1 name=$2 result=quiet said
	shift 2
	said=$("$ROOT/scripts/splat.sh" "$@" "$log") || result=seen
	if [ "$result" = "$expected" ]; then
		ktap_test_pass "$name"
	else
		printf '%s\n' "$said" | sed 's/^/# /'
		ktap_test_fail "$name"
	fi
}

ktap_print_header
ktap_set_plan $((${#splats[@]} + 5))
for line in "${splats[@]}"; do
	# A name that no parser takes for the kernel's last words.
	name=${line:0:24}
	{ printf '[    0.0] %s\n' "${harmless[@]}"; printf '[    1.234567] %s\n' "$line"; } >"$log"
	expect seen "caught: ${name//#/}"
done
printf '[    0.0] %s\n' "${harmless[@]}" >"$log"
expect quiet "nothing is seen where nothing is"
printf '\n[    1.0] Call Trace:\n' >"$log"
expect seen "a trace behind an empty line is seen"

# What an allocation that fails leaves behind.
cat >"$log" <<-'END'
	[    1.0] alloc_test: vmalloc error: size 4096, align 0x1, vm_struct allocation failed, mode:0xdc0(GFP_KERNEL)
	[    1.0] CPU: 1 UID: 0 PID: 805 Comm: alloc_test Tainted: G N  7.3.4 #5 PREEMPTLAZY
	[    1.0] Call Trace:
	[    1.0]  <TASK>
END
expect seen "a failed allocation is seen where none is to fail"
expect quiet "... and is not where they are made to" --failing-allocations
printf '[    2.0] Call Trace:\n' >>"$log"
expect seen "... but another trace is" --failing-allocations
ktap_finished
