# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages out of another suite of Debian's archive; sourced, after common.sh.
# The system's own apt state is left alone, and root is not needed.

# The Debian mirror that the system itself uses.
debian_mirror()
{
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
		sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\([^ ]*\).*/\2/p' |
		grep '/debian/\?$' | head -n 1
}

# Puts the packages of a suite into a directory, all or none:
# debian_download SUITE DIRECTORY PACKAGE... Says why not on standard error.
debian_download()
{
	local suite=$1 to=$2 mirror log options state=$CACHE/apt-$1
	shift 2
	log=$BUILD/apt-$suite.log
	command -v apt-get >/dev/null || { echo "there is no apt-get" >&2; return 1; }
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || { echo "no Debian mirror among the system's sources" >&2; return 1; }
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
		"$mirror" "$suite" >"$state/sources.list"
	options=(
		-o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=-
		-o "Dir::State::Lists=$state/lists" -o "Dir::Cache=$state"
		-o APT::Sandbox::User=
	)
	rm -rf "$to.partial"
	mkdir -p "$to.partial"
	# An update that got nothing is a warning to apt; the download then fails.
	if ! (cd "$to.partial" && run_logged "$log" sh -c 'apt-get "$@" update' sh "${options[@]}") ||
		! (cd "$to.partial" && run_logged "$log" apt-get "${options[@]}" download "$@"); then
		grep -E '^(E|W):' "$log" >&2 || tail -n 5 "$log" >&2
		return 1
	fi
	mkdir -p "$to"
	mv "$to.partial/"*.deb "$to"
	rmdir "$to.partial"
}
