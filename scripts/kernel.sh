#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Configures and builds a kernel, build/NAME/arch/x86/boot/bzImage, or with ARCH in
# the environment that architecture's below build/ARCH/:
#
#	kernel.sh rust	with seccomp in Rust
#	kernel.sh c	the baseline: the same tree and configuration without
#	kernel.sh VARIANT-rust, kernel.sh VARIANT-c
#			the same with the options of configs/VARIANT.fragment
#
# More make targets may follow the name, in place of the image. EXTRA_FRAGMENT
# names a file of more options for the kernel's configuration.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools
# The tests put a make of their own before the real one.
PATH=${MAKE_PATH:+$MAKE_PATH:}$PATH

name=${1:?a kernel: rust or c}
shift
# What comes before the last dash, if any.
variant=${name%"${name##*-}"}
variant=${variant%-}
O=$BUILD/$name
CONFIG_STAMP=$O/seccomp-rust.config
# How many steps a build from nothing has, until this machine has had one.
FIRST_STEPS=2090

# The options of this kernel that are not the variant's.
base_options()
{
	cat "$ROOT/.config.fragment" "$ROOT/configs/arch/$ARCH.fragment"
	case ${name##*-} in
	rust) printf 'CONFIG_SECCOMP_RUST=y\nCONFIG_SECCOMP_RUST_KUNIT_TEST=y\n' ;;
	c) printf '# CONFIG_SECCOMP_RUST is not set\n# CONFIG_SECCOMP_LOG_ONCE is not set\n' ;;
	*) die "unknown kernel '$name': rust or c" ;;
	esac
	[ "$INLINE_HELPERS" = y ] || printf '# CONFIG_RUST_INLINE_HELPERS is not set\n'
}

# What is added to them. Unlike the others they bring in the defaults of what
# depends on them.
more_options()
{
	[ -z "$variant" ] || cat "$ROOT/configs/$variant.fragment"
	[ -z "${EXTRA_FRAGMENT:-}" ] || cat "$EXTRA_FRAGMENT"
}

configure()
{
	local fragment=$BUILD/$name.fragment option lost=
	{ base_options && more_options; } | last_words >"$fragment"
	# What was configured before stays, so that nothing is built for nothing.
	if [ -f "$CONFIG_STAMP" ] && cmp -s "$fragment" "$CONFIG_STAMP" &&
		! [ "$ROOT/Kconfig" -nt "$CONFIG_STAMP" ] && ! [ "$SHARED/linux.stamp" -nt "$CONFIG_STAMP" ]; then
		return
	fi
	say "configuring the $name kernel"
	# Until it is right, it is none.
	rm -f "$CONFIG_STAMP"
	# Not only what has a prompt is off unless it is asked for, but also what
	# that brings to light, most of which is on by default.
	base_options | last_words >"$O/base.fragment"
	KCONFIG_ALLCONFIG=$O/base.fragment make_kernel -s allnoconfig >/dev/null
	if [ -n "$(more_options)" ]; then
		"$KSRC/scripts/kconfig/merge_config.sh" -m -O "$O" "$O/.config" "$fragment" >/dev/null
		make_kernel -s olddefconfig
	fi
	while read -r option; do
		case $option in
		\#*) ! grep -q "^$(cut -d' ' -f2 <<<"$option")=" "$O/.config" || lost+=" $option;" ;;
		*) grep -qxF -- "$option" "$O/.config" || lost+=" $option;" ;;
		esac
	done <"$fragment"
	[ -z "$lost" ] || die "the kernel's configuration dropped$lost"
	cp "$fragment" "$CONFIG_STAMP"
}

[ -z "$variant" ] || [ -f "$ROOT/configs/$variant.fragment" ] || die "unknown kernel '$name': there is no configs/$variant.fragment"
"$ROOT/scripts/source.sh"

# The baseline shares all but a few objects with the other kernel, and a variant as
# many with the plain one as its options leave alone.
other=${name%c}rust
[ "$name" != "$other" ] && [ -d "$BUILD/$other" ] || other=rust
if ! [ -d "$O" ] && [ "$name" != "$other" ] && [ -f "$BUILD/$other/$image" ]; then
	say "starting the $name kernel from the objects of the $other kernel"
	rm -rf "$O.new"
	cp -a "$BUILD/$other" "$O.new"
	rm -f "$O.new/seccomp-rust.config" "$O.new/$image"
	# objtool, where there is one, is built by absolute paths. Were it built again, so would be all that
	# it has looked at.
	[ ! -d "$O.new/tools" ] || find "$O.new/tools" -name '.*.cmd' -exec sed -i "s,$BUILD/$other/,$O/,g" {} +
	mv "$O.new" "$O"
fi
mkdir -p "$O"
configure

[ $# -gt 0 ] || set -- "${image##*/}"
# How many steps the last first build of this kernel had, and how long it took.
history=$CACHE/builds${BUILD#"$SHARED"}/$name STEPS='' took='' begin=$SECONDS first=
if [ "$*" = "${image##*/}" ] && ! [ -f "$O/$image" ] && ! [ -f "$O/vmlinux" ]; then
	first=1
	[ ! -f "$history" ] || read -r STEPS took <"$history"
	STEPS=${STEPS:-$FIRST_STEPS}
fi
export STEPS
say "building the $name kernel ($*)${took:+: last time it took $(((took + 30) / 60)) min}"
if ! run_logged "$BUILD/$name.log" make_kernel -j"$(nproc)" "$@"; then
	printf 'error: the %s kernel does not build (all of the output: %s.log):\n' "$name" "${BUILD#"$ROOT"/}/$name" >&2
	# The first error and what the compiler says about it.
	grep -m 1 -A 12 -E '(^|[ :])(error(\[E[0-9]+\])?|fatal error):|undefined (symbol|reference)|No rule to make' "$BUILD/$name.log" >&2 ||
		tail -n 15 "$BUILD/$name.log" >&2
	exit 1
fi
if [ -n "$first" ]; then
	mkdir -p "$(dirname "$history")"
	printf '%d %d\n' "$(steps_in "$BUILD/$name.log")" $((SECONDS - begin)) >"$history"
fi
