#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Bad input and trouble: every one must end in a clear line and a non-zero exit,
# nothing half done. Prints KTAP.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
load_tools
# shellcheck source=/dev/null
. "$KSRC/tools/testing/selftests/kselftest/ktap_helpers.sh"

work=$(mktemp -d "$BUILD/trouble.XXXXXX")
trap 'rm -rf "$work"' EXIT
output=$work/output

# Runs a command in a build directory of its own: its name as a test, the exit
# status ("fail" for any but 0), a pattern for what it says, the command.
expect()
{
	local name=$1 want=$2 pattern=$3 status=0
	shift 3
	"$@" >"$output" 2>&1 </dev/null || status=$?
	if { [ "$want" = fail ] && [ "$status" -ne 0 ] || [ "$status" = "$want" ]; } && grep -qE -- "$pattern" "$output"; then
		ktap_test_pass "$name"
	else
		printf '# exit status %s (wanted %s), wanted in the output: %s\n' "$status" "$want" "$pattern"
		sed 's/^/# /' "$output"
		ktap_test_fail "$name"
	fi
}

# A place that has our sources and tools, but no kernel.
elsewhere()
{
	local build=$work/build.$1
	mkdir -p "$build"
	cp "$TOOLS" "$build/"
	shift
	SECCOMP_RUST_BUILD=$build "$@"
}

# A place that has a kernel tree as well, the one we have.
with_tree()
{
	mkdir -p "$work/build.tree"
	[ -e "$work/build.tree/linux" ] || ln -s "$KSRC" "$work/build.tree/linux"
	cp "$BUILD/linux.stamp" "$work/build.tree/"
	elsewhere tree "$@"
}

scripts=$ROOT/scripts

ktap_print_header
ktap_set_plan 35

# The kernel tree.
mkdir "$work/no-tree"
expect "KDIR that is no kernel tree" fail 'no kernel tree' \
	elsewhere kdir env KDIR="$work/no-tree" "$scripts/source.sh"
expect "KDIR that is no tarball" fail 'no tarball' \
	elsewhere kdir env KDIR="$ROOT/README.md" "$scripts/source.sh"
tar -cf "$work/other.tar" -C "$ROOT" README.md
expect "KDIR that is a tarball of something else" fail 'no kernel tree' \
	elsewhere kdir env KDIR="$work/other.tar" "$scripts/source.sh"

