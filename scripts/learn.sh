#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds seccomp-learn into build/learn/release/, with ARCH below build/ARCH/learn/.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$ROOT/scripts/debian.sh"
load_tools

# Rust's standard library for the other architecture, in directory $standard: the
# compiler's own, or Debian's beside Debian's compiler. It must be of the very same
# release, which the compiler checks.
find_standard_library()
{
	standard=$("$RUSTC" --print sysroot)/lib/rustlib/$rust_target/lib
	[ ! -d "$standard" ] || return 0
	local directory=$CACHE/rootfs/$ARCH/rust release
	release=$("$RUSTC" --version | cut -d' ' -f2)
	standard=$directory/$release/usr/lib/rustlib/$rust_target/lib
	[ ! -d "$standard" ] || return 0
	say "downloading Rust's standard library for $ARCH"
	rm -rf "$directory"
	mkdir -p "$directory/$release"
	{ debian_arch=$debian debian_download "$rust_suite" "$directory" libstd-rust-web-dev &&
		dpkg-deb -x "$directory"/*.deb "$directory/$release" && [ -d "$standard" ]; } ||
		die "there is no standard library of Rust $release for $rust_target, which seccomp-learn is built with" \
			"(Debian $rust_suite: libstd-rust-web-dev:$debian; rustup: rustup target add $rust_target)"
	rm "$directory"/*.deb
}

target=()
if [ -n "$rust_target" ]; then
	"$ROOT/scripts/rootfs.sh"
	find_standard_library
	target=(--target "$rust_target")
	variable=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$rust_target")
	export "${variable}_LINKER=clang" LIBSECCOMP_LIB_PATH="$ROOTFS/usr/lib/$triplet"
	export "${variable}_RUSTFLAGS=-L $standard -Clink-arg=--target=$triplet -Clink-arg=--sysroot=$ROOTFS -Clink-arg=-fuse-ld=lld"
fi

RUSTC=$RUSTC run_logged "$BUILD/learn.log" "$CARGO" build --release --locked "${target[@]}" \
	--manifest-path "$ROOT/samples/seccomp-learn/Cargo.toml" --target-dir "$BUILD/learn" || {
	grep -m 1 -A 12 '^error' "$BUILD/learn.log" >&2 || tail -n 12 "$BUILD/learn.log" >&2
	die "seccomp-learn does not build (all of the output: ${BUILD#"$ROOT"/}/learn.log)"
}
