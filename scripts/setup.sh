#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Sees to it that all tools are there, and writes down which ones the other
# scripts are to use. Debian 12 is set up by itself; elsewhere it says what is
# missing. With --source the kernel tree is fetched and unpacked meanwhile.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

BINDGEN_VERSION=0.73.2
BINDGEN_MIN=0.71.1
VIRTME_NG_VERSION=1.42
RUSTC_MIN=1.85.0
LLVM_MIN=17

# What Debian 12 calls the packages, a line for each thing they are for.
DEBIAN_12=(
	# The kernel's Rust: a compiler, its core's source, one LLVM for all.
	rustc-web rust-web-src cargo-web rustfmt-web rust-web-clippy
	clang-22 lld-22 llvm-22 libclang-22-dev
	# The kernel's C, and what its build runs.
	make gcc libc6-dev flex bison bc cpio kmod xz-utils zstd rsync libelf-dev libssl-dev ccache patch git
	# The machine to boot it in.
	qemu-system-x86 python3-venv
	# The selftests: 32-bit callers, capabilities, names of system calls.
	gcc-multilib libcap-dev libseccomp-dev pkg-config
	# Programs that seccomp-learn is tried on.
	redis-server redis-tools
	# What make configs needs for MODVERSIONS and for DEBUG_INFO_BTF.
	libdw-dev pahole
	# What make bench compiles a container profile with, and compares the learner to.
	python3-seccomp strace
	# Scripts and what they are checked by.
	shellcheck util-linux bsdutils procps
)

# Which command each package above is missed by, for those without Debian 12.
NEEDED=(
	"make:GNU make" "gcc:a C compiler for host programs and selftests" "flex:flex" "bison:bison" "bc:bc"
	"cpio:cpio" "xz:xz" "git:git" "cargo:Rust's cargo"
	"qemu-system-x86_64:QEMU for x86-64" "python3:Python 3 with venv"
	"shellcheck:shellcheck" "script:script(1) of util-linux"
)

at_least()
{
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

is_debian_12()
{
	[ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ])
}

install_debian_packages()
{
	local missing=() package
	for package in "${DEBIAN_12[@]}" "${arch_packages[@]}"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
	done
	[ "${#missing[@]}" -gt 0 ] || return 0

	[ "$(id -u)" -eq 0 ] ||
		die "packages are missing, and only root can install them: apt-get install --no-install-recommends ${missing[*]}"

	say "installing ${#missing[@]} packages: ${missing[*]}"
	if ! run_logged "$BUILD/apt.log" env DEBIAN_FRONTEND=noninteractive sh -c '
		apt-get -q update &&
		apt-get -q install -y --no-install-recommends "$@"' sh "${missing[@]}"; then
		grep -E '^(E|W):' "$BUILD/apt.log" >&2 || tail -n 5 "$BUILD/apt.log" >&2
		die "apt-get could not install: ${missing[*]}"
	fi
}

# A Rust compiler with the source of its own core library.
find_rustc()
{
	local rustc found=
	for rustc in ${RUSTC:-/usr/bin/rustc rustc}; do
		command -v "$rustc" >/dev/null || continue
		found=$rustc
		[ -f "$("$rustc" --print sysroot)/lib/rustlib/src/rust/library/core/src/lib.rs" ] || continue
		RUSTC=$(command -v "$rustc")
		at_least "$RUSTC_MIN" "$("$rustc" --version | cut -d' ' -f2)" ||
			die "$("$rustc" --version) is too old for the kernel, which wants $RUSTC_MIN or newer"
		return
	done
	[ -n "$found" ] || die "no rustc: the kernel's Rust wants $RUSTC_MIN or newer (Debian 12: rustc-web, rust-web-src)"
	die "$(command -v "$found") comes without the source of core, which the kernel builds for itself:" \
		"install it (Debian 12: rust-web-src, Debian 13: rust-src, rustup: the component rust-src) or name another by RUSTC="
}

