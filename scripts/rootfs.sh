#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Makes the root file system of a guest of another architecture, against which what
# the guest runs is compiled as well, out of Debian's packages for it. They are
# unpacked, and none of their code is run: so neither root nor an emulator is needed.
# It is kept in the cache, where all clones share it; a guest cannot write to it.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$ROOT/scripts/debian.sh"

PACKAGES=(
	# What the guest starts by and the tests are written in.
	bash dash coreutils util-linux mount procps psmisc findutils grep sed mawk gzip tar diffutils hostname
	iproute2 libc-bin base-files base-passwd busybox python3-minimal libpython3-stdlib
	# Capabilities, names of system calls, other identities.
	libcap2 libcap2-bin libseccomp2 seccomp login
	# Programs that seccomp-learn is tried on.
	redis-server redis-tools git strace
	# What is compiled for it, by a compiler of this machine.
	libc6-dev "libgcc-$gcc_version-dev" libcap-dev libseccomp-dev
	# What QEMU boots it with.
	${firmware:+"$firmware"}
)

[ "$ARCH" != x86_64 ] || exit 0
directory=$(dirname "$ROOTFS")
mkdir -p "$directory"
# Two clones may want it at once.
exec 9>"$directory/lock"
flock 9
stamp="$suite $(sha256sum <"$ROOT/scripts/rootfs.sh")"
[ "$(cat "$directory/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

say "making a root file system for $ARCH of Debian's packages (150 MB)"
rm -rf "$directory/debs" "$ROOTFS.new"
debian_download_all "$suite" "$debian" "$directory/debs" "${PACKAGES[@]}" ||
	die "the packages of the root file system for $ARCH could not be had from Debian's $suite"

# The links are what Debian's usrmerge makes when the packages are configured.
for name in bin sbin lib lib64; do
	mkdir -p "$ROOTFS.new/usr/$name"
	ln -s "usr/$name" "$ROOTFS.new/$name"
done
mkdir -p "$ROOTFS.new"/{dev,proc,sys,run,tmp,root,mnt}
for deb in "$directory/debs"/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xf - -C "$ROOTFS.new" --keep-directory-symlink --no-same-owner --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale'
done
# What the packages' scripts would have done.
for name in passwd group; do
	cp "$ROOTFS.new/usr/share/base-passwd/$name.master" "$ROOTFS.new/etc/$name"
done
printf 'redis:x:100:100::/var/lib/redis:/usr/sbin/nologin\n' >>"$ROOTFS.new/etc/passwd"
printf 'redis:x:100:\n' >>"$ROOTFS.new/etc/group"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$ROOTFS.new/etc/hosts"
[ -e "$ROOTFS.new/usr/bin/awk" ] || ln -s mawk "$ROOTFS.new/usr/bin/awk"
[ -e "$ROOTFS.new/usr/bin/sh" ] || ln -s dash "$ROOTFS.new/usr/bin/sh"
rm -rf "$ROOTFS" "$directory/debs"
mv "$ROOTFS.new" "$ROOTFS"
printf '%s\n' "$stamp" >"$directory/stamp"
