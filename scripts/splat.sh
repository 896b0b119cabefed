#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Looks through a kernel log for what a kernel prints when something is wrong with
# it: splat.sh [--failing-allocations] FILE. Exits with 1, the lines printed, if it
# finds any. The option takes out the traces of allocations that failed.

set -euo pipefail

forgiven=
if [ "$1" = --failing-allocations ]; then
	forgiven='failed to allocate|allocation fail(ed|ure)'
	shift
fi

# The marks of scripts/../tools/testing/selftests and of lockdep, KASAN, KCSAN,
# UBSAN, kmemleak, the hung task and the RCU stall detectors, as they stand
# behind the time stamp.
marks='BUG: |WARNING: |Oops(: | - | \[#)|Kernel panic|kernel BUG at|general protection fault[,:]'
marks+='|INFO: (possible|suspicious|inconsistent|trying to register|rcu_|task .* blocked for)'
marks+='|suspicious RCU|possible recursive locking|UBSAN: |kmemleak: [0-9]+ new|ODEBUG: '
marks+='|[Uu]nable to handle|stack segment|double fault|RIP: 0010:|Call [Tt]race:|cut here|rust_kernel: panicked|bad unlock balance'

# virtme-ng's init writes to the kernel's log, too, and has warnings of its own.
if grep -avE '^\[[ .0-9]*\] virtme-(ng-)?init: ' "$1" |
	awk -v forgiven="$forgiven" 'forgiven != "" && $0 ~ forgiven { failed = 1 } failed && /Call [Tt]race:/ { failed = 0; next } 1' |
	grep -aE "$marks"; then
	exit 1
fi