# A clang, if there is one of the same LLVM as rustc's: only those two can be
# made to inline C into Rust.
find_llvm()
{
	local want dir
	want=$("$RUSTC" -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
	for dir in "/usr/lib/llvm-$want/bin" $(printf '%s\n' /usr/lib/llvm-*/bin | sort -rV) "$(dirname "$(command -v clang || echo /none/none)")"; do
		if ! [ -x "$dir/clang" ] || ! [ -x "$dir/ld.lld" ] || ! [ -x "$dir/llvm-link" ]; then
			continue
		fi
		LLVM_MAJOR=$("$dir/clang" -dumpversion | cut -d. -f1)
		[ "$LLVM_MAJOR" -ge "$LLVM_MIN" ] || continue
		LLVM_BIN=$dir
		INLINE_HELPERS=$([ "$LLVM_MAJOR" = "$want" ] && echo y || echo n)
		[ "$INLINE_HELPERS" = y ] ||
			say "clang has LLVM $LLVM_MAJOR, rustc $want: helpers will not be inlined, the kernel will be slower"
		return
	done
	die "no clang with lld and llvm of $LLVM_MIN or newer, which the kernel is built with (Debian 12: clang-$want lld-$want llvm-$want)"
}

have_bindgen()
{
	[ -n "${BINDGEN:-}" ] ||
		[ "$("$CACHE/tools/bin/bindgen" --version 2>/dev/null | cut -d' ' -f2)" = "$BINDGEN_VERSION" ]
}

build_bindgen()
{
	RUSTC=$RUSTC "$CARGO" install --locked --force --root "$CACHE/tools" --version "$BINDGEN_VERSION" bindgen-cli
}

have_virtme_ng()
{
	[ "$("$CACHE/tools/venv/bin/vng" --version 2>/dev/null | grep -o '[0-9.]*' | head -n 1)" = "$VIRTME_NG_VERSION" ]
}

install_virtme_ng()
{
	local venv=$CACHE/tools/venv
	rm -rf "$venv"
	"$(command -v /usr/bin/python3 || command -v python3)" -m venv "$venv" &&
		"$venv/bin/pip" install "virtme-ng==$VIRTME_NG_VERSION"
}

have_source()
{
	[ -z "$with_source" ] || { [ -z "${KDIR:-}" ] && [ -f "$SHARED/linux.stamp" ]; }
}

get_source()
{
	"$ROOT/scripts/source.sh"
}

# What a job that failed was to do, and why nothing goes without it.
what_for()
{
	case $1 in
	build_bindgen) echo "bindgen $BINDGEN_VERSION could not be built; it makes Rust's view of the kernel's C" ;;
	install_virtme_ng) echo "virtme-ng $VIRTME_NG_VERSION could not be installed; it boots the kernel (needs Python's venv and pip)" ;;
	get_source) echo "the kernel tree could not be had" ;;
	esac
}

# Runs the jobs, which are functions, at the same time. Each has a log; of one that
# fails the name is left in $BUILD/setup.failed.
side_by_side()
{
	local job pid pids=() failed=0
	rm -f "$BUILD/setup.failed"
	for job; do
		{
			begin=$SECONDS
			if "$job" >"$BUILD/$job.log" 2>&1; then
				echo "${job//_/ }: done after $((SECONDS - begin)) s"
			else
				echo "$job" >>"$BUILD/setup.failed"
				exit 1
			fi
		} &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || failed=1
	done
	return "$failed"
}

do_jobs()
{
	local job
	[ $# -gt 0 ] || return 0
	say "side by side: $(printf '%s, ' "${@//_/ }" | sed 's/, $//') (bindgen takes a minute or two, the source is 160 MB)"
	run_logged "$BUILD/setup.log" side_by_side "$@" && return
	job=$(head -n 1 "$BUILD/setup.failed")
	if ! grep '^error: ' "$BUILD/$job.log" >&2; then
		tail -n 5 "$BUILD/$job.log" >&2
	fi
	die "$(what_for "$job")"
}

with_source=
[ "${1:-}" != --source ] || with_source=1

[ "$(uname -m)" = x86_64 ] || die "this is $(uname -m): the kernel is built and booted on x86-64 alone"

if is_debian_12; then
	install_debian_packages
else
	missing=()
	if [ "$ARCH" != x86_64 ]; then
		NEEDED+=("$QEMU:QEMU for $ARCH")
	fi
	for entry in "${NEEDED[@]}"; do
		command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
	done
	[ "${#missing[@]}" -eq 0 ] ||
		die "missing: $(printf '%s, ' "${missing[@]}")and maybe the development files of libelf, openssl, libcap (32-bit C library for the selftests): please install them"
fi

find_rustc
find_llvm
# Cargo of the same release as the compiler, if there is one beside it.
CARGO=$(dirname "$RUSTC")/cargo
[ -x "$CARGO" ] || CARGO=$(command -v cargo) || die "no cargo, which builds bindgen and seccomp-learn (Debian 12: cargo-web)"
[ -z "${BINDGEN:-}" ] ||
	at_least "$BINDGEN_MIN" "$("$BINDGEN" --version workaround-for-0.69.0 | cut -d' ' -f2)" ||
	die "$("$BINDGEN" --version workaround-for-0.69.0) is too old for the kernel, which wants $BINDGEN_MIN or newer"

wanted=()
have_bindgen || wanted+=(build_bindgen)
have_virtme_ng || wanted+=(install_virtme_ng)
have_source || wanted+=(get_source)
do_jobs "${wanted[@]}"
BINDGEN=${BINDGEN:-$CACHE/tools/bin/bindgen}

cat >"$TOOLS.new" <<-END
	RUSTC=$RUSTC
	CARGO=$CARGO
	LLVM_BIN=$LLVM_BIN
	INLINE_HELPERS=$INLINE_HELPERS
	BINDGEN=$BINDGEN
	CCACHE=$(command -v ccache || true)
END
# Only a change makes anything be built again.
if cmp -s "$TOOLS.new" "$TOOLS"; then rm "$TOOLS.new"; else mv "$TOOLS.new" "$TOOLS"; fi
