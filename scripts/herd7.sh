#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Sees to it that there is a herd7 new enough for the kernel's memory model, and
# prints the command. Debian has one in its newer suites only, where it comes
# with a newer C library: so it is unpacked into the cache, with that library,
# and run by that library's own loader. Nothing is installed.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$ROOT/scripts/debian.sh"

# What tools/memory-model/README of the kernel tree asks for.
HERD7_MIN=7.58
SUITE=forky
home=$CACHE/herd7 new=$CACHE/herd7.new

new_enough()
{
	local version
	version=$("$1" -version 2>/dev/null | grep -oE '^[0-9.]+') &&
		[ "$(printf '%s\n' "$HERD7_MIN" "$version" | sort -V | head -n 1)" = "$HERD7_MIN" ]
}

# Unpacks the downloaded packages, herd7 and its models alone out of its own, and
# writes the command that runs it.
unpack()
{
	local deb loader
	for deb in "$new/deb/"*.deb; do
		case $(basename "$deb") in
		herdtools7_*)
			dpkg-deb --fsys-tarfile "$deb" |
				tar -xf - -C "$new" ./usr/bin/herd7 ./usr/share/herdtools7/herd
			;;
		*)
			dpkg-deb -x "$deb" "$new"
			;;
		esac
	done
	rm -rf "$new/deb"
	loader=$(cd "$new" && find usr/lib -name 'ld-linux*.so*' | head -n 1)
	[ -n "$loader" ] || die "Debian's libc6 has no loader where it is looked for"
	mkdir "$new/bin"
	cat >"$new/bin/herd7" <<-EOF
		#!/bin/sh
		exec "$home/$loader" --library-path "$home/$(dirname "$loader")" "$home/usr/bin/herd7" \\
			-set-libdir "$home/usr/share/herdtools7/herd" "\$@"
	EOF
	chmod +x "$new/bin/herd7"
}

for herd7 in herd7 "$home/bin/herd7"; do
	if new_enough "$herd7"; then
		command -v "$herd7"
		exit
	fi
done

say "downloading herd7 ($SUITE's herdtools7, 40 MB)"
rm -rf "$home" "$new"
trap 'rm -rf "$new"' EXIT
mkdir -p "$new"
debian_download "$SUITE" "$new/deb" herdtools7 libc6 libgmp10 ||
	die "herd7 could not be had from Debian's $SUITE: put herd7 $HERD7_MIN or newer on PATH"
unpack
mv "$new" "$home"
new_enough "$home/bin/herd7" || die "herd7 of Debian's $SUITE does not run here: put herd7 $HERD7_MIN or newer on PATH"
echo "$home/bin/herd7"
