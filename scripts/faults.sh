#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Puts each fault of tests/faults/ into a copy of the Rust, builds a kernel with
# it, and runs the tests in its guest until one notices: faults.sh [NAME...]
#
#	faults.sh --check	only: every fault applies
#
# Prints a line for each fault with the test that caught it, and leaves them in
# build/faults/table. The exit status is 1 if a fault was not caught.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

work=$BUILD/faults
cases=2000

# A copy of the crate with fault $1.
put_in()
{
	rm -rf "$work/src"
	mkdir -p "$work/src"
	cp -a "$ROOT/rust" "$work/src/rust"
	# git must not take the copy for a part of our own repository.
	(cd "$work/src" && GIT_CEILING_DIRECTORIES=$work git apply "$ROOT/tests/faults/$1.patch") ||
		die "tests/faults/$1.patch does not apply: make it fit what the code has become"
	# One file of the crate that is newer is enough to build it.
	touch "$work/src/rust/seccomp.rs"
}

if [ "${1:-}" = --check ]; then
	# Apart from a run that is under way.
	work=$(mktemp -d "$BUILD/faults.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	for patch in "$ROOT"/tests/faults/*.patch; do
		put_in "$(basename "$patch" .patch)"
	done
	exit
fi

load_tools
[ $# -gt 0 ] || mapfile -t -- names < <(cd "$ROOT/tests/faults" && printf '%s\n' *.patch | sed 's/\.patch$//')
[ $# -eq 0 ] || names=("$@")
"$ROOT/scripts/kernel.sh" rust
"$ROOT/scripts/kernel.sh" c
"$ROOT/scripts/selftests.sh"
mkdir -p "$work"
[ -d "$BUILD/faulty-rust" ] || {
	cp -a "$BUILD/rust" "$BUILD/faulty-rust"
	rm -f "$BUILD/faulty-rust/seccomp-rust.config"
}

# The kernel build finds the crate in its usual place, which shows the copy to
# this build alone.
build()
{
	local user=()
	[ "$(id -u)" -eq 0 ] || user=(--user --map-root-user)
	unshare --mount "${user[@]}" sh -c 'mount --bind "$1" "$2" && "$3" faulty-rust' \
		sh "$work/src/rust" "$ROOT/rust" "$ROOT/scripts/kernel.sh"
}

# In the guest: the tests one after the other, up to the first that fails, and
# fails again on its own, twice. One that fails by chance has caught nothing.
cat >"$work/guest" <<-END
	caught()
	{
		echo "\$1" >$work/caught
		exit 0
	}
	# A program of the harness and its arguments.
	suite()
	{
		local name test
		echo "\${1##*/}" >$work/suite
		while read -r name; do
			for test in 1 2; do
				"\$1" -r "\$name" 2>/dev/null | grep -aq '^not ok' || { echo "\${1##*/}: \$name" >>$work/chance; continue 2; }
			done
			caught "\${1##*/}: \$name"
		done < <("\$@" 2>/dev/null | sed -n 's/^not ok [0-9]* *//p')
	}
	echo kunit >$work/suite
	kunit=\$(grep -m 1 '^ *not ok' /sys/kernel/debug/kunit/seccomp_rust/results)
	[ -z "\$kunit" ] || caught "kunit: \${kunit##* }"
	cd $BUILD/selftests/kernel && suite ./seccomp_bpf
	cd $BUILD/selftests/seccomp_log && suite ./log_test -F no_audit
	suite ./sysctl_test
	echo oracle >$work/suite
	oracle()
	{
		$BUILD/selftests/seccomp_oracle/seccomp_oracle --seed 1 --cases $cases --jobs 2 | cmp $work/c.lines - 2>&1 | grep -o 'line [0-9]*'
	}
	line=\$(oracle)
	[ -z "\$line" ] || [ "\$line" != "\$(oracle)" ] || caught "oracle: \$line is not that of C"
	caught nothing
END

# Runs the tests on kernel $1; prints what caught it, "nothing" if nothing did.
try()
{
	local status=0
	rm -f "$work/suite" "$work/caught" "$work/chance"
	"$ROOT/scripts/vm.sh" --quiet --icount --timeout 400 --kernel "$1" -- "bash $work/guest" \
		</dev/null >"$work/vm.log" 2>&1 || status=$?
	case $status in
	126) printf '%s: %s\n' "$(cat "$work/suite" 2>/dev/null || echo boot)" \
		"splat: $(sed -n '/printed a splat/{n;s/^\[[^]]*\] *//;p}' "$work/vm.log" | tr -d '\r' | cut -c1-60)" ;;
	0) cat "$work/caught" ;;
	*) printf '%s: the guest hangs or ends\n' "$(cat "$work/suite" 2>/dev/null || echo boot)" ;;
	esac
}

say "the lines of C"
"$ROOT/scripts/vm.sh" --quiet --icount --kernel c -- \
	"$BUILD/selftests/seccomp_oracle/seccomp_oracle --seed 1 --cases $cases --jobs 2 >$work/c.lines"
[ "$(wc -l <"$work/c.lines")" -ge "$cases" ] || die "the oracle did not print $cases cases on the C kernel"
# A test that fails without a fault would catch anything.
caught=$(try rust)
[ "$caught" = nothing ] || die "the kernel without a fault is caught by $caught"
say "the kernel without a fault: nothing is caught"

failed=0
: >"$work/table"
for name in "${names[@]}"; do
	put_in "$name"
	build >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log" >&2; die "the kernel with tests/faults/$name.patch does not build"; }
	if cmp -s "$BUILD/rust/kernel/seccomp/rust/seccomp.o" "$BUILD/faulty-rust/kernel/seccomp/rust/seccomp.o"; then
		die "tests/faults/$name.patch makes no difference to the object"
	fi
	caught=$(try faulty-rust)
	[ "$caught" != nothing ] || failed=1
	printf '%-22s %s\n' "$name" "$caught" | tee -a "$work/table"
	[ ! -s "$work/chance" ] || say "$name: failed once, not again: $(sort -u "$work/chance" | tr '\n' ' ')"
done
total=$(wc -l <"$work/table")
say "$((total - $(grep -c ' nothing$' "$work/table" || true))) of $total faults caught"
exit "$failed"
