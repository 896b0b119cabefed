#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packs what `make install` installs into a Debian package: deb.sh TARGET-DIRECTORY

set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath "$1")

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
description=$(sed -n 's/^description = "\(.*\)"$/\1/p' Cargo.toml)
arch=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

${MAKE:-make} -s install DESTDIR="$root" PREFIX=/usr TARGET="$target" >&2
mkdir -p "$root/usr/share/zsh/vendor-completions"
mv "$root"/usr/share/zsh/site-functions/_seccomp-learn "$root/usr/share/zsh/vendor-completions/"
rmdir "$root/usr/share/zsh/site-functions"
gzip -9n "$root/usr/share/man/man1/seccomp-learn.1"

doc=$root/usr/share/doc/seccomp-learn
mkdir -p "$doc"
cp README.md "$doc/"
cat >"$doc/copyright" <<END
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: GPL-2.0-only
 On Debian systems the text of this licence is in
 /usr/share/common-licenses/GPL-2.
END
chmod 644 "$doc"/*

# What the program is linked with, as versions of packages.
if command -v dpkg-shlibdeps >/dev/null; then
	mkdir "$root/debian"
	printf 'Source: seccomp-learn\n\nPackage: seccomp-learn\nArchitecture: any\n' >"$root/debian/control"
	depends=$(cd "$root" && dpkg-shlibdeps -O usr/bin/seccomp-learn 2>/dev/null | sed -n 's/^shlibs:Depends=//p')
	rm -r "$root/debian"
else
	depends="libc6, libseccomp2"
fi

mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: seccomp-learn
Version: $version
Architecture: $arch
Maintainer: seccomp-rust
Installed-Size: $(du -sk "$root/usr" | cut -f1)
Depends: $depends
Section: admin
Priority: optional
Description: $description
 It runs a program under a seccomp filter that records every system call, and
 writes an allowlist for runc, podman, systemd, minijail, seccompiler or
 libseccomp, which it can enforce as well. A list that may not be whole says so.
END
package=$target/seccomp-learn_${version}_$arch.deb
dpkg-deb --root-owner-group --build "$root" "$package" >&2
echo "$package"