# A tree of those files that the patches touch, one of them from another kernel.
mkdir -p "$work/other-tree"
git apply --numstat "$ROOT"/patches/*.patch | cut -f3 | sort -u | while read -r file; do
	mkdir -p "$work/other-tree/$(dirname "$file")"
	cp "$KSRC/$file" "$work/other-tree/$file"
done
export GIT_CEILING_DIRECTORIES=$BUILD
for patch in $(printf '%s\n' "$ROOT"/patches/*.patch | sort -r); do
	git -C "$work/other-tree" apply -R "$patch"
done
# By these two the scripts know a kernel tree.
touch "$work/other-tree/Kbuild"
cp "$KSRC/kernel/seccomp.c" "$work/other-tree/kernel/"
printf 'mrproper:\n' >"$work/other-tree/Makefile"
cp -a "$work/other-tree" "$work/good-tree"
sed -i 's/seccomp\.o/seccomp_old.o/' "$work/other-tree/kernel/Makefile"
before=$(cd "$work/other-tree" && find . -type f -exec sha256sum {} + | sort)
printf '%s\n' "$before" >"$work/before"
expect "KDIR that the patches do not fit: says which" fail 'patches/[0-9]+-.*does not fit' \
	elsewhere kdir env KDIR="$work/other-tree" "$scripts/source.sh"
expect "... and leaves no tree behind" 0 '^$' \
	sh -c "ls '$work/build.kdir' | grep -q '^linux' && echo left || echo"
expect "... and the tree as it was" 0 '^same$' \
	sh -c "cd '$work/other-tree' && find . -type f -exec sha256sum {} + | sort | cmp -s - '$work/before' && echo same"
expect "KDIR that they fit: patched in a copy" 0 '' \
	elsewhere fit env KDIR="$work/good-tree" "$scripts/source.sh"
expect "... the copy descends into our directory" 0 'SECCOMP_RUST' \
	grep SECCOMP_RUST "$work/build.fit/linux/kernel/Makefile"
expect "... the tree itself does not" 1 '^$' \
	sh -c "grep -q SECCOMP_RUST '$work/good-tree/kernel/Makefile'; r=\$?; echo; exit \$r"
echo >>"$work/good-tree/kernel/seccomp.c"
expect "... and copied again when it has changed" 0 'copying the kernel tree' \
	elsewhere fit env KDIR="$work/good-tree" "$scripts/source.sh"
expect "... but not when it has not" 0 '^same$' \
	elsewhere fit env KDIR="$work/good-tree" sh -c '"$1" 2>&1 | grep -q copying || echo same' sh "$scripts/source.sh"
expect "KDIR below another git repository" 0 'copying the kernel tree' \
	elsewhere below env -u GIT_CEILING_DIRECTORIES KDIR="$work/good-tree" "$scripts/source.sh"

# The tools.
mkdir "$work/rust"
printf '#!/bin/sh\ncase $1 in --print) echo %s;; *) exec %s "$@";; esac\n' "$work/rust" "$RUSTC" >"$work/rust/rustc"
printf '#!/bin/sh\necho bindgen 0.60.1\n' >"$work/rust/bindgen"
chmod +x "$work/rust/"*
expect "rustc without the source of core" fail 'without the source of core' \
	elsewhere tools env RUSTC="$work/rust/rustc" "$scripts/setup.sh"
expect "bindgen that is too old" fail '0\.60\.1 is too old' \
	elsewhere tools env BINDGEN="$work/rust/bindgen" "$scripts/setup.sh"

mkdir -p "$work/broken" "$work/cache/seccomp-rust/tools/venv/bin"
printf '#!/bin/sh\nexec %s "$@"\n' "$RUSTC" >"$work/broken/rustc"
printf '#!/bin/sh\necho "error: no network"\nexit 101\n' >"$work/broken/cargo"
printf '#!/bin/sh\necho "virtme-ng 1.42"\n' >"$work/cache/seccomp-rust/tools/venv/bin/vng"
chmod +x "$work/broken/"* "$work/cache/seccomp-rust/tools/venv/bin/vng"
expect "bindgen that cannot be built: says which, and why" fail 'error: no network' \
	elsewhere tools env XDG_CACHE_HOME="$work/cache" RUSTC="$work/broken/rustc" "$scripts/setup.sh"
cp "$output" "$work/said"
expect "... and what it is for" 0 'bindgen .* could not be built' cat "$work/said"

# Other architectures.
expect "an ARCH that is none: says which there are" fail "no architecture 'z80'.* x86_64 arm64 riscv64 s390x" \
	elsewhere arch env ARCH=z80 "$scripts/vm.sh" -- true
expect "an emulator that is missing: says what to install" fail 'no no-such-qemu, the emulator for arm64: .*install qemu-system-arm ' \
	elsewhere arch env ARCH=arm64 QEMU=no-such-qemu "$scripts/vm.sh" -- true
expect "packages for a guest that cannot be had: says so" fail 'could not be had' \
	elsewhere arch env ARCH=arm64 XDG_CACHE_HOME="$work/cache" http_proxy=http://127.0.0.1:1 "$scripts/rootfs.sh"

# The kernel.
printf 'CONFIG_NO_SUCH_OPTION=y\n' >"$work/fragment"
expect "an option that the configuration drops" fail 'dropped.*CONFIG_NO_SUCH_OPTION=y' \
	with_tree env EXTRA_FRAGMENT="$work/fragment" "$scripts/kernel.sh" rust
mkdir "$work/bin"
cat >"$work/bin/make" <<-'END'
	#!/bin/sh
	case "$*" in *bzImage*) ;; *) exec /usr/bin/make "$@" ;; esac
	echo '  CC      kernel/a.o'
	echo 'warning: 1 warning'
	echo 'error[E0308]: mismatched types'
	echo '  --> kernel/seccomp/rust/log.rs:1:1'
	echo 'make: *** Error 2'
	exit 2
END
chmod +x "$work/bin/make"
expect "a build that fails: the first error is shown" fail 'error\[E0308\]: mismatched types' \
	with_tree env MAKE_PATH="$work/bin" "$scripts/kernel.sh" rust
expect "a target that is not there" fail 'No rule to make target' \
	with_tree "$scripts/kernel.sh" rust kernel/seccomp/rust/no-such-file.o
# It is ended when the compiler, in place of which it has sleep, runs; by a signal that is not
# ignored where the tests run in the background.
cat >"$work/interrupted" <<-END
	set -m
	(
		. "$scripts/common.sh"
		build() { sh -c 'echo \$\$ >"$work/compiler"; exec sleep 1000' && true; }
		run_logged "$work/interrupted.log" build
	) &
	until [ -s "$work/compiler" ]; do sleep 0.1; done
	kill -TERM \$!
	wait \$! || echo "ended by \$?"
	for ((n = 0; n < 600; n++)); do
		kill -0 "\$(cat "$work/compiler")" 2>/dev/null || { echo gone; exit; }
		sleep 0.1
	done
END
expect "a build that is ended leaves nothing that runs" 0 '^gone$' bash "$work/interrupted"

# The tests: a guest that has nothing against it but by vm.sh.
mkdir "$work/part"
printf '#!/bin/sh\nprintf "TAP version 14\\n1..1\\nok 1 one\\n"\necho "error: the kernel printed a splat" >&2\nexit 126\n' >"$work/part/vm.sh"
chmod +x "$work/part/vm.sh"
# shellcheck disable=SC2016
part='. "$1/common.sh"; out=$2; . "$1/parts.sh"; part one "$2/vm.sh"; python3 "$1/ktap.py" summary "$2"/*.ktap'
expect "a splat behind the last result fails" 1 '^1 passed, 1 failed' bash -c "$part" bash "$scripts" "$work/part"
cp "$output" "$work/said"
expect "... and is shown" 0 'error: the kernel printed a splat' cat "$work/said"

# The guest.
expect "no kernel to boot" fail 'make kernel' \
	elsewhere none "$scripts/vm.sh" -- true
expect "the command's exit status" 42 'said' \
	"$scripts/vm.sh" --icount -- 'echo said; exit 42'
expect "a guest that cannot boot: the console is shown" 126 'Unable to mount root' \
	"$scripts/vm.sh" --icount --append 'rootflags=version=none' -- true
expect "a kernel that dies before it has its console: what it said is shown" 126 'System is deadlocked on memory' \
	"$scripts/vm.sh" --icount --append 'mem=24M' -- true
expect "a splat on the console" 126 'BUG: this is a test' \
	"$scripts/vm.sh" --icount -- 'echo "BUG: this is a test" >/dev/kmsg'
expect "a guest that ends before its command" 125 'ended before its command' \
	"$scripts/vm.sh" --icount -- 'kill -9 $PPID'
expect "a guest that hangs" 125 'the guest hung' \
	"$scripts/vm.sh" --timeout 20 -- 'sleep 1000'
# QEMU's -S is a machine whose CPUs are never started.
expect "a guest that stands still" 125 'the guest stood still: no CPU used and nothing said for 3 s' \
	"$scripts/vm.sh" --still 3 --qemu -S -- true
expect "... is not one that waits" 0 'woke' \
	"$scripts/vm.sh" --icount --still 10 -- 'sleep 20; echo woke'
expect "icount with more than one CPU, which can stand still" fail 'one CPU' \
	"$scripts/vm.sh" --cpus 2 --icount -- true
ktap_finished
