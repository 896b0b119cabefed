#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# What seccomp costs a system call, in C and in Rust: boots both kernels with a
# clock that counts instructions, prints a table, and leaves it as JSON and as a
# bar chart in build/bench/. Exit status 1 when a figure is above its bound.
#
#	KVM=1		measure time as well, where KVM runs a guest
#	PROFILE=path	a container profile in place of containers/common's
#	LEARN=0		leave out how much the learning slows programs down
#	VARIANT=name	the kernels with configs/name.fragment on top, such as distro,
#			distro-outofline and outofline; left in build/bench-name/. No
#			row may take more than 1.15 of C there.
#	ARCH=name	the kernels of another architecture; on riscv64 and s390x, where
#			the helpers cannot be inlined, no row may take more than 1.15

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools
out=$BUILD/bench
tools=$ROOT/tools/bench
rounds=5
# A clock that counts instructions, idle time left out. All that could differ between
# two runs but for the kernel is fixed: the date, because the number of its digits
# takes its time.
counting='-icount shift=0,sleep=off -rtc base=2026-01-01,clock=vm'

# The kernels of a variant are measured as c and rust in a build directory of their
# own, which has the rest of this one by links.
if [ -n "${VARIANT:-}" ]; then
	"$ROOT/scripts/kernel.sh" "$VARIANT-rust"
	"$ROOT/scripts/kernel.sh" "$VARIANT-c"
	"$ROOT/scripts/selftests.sh"
	view=$BUILD/bench-$VARIANT
	# Where the view has this architecture's.
	view_build=$view${BUILD#"$SHARED"}
	mkdir -p "$view_build"
	for file in linux linux.stamp tools.env; do
		ln -sfn "$SHARED/$file" "$view/$file"
	done
	for file in kvm.known headers selftests; do
		[ ! -e "$BUILD/$file" ] || ln -sfn "$BUILD/$file" "$view_build/$file"
	done
	ln -sfn "$BUILD/$VARIANT-rust" "$view_build/rust"
	ln -sfn "$BUILD/$VARIANT-c" "$view_build/c"
	VARIANT='' BOUND=1.15 BUILT=1 LEARN=0 SECCOMP_RUST_BUILD=$view exec "$ROOT/scripts/bench.sh"
fi

# Their compilers make calls of the helpers, as in the variants.
case $ARCH in riscv64 | s390x) BOUND=${BOUND:-1.15} ;; esac

if [ -z "${BUILT:-}" ]; then
	"$ROOT/scripts/kernel.sh" rust
	"$ROOT/scripts/kernel.sh" c
fi
mkdir -p "$out"
rm -f "$out"/*.figures "$out"/*.time "$out"/bench.*

# Prints the file name of the profile that Debian's containers come with, after
# fetching it where need be.
fetch_profile()
{
	local package=golang-github-containers-common profile=$CACHE/src/containers-seccomp.json partial
	if ! [ -s "$profile" ]; then
		say "downloading a container profile ($package)"
		partial=$(mktemp -d "$BUILD/profile.XXXXXX")
		(cd "$partial" && apt-get -o APT::Sandbox::User= -q download "$package" >download.log 2>&1 &&
			dpkg-deb --fsys-tarfile "$package"_*.deb | tar -xOf - ./usr/share/containers/seccomp.json >seccomp.json) || {
			cat "$partial/download.log" >&2
			rm -rf "$partial"
			die "$package could not be had: name a container profile by PROFILE="
		}
		mkdir -p "$CACHE/src"
		mv "$partial/seccomp.json" "$profile"
		rm -rf "$partial"
	fi
	printf '%s\n' "$profile"
}

say "building what runs in the guest"
profile=${PROFILE:-$(fetch_profile)}
described=$("$tools/profile.py" "$profile" "$out/profile.bpf" "$ARCH") ||
	die "libseccomp's Python module could not compile $profile (Debian: python3-seccomp)"
say "the container profile: $described"
"$ROOT/scripts/selftests.sh"
make --silent -C "$tools" CC="$target_cc" OUTPUT="$out/bin" KHDR_INCLUDES="-isystem $BUILD/headers/include"

arguments=("$out/bin" "$BUILD/selftests/kernel/seccomp_benchmark" "$benchmark_calls" "$out/profile.bpf" "$KSRC/include")
oracle="$BUILD/selftests/seccomp_oracle/seccomp_oracle --seed 1 --cases 300 --jobs 1"

# The figures of kernel $1.
figures()
{
	"$ROOT/scripts/vm.sh" --kernel "$1" --cpus 1 --timeout 7200 \
		--qemu "$counting" \
		--append 'audit_backlog_limit=0' -- \
		"$tools/guest.sh ${arguments[*]} && $tools/stack.sh $oracle" >"$out/$1.figures" </dev/null &&
		"$tools/size.sh" "$1" >>"$out/$1.figures"
}

background figures c
figures rust || { wait; die "the rust kernel could not be measured"; }
wait $! || die "the c kernel could not be measured"

# By time: one kernel after the other, each several times, in turns.
if [ "${KVM:-}" = 1 ]; then
	if "$ROOT/scripts/vm.sh" --quiet -- true && [ "$(tail -n 1 "$BUILD/kvm.known" 2>/dev/null)" = yes ]; then
		for ((round = 1; round <= rounds; round++)); do
			for kernel in c rust; do
				"$ROOT/scripts/vm.sh" --kernel "$kernel" --cpus 1 --append 'audit_backlog_limit=0' -- \
					"$tools/guest.sh --time ${arguments[*]}" </dev/null >>"$out/$kernel.time"
			done
		done
	else
		say "KVM=1: KVM does not run a guest here, so no time is measured; the table below is of instructions"
	fi
fi

status=0
python3 "$tools/report.py" "$out" ${BOUND:+"$BOUND"} || status=$?

# The other table is of the learner, which runs on the rust kernel alone, by the same
# clock: once it has begun it waits for no file of this machine.
if [ "${LEARN:-1}" = 1 ]; then
	"$ROOT/scripts/learn.sh"
	say "how much slower programs are while they are learnt"
	"$ROOT/scripts/vm.sh" --cpus 1 --memory 2G --qemu "$counting" -- \
		"BOUND=110 $ROOT/samples/seccomp-learn/tests/bench.sh $LEARNER" </dev/null | tee "$out/learn.txt" || status=1
fi
exit "$status"
