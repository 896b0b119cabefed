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
cases=400

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
"$ROOT/scripts/selftests.sh" >"$BUILD/selftests.log" 2>&1
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

# In the guest: the tests one after the other, up to the first that fails.
cat >"$work/guest" <<-END
	suite()
	{
		local name=\$1 said
		shift
		echo "\$name" >$work/suite
		said=\$("\$@" 2>/dev/null | grep -a -m 1 '^ *not ok')
		[ -z "\$said" ] || { echo "\$name: \$(sed 's/^ *not ok [0-9]* *//' <<<"\$said")" >$work/caught; exit 0; }
	}
	oracle()
	{
		$BUILD/selftests/seccomp_oracle/seccomp_oracle --seed 1 --cases $cases --jobs 2 | cmp $work/c.lines - |
			sed 's/.* line \\([0-9]*\\)/not ok 1 line \\1 is not that of C/'
	}
	suite kunit cat /sys/kernel/debug/kunit/seccomp_rust/results
	cd $BUILD/selftests/kernel && suite seccomp_bpf ./seccomp_bpf
	cd $BUILD/selftests/seccomp_log && suite log_test ./log_test -F no_audit
	suite sysctl_test ./sysctl_test
	suite oracle oracle
	echo nothing >$work/caught
END

# Runs the tests on kernel $1; prints what caught it, "nothing" if nothing did.
try()
{
	local status=0
	rm -f "$work/suite" "$work/caught"
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
done
total=$(wc -l <"$work/table")
say "$((total - $(grep -c ' nothing$' "$work/table" || true))) of $total faults caught"
exit "$failed"
