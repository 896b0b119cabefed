#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job: boots the kernel, runs a program in it under a filter that logs
# every system call, and prints the allowlist learned from the records. The
# program is the command line $1.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

command=${1:-ls -l /usr}
"$ROOT/scripts/learn.sh"
say "learning the system calls of: $command"
list=$BUILD/allowlist
# A shell makes system calls of its own: only where the command needs one.
case $command in
*[\|\&\;\<\>\(\)\$\`\\\"\'\*\?\~\#]*) program="sh -c $(printf %q "$command")" ;;
*) program=$command ;;
esac
# What an earlier run has left must not pass for this one's.
rm -f "$list" "$BUILD/run.log"
status=0
# The program's own output is not what was asked for.
"$ROOT/scripts/vm.sh" -- "$LEARNER run --force -o $list -- $program >$BUILD/run.log" || status=$?
[ -s "$list" ] || die "nothing was learned"
say "the system calls it made, one a line, ready to become an allowlist (${list#"$ROOT"/}; its own output: ${BUILD#"$ROOT"/}/run.log):"
cat "$list"
exit "$status"
