# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages out of another suite of Debian's archive, or of another architecture;
# sourced, after common.sh. The system's own apt state is left alone, and root is
# not needed.

# The Debian mirror that the system itself uses.
debian_mirror()
{
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\([^ ]*\).*/\2/p' |
		grep "/debian/\\?\$" | head -n 1
}

# Prepares apt for suite $1 and, unless that is this machine's, architecture $2:
# $options for apt-get, and its state in directory $state.
debian_apt()
{
	local suite=$1 arch=${2:-} mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
	state=$CACHE/apt-$suite${arch:+-$arch}
	command -v apt-get >/dev/null || { echo "there is no apt-get" >&2; return 1; }
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || { echo "no Debian mirror among the system's sources" >&2; return 1; }
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$mirror" "$suite" >"$state/sources.list"
	options=(
		-o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=-
		-o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state"
		-o APT::Sandbox::User=
	)
	if [ -n "$arch" ]; then
		# Nothing is installed there. A guest is on no network: it does without the
		# updates of debian-security.
		: >"$state/status"
		options+=(
			-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$state"
			-o "Dir::State::Status=$state/status" -o Debug::NoLocking=1
		)
	fi
}

# Why apt-get failed, from its log.
debian_why()
{
	grep -m 5 -E '^(E|W):' "$1" >&2 || tail -n 5 "$1" >&2
}

# Puts the packages of a suite into a directory, all or none:
# debian_download SUITE DIRECTORY PACKAGE... Says why not on standard error. In
# debian_arch is an architecture, where it is not this machine's.
debian_download()
{
	local suite=$1 to=$2 log=$BUILD/apt-$1.log options state
	shift 2
	debian_apt "$suite" "${debian_arch:-}" || return
	rm -rf "$to.partial"
	mkdir -p "$to.partial"
	# An update that got nothing is a warning to apt; the download then fails.
	if ! (cd "$to.partial" && run_logged "$log" sh -c 'apt-get "$@" update' sh "${options[@]}") ||
		! (cd "$to.partial" && run_logged "$log" apt-get "${options[@]}" download "$@"); then
		debian_why "$log"
		return 1
	fi
	mkdir -p "$to"
	mv "$to.partial/"*.deb "$to"
	rmdir "$to.partial"
}

# The same for an architecture, with all that the packages depend on:
# debian_download_all SUITE ARCHITECTURE DIRECTORY PACKAGE...
debian_download_all()
{
	local suite=$1 arch=$2 to=$3 log=$BUILD/apt-$1.log options state
	shift 3
	debian_apt "$suite" "$arch" || return
	rm -f "$state/archives/"*.deb
	if ! run_logged "$log" apt-get "${options[@]}" -o APT::Update::Error-Mode=any update ||
		! run_logged "$log" apt-get "${options[@]}" -y --no-install-recommends --download-only install "$@"; then
		debian_why "$log"
		return 1
	fi
	mkdir -p "$to"
	mv "$state/archives/"*.deb "$to"
}
