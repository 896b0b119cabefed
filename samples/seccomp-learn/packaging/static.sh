#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the program without shared libraries: static.sh TARGET-DIRECTORY
#
# With musl where rustc has its standard library and LIBSECCOMP_MUSL names a
# directory with a libseccomp.a that was built for it (configure CC=musl-gcc
# --enable-static); with the C library of the machine otherwise.

set -euo pipefail
cd "$(dirname "$0")/.."
target=$1
machine=$(uname -m)
RUSTC=${RUSTC:-rustc}

if [[ -n ${LIBSECCOMP_MUSL:-} ]]; then
	triple=$machine-unknown-linux-musl
	export LIBSECCOMP_LIB_PATH=$LIBSECCOMP_MUSL
else
	triple=$machine-unknown-linux-gnu
	library=$(${CC:-cc} -print-file-name=libseccomp.a)
	[[ -f $library ]] || { echo "error: no libseccomp.a (Debian: libseccomp-dev)" >&2; exit 1; }
	LIBSECCOMP_LIB_PATH=$(dirname "$(realpath "$library")")
	export LIBSECCOMP_LIB_PATH
	export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
fi
export LIBSECCOMP_LINK_TYPE=static
[[ -d $("$RUSTC" --print sysroot)/lib/rustlib/$triple ]] ||
	{ echo "error: rustc has no standard library for $triple" >&2; exit 1; }
"${CARGO:-cargo}" build --release --locked --target "$triple" --target-dir "$target" >&2
echo "$target/$triple/release/seccomp-learn"
