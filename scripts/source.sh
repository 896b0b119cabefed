#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Puts a kernel tree with our patches into build/linux: the one that KDIR names,
# through a copy, or else the one that Debian packages, kept in the cache.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=scripts/debian.sh
. "$ROOT/scripts/debian.sh"

SUITE=trixie-backports
PACKAGE=linux-source-7.3
# What the tree in build/linux was made from.
STAMP=$SHARED/linux.stamp

# Prints the file name of the package with the kernel's source, after fetching
# it where need be.
fetch_package()
{
	local deb
	deb=$(find "$CACHE/src" -name "${PACKAGE}_*.deb" 2>/dev/null | sort -V | tail -n 1)
	if [ -z "$deb" ]; then
		say "downloading Linux 7.3's source ($PACKAGE, 160 MB)"
		debian_download "$SUITE" "$CACHE/src" "$PACKAGE" ||
			die "$PACKAGE could not be had from Debian's $SUITE: name a 7.3 kernel tree by KDIR="
		deb=$(find "$CACHE/src" -name "${PACKAGE}_*.deb" | sort -V | tail -n 1)
	fi
	printf '%s\n' "$deb"
}

# Whether KDIR is a git work tree, and not a directory of another's.
is_work_tree()
{
	[ "$(git -C "$KDIR" rev-parse --show-toplevel 2>/dev/null)" = "$KDIR" ]
}

# What KDIR, if there is one, is made of now, as far as it is copied.
state_of_kdir()
{
	if [ -z "${KDIR:-}" ]; then
		return
	elif [ -f "$KDIR" ]; then
		stat -c '%s %Y' "$KDIR"
	elif is_work_tree; then
		git -C "$KDIR" rev-parse HEAD
		git -C "$KDIR" diff HEAD
	else
		find "$KDIR" -type f -printf '%P %s %T@\n' | sort
	fi
}

# Puts the unpatched tree into directory $1.
unpack()
{
	local to=$1 deb
	mkdir "$to"
	if [ -n "${KDIR:-}" ]; then
		say "copying the kernel tree $KDIR"
		# A tree that was built in is taken without its products.
		if is_work_tree; then
			git -C "$KDIR" ls-files -z --cached --recurse-submodules |
				(cd "$KDIR" && tar --null --files-from=- --ignore-failed-read -cf -) | tar -xf - -C "$to"
		elif [ -f "$KDIR" ]; then
			tar -xf "$KDIR" -C "$to" --strip-components=1 2>"$BUILD/source.log" ||
				die "KDIR=$KDIR is no tarball: $(head -n 1 "$BUILD/source.log")"
		else
			cp -a "$KDIR/." "$to"
			make -s -C "$to" mrproper
		fi
	else
		deb=$(fetch_package)
		say "unpacking $(basename "$deb")"
		dpkg-deb --fsys-tarfile "$deb" |
			tar -xOf - ./usr/src/$PACKAGE.tar.xz | tar -xJf - -C "$to" --strip-components=1
	fi
	[ -f "$to/kernel/seccomp.c" ] || die "KDIR=$KDIR is no kernel tree (there is no kernel/seccomp.c)"
}

# Our patches on the tree in directory $1, all or none; says which does not fit.
patch_tree()
{
	local tree=$1 patch file
	mkdir "$scratch"
	# git must not take the directories for parts of our own repository.
	export GIT_CEILING_DIRECTORIES=$BUILD
	git -C "$scratch" apply --numstat "$ROOT"/patches/*.patch | cut -f3 | sort -u | while read -r file; do
		[ -f "$tree/$file" ] || continue
		mkdir -p "$scratch/$(dirname "$file")"
		cp "$tree/$file" "$scratch/$file"
	done
	for patch in "$ROOT"/patches/*.patch; do
		git -C "$scratch" apply "$patch" 2>"$BUILD/patch.log" || {
			sed 's/^/    /' "$BUILD/patch.log" >&2
			die "patches/$(basename "$patch") does not fit this kernel tree; nothing was changed"
		}
	done
	cp -a "$scratch/." "$tree"
	ln -sfn ../../.. "$tree/kernel/seccomp"
}

if [ -n "${KDIR:-}" ]; then
	KDIR=$(realpath "$KDIR")
	[ -f "$KDIR" ] || { [ -f "$KDIR/Kbuild" ] && [ -f "$KDIR/kernel/seccomp.c" ]; } ||
		die "KDIR=$KDIR is no kernel tree (there is no kernel/seccomp.c)"
fi

stamp="${KDIR:-$PACKAGE} $({ cat "$ROOT"/patches/*.patch && state_of_kdir; } | sha256sum | cut -d' ' -f1)"
if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$stamp" ]; then
	exit 0
fi

scratch=$BUILD/linux.patch
rm -rf "$KSRC.new" "$scratch"
# What ends early leaves nothing behind.
trap 'rm -rf "$KSRC.new" "$scratch"' EXIT
unpack "$KSRC.new"
patch_tree "$KSRC.new"
# The files keep their times, so that a tree that was unpacked again is not
# built again for that.
rm -rf "$KSRC" "$STAMP"
mv "$KSRC.new" "$KSRC"
printf '%s\n' "$stamp" >"$STAMP"
