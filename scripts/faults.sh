#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Puts each fault of tests/faults/ into a copy of the Rust and runs the tests
# until one notices, those of the rules on the host first, then the others in
# the guest of a kernel with the fault: faults.sh [NAME...]
#
#	faults.sh --check	only: every fault applies
#	faults.sh --table	only: what catches each, as the patches say
#	faults.sh --by TEST NAME...
#			this test of the guest alone, such as stress or
#			"log_test: masks.ret_log.every"
#
# A patch says in "Caught by:" which test caught its fault when that was last
# looked at: "SUITE: TEST", or an oracle alone. It is tried before all others,
# which are run only if it fails to notice.
#
# Prints a line for each fault with the test that caught it, and leaves them in
# build/faults/table. The exit status is 1 if a fault was not caught.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

faults=$ROOT/tests/faults
work=$BUILD/faults
cases=1000
suites=(seccomp_bpf lifetime_test listener_test log_test sysctl_test once_test once_sysctl_test trace_test)
oracles=(seccomp_programs seccomp_api seccomp_oracle)

# The test that patch $1 names.
known_test()
{
	sed -n 's/^Caught by: //p' "$faults/$1.patch"
}

# A copy of the crate with fault $1, or without if it is empty.
put_in()
{
	rm -rf "$work/src"
	mkdir -p "$work/src"
	cp -a "$ROOT/rust" "$work/src/rust"
	# git must not take the copy for a part of our own repository.
	[ -z "$1" ] || (cd "$work/src" && GIT_CEILING_DIRECTORIES=$work git apply "$faults/$1.patch") ||
		die "tests/faults/$1.patch does not apply: make it fit what the code has become"
	# One file of the crate that is newer is enough to build it.
	touch "$work/src/rust/seccomp.rs"
}

by=
mapfile -t -- names < <(cd "$faults" && printf '%s\n' *.patch | sed 's/\.patch$//')

case ${1:-} in
--check)
	# Apart from a run that is under way.
	work=$(mktemp -d "$BUILD/faults.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	for name in "${names[@]}"; do
		put_in "$name"
		[ -n "$(known_test "$name")" ] || die "tests/faults/$name.patch does not say what catches it"
	done
	exit
	;;
--table)
	for name in "${names[@]}"; do
		printf '%-24s %s\n' "$name" "$(known_test "$name")"
	done
	exit
	;;
--by)
	by=${2:-}
	[[ " kunit stress ${suites[*]} ${oracles[*]} " == *" ${by%%:*} "* && $# -gt 2 ]] ||
		die "faults.sh --by TEST NAME...: TEST is one of kunit, stress, ${suites[*]}, ${oracles[*]}"
	names=("${@:3}")
	;;
?*) names=("$@") ;;
esac

load_tools
PATH=$(dirname "$RUSTC"):$PATH
export RUSTC
"$ROOT/scripts/kernel.sh" c
"$ROOT/scripts/selftests.sh"
mkdir -p "$work"
"$ROOT/scripts/kernel.sh" rust
object=$BUILD/faulty-rust/kernel/seccomp/rust/seccomp.o

# The kernel build finds the crate in its usual place, which shows the copy to
# this build alone.
build()
{
	local user=()
	[ "$(id -u)" -eq 0 ] || user=(--user --map-root-user)
	unshare --mount "${user[@]}" sh -c 'mount --bind "$1" "$2" && "$3" faulty-rust' \
		sh "$work/src/rust" "$ROOT/rust" "$ROOT/scripts/kernel.sh" >"$work/build.log" 2>&1
}

# A test of the rules on the host that fails, if any does: the one that patch $1
# names, if that is among them. They are of those files alone that the crate for
# the host has.
host_test()
{
	local file failed
	while read -r file; do
		grep -qF "/${file#rust/}\"" "$ROOT/rust/host/src/lib.rs" || continue
		! CARGO_TARGET_DIR=$BUILD/cargo/faults "$CARGO" test --quiet \
			--manifest-path "$work/src/rust/host/Cargo.toml" >"$work/host.log" 2>&1 || return 0
		failed=$(sed -n 's/^---- \(.*::\)*\(.*\) stdout ----$/host: \2/p' "$work/host.log")
		grep -xF -- "$(known_test "$1")" <<<"$failed" || head -n 1 <<<"$failed"
		return
	done < <(sed -n 's,^+++ b/,,p' "$faults/$1.patch")
}

# In the guest: the test that is named, then the suites one after the other, up
# to the first test that fails, and fails again on its own, twice. One that fails
# by chance has caught nothing.
cat >"$work/guest" <<-END
	caught()
	{
		echo "\$1" >$work/caught
		exit 0
	}
	# The directory and the command of a suite of the harness.
	harness()
	{
		case \$1 in
		seccomp_bpf) echo kernel ./seccomp_bpf ;;
		lifetime_test | listener_test) echo seccomp_lifetime "./\$1" ;;
		log_test) echo seccomp_log ./log_test -F no_audit ;;
		sysctl_test | once_test | once_sysctl_test | trace_test) echo seccomp_log "./\$1" ;;
		esac
	}
	fails()
	{
		! "./\$1" -r "\$2" 2>/dev/null | grep -aqE "^ok [0-9]* *\$2( |\\\$)"
	}
	# Suite \$1, or its test \$2 alone, which may be of no fixture.
	suite()
	{
		local dir command name
		echo "\$1\${2:+: \$2}" >$work/suite
		read -r dir command < <(harness "\$1")
		cd "$BUILD/selftests/\$dir"
		while read -r name; do
			if fails "\$1" "\$name" && fails "\$1" "\$name"; then
				caught "\$1: \${name#global.}"
			fi
		done < <(if [[ \${2:-} == *.* ]]; then echo "\$2"; elif [ -n "\${2:-}" ]; then echo "global.\$2"; else \$command 2>/dev/null | sed -n 's/^not ok [0-9]* *//p'; fi)
	}
	kunit()
	{
		local name
		echo kunit >$work/suite
		name=\$($ROOT/tests/kunit.sh | grep -m 1 '^ *not ok')
		[ -z "\$name" ] || caught "kunit: \${name##* }"
	}
	# An oracle, whose lines are to be those of the C kernel.
	lines()
	{
		$BUILD/selftests/\$1/\$1 --seed 1 --cases $cases --jobs 2 | cmp -s $work/\$1.c.lines -
	}
	oracle()
	{
		echo "\$1" >$work/suite
		lines "\$1" || lines "\$1" || caught "\$1"
	}
	# Its workers that find fault.
	stress()
	{
		local workers
		echo stress >$work/suite
		cd "$BUILD/selftests/seccomp_log"
		workers=\$(./stress 20 | sed -n 's/^not ok [0-9]* *//p' | paste -s -d ';')
		[ -z "\$workers" ] || caught "stress: \$workers"
	}
	each()
	{
		case \$1 in
		kunit | stress) \$1 ;;
		$(printf '|%s:*' "${suites[@]}" | cut -c2-)) suite "\${1%%:*}" "\${1##*: }" ;;
		$(printf '|%s' "${oracles[@]}" | cut -c2-)) oracle "\$1" ;;
		esac
	}
	each "\$1"
	[ -z "$by" ] || caught nothing
	# What was known is not enough any more.
	kunit
	for name in ${suites[*]}; do
		suite \$name
	done
	for name in ${oracles[*]}; do
		oracle \$name
	done
	stress
	caught nothing
