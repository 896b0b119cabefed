# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The parts that the tests are run in, each of which leaves KTAP in $out/PART.ktap and
# what else it says in $out/PART.log; sourced by the scripts that run them.
: "${out:?the directory for what the parts say}"

# One test more for part $1, a guest for which vm.sh had exit status $2: a splat, a hang or
# a death after the last result is in no test of the command's.
guest_ended()
{
	local name=$1 status=$2 result=ok
	if [ "$status" -ge 124 ]; then
		result='not ok'
	fi
	{
		printf 'TAP version 14\n1..1\n'
		[ "$result" = ok ] || sed 's/^/# /' "$out/$name.log"
		printf '%s 1 %s: the guest ends in good order, no splat\n' "$result" "$name"
	} >"$out/$name-console.ktap"
}

# Runs part $1: a command, whose standard output is KTAP. A command that fails has a
# test that says so; one that does not get that far shows as one that ended early.
part()
{
	local name=$1 begin=$SECONDS status=0 files=("$out/$1.ktap")
	shift
	"$@" >"$out/$name.ktap" 2>"$out/$name.log" </dev/null || status=$?
	if [[ $1 == */vm.sh ]]; then
		guest_ended "$name" "$status"
		files+=("$out/$name-console.ktap")
	fi
	say "$name: $(python3 "$ROOT/scripts/ktap.py" summary "${files[@]}" | tail -n 1) ($((SECONDS - begin)) s)"
}