END

# Runs the tests on the kernel, test $1 first; prints what caught it, "nothing"
# if nothing did. A guest that dies or hangs has to do so twice, as a test has to fail.
try()
{
	local first again
	first=$(try_once "$1")
	case $first in
	*': splat: '* | *': the guest hangs or ends')
		again=$(try_once "$1")
		[ "${again%%:*}" = "${first%%:*}" ] || first="nothing: once $first, and once $again"
		;;
	esac
	printf '%s\n' "$first"
}

try_once()
{
	local status=0
	rm -f "$work/suite" "$work/caught"
	"$ROOT/scripts/vm.sh" --quiet --icount --timeout 900 --kernel faulty-rust -- "bash $work/guest '$1'" \
		</dev/null >"$work/vm.log" 2>&1 || status=$?
	case $status in
	126) printf '%s: %s\n' "$(cat "$work/suite" 2>/dev/null || echo boot)" \
		"splat: $(sed -n '/printed a splat/{n;s/^\[[^]]*\] *//;p}' "$work/vm.log" | tr -d '\r' | cut -c1-60)" ;;
	0) cat "$work/caught" ;;
	125) printf '%s: the guest hangs or ends\n' "$(cat "$work/suite" 2>/dev/null || echo boot)" ;;
	*) printf 'nothing: vm.sh ended with %s: %s\n' "$status" "$(tail -n 1 "$work/vm.log")" ;;
	esac
}

for program in "${oracles[@]}"; do
	[ "$work/$program.c.lines" -ot "$BUILD/selftests/$program/$program" ] || continue
	say "the lines of C: $program"
	"$ROOT/scripts/vm.sh" --quiet --icount --kernel c -- \
		"$BUILD/selftests/$program/$program --seed 1 --cases $cases --jobs 2 >$work/lines" </dev/null
	[ "$(wc -l <"$work/lines")" -ge "$cases" ] || die "$program did not print $cases cases on the C kernel"
	mv "$work/lines" "$work/$program.c.lines"
done

# A test that fails without a fault would catch anything. Not asked again for
# faults that are tried one by one.
put_in ''
build || { tail -n 20 "$work/build.log" >&2; die "the kernel without a fault does not build"; }
cp "$object" "$work/sound.o"
[ $# -gt 0 ] || {
	caught=$(try kunit)
	[ "$caught" = nothing ] || die "the kernel without a fault is caught by $caught"
	say "the kernel without a fault: nothing is caught"
}

# Says what becomes of fault $1; fails if it is not caught.
look()
{
	local caught
	put_in "$1"
	caught=
	[ -n "$by" ] || caught=$(host_test "$1")
	if [ -n "$caught" ]; then
		: # It needs no kernel.
	elif ! build; then
		tail -n 20 "$work/build.log" >&2
		caught="nothing: the kernel does not build"
	elif cmp -s "$object" "$work/sound.o"; then
		caught="nothing: it makes no difference to the object"
	else
		caught=$(try "${by:-$(known_test "$1")}")
	fi
	printf '%-24s %s\n' "$1" "$caught"
	[ "${caught%%:*}" != nothing ] || return
	[[ -n $by || $caught == "$(known_test "$1")"* ]] || say "$1: the patch names $(known_test "$1")"
}

: >"$work/table"
caught=0
for name in "${names[@]}"; do
	! look "$name" >"$work/line" || caught=$((caught + 1))
	tee -a "$work/table" <"$work/line"
done
say "$caught of ${#names[@]} faults caught"
[ "$caught" -eq "${#names[@]}" ]
