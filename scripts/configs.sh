#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Compiles seccomp, in Rust and what of it is C, in many configurations of the
# kernel, without a warning, and boots those that change code that runs:
#
#	configs.sh		all of configs/matrix, RANDOM_CONFIGS (20) random ones
#				from SEED (1), and the boots
#	configs.sh NAME...	these of configs/matrix, random-SEED, arch-ARCHITECTURE
#				or boot-VARIANT
#
# Prints KTAP. What the kernel's configuration does not allow is skipped, with
# what was asked for and not had. All of one architecture but the boots share one
# directory of objects, build/configs, where what two configurations have in common
# stays.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"
load_tools

matrix=$ROOT/configs/matrix
O=$BUILD/configs
log=$O.log
# The kernels that are booted: configs/VARIANT.fragment.
boots=(cfi distro rt outofline)

# The words of configs/matrix as lines of a configuration: X, X=value, !X.
as_options()
{
	local word
	for word; do
		case $word in
		!*) printf '# CONFIG_%s is not set\n' "${word#!}" ;;
		*=*) printf 'CONFIG_%s\n' "$word" ;;
		*) printf 'CONFIG_%s=y\n' "$word" ;;
		esac
	done
}

has()
{
	grep -qx "CONFIG_$1=y" "$O/.config"
}

# The plain configuration of architecture $1, which those of configs/matrix change.
base()
{
	cat "$ROOT/.config.fragment" "$ROOT/configs/arch/$1.fragment"
	as_options SECCOMP_RUST SECCOMP_RUST_KUNIT_TEST
	[ "$INLINE_HELPERS" = y ] || as_options !RUST_INLINE_HELPERS
}

# Those of the words that the configuration does not have.
not_had()
{
	local word lost=
	for word; do
		case $word in
		!*) ! grep -q "^CONFIG_${word#!}=" "$O/.config" || lost+=" $word" ;;
		*=*) grep -qxF "CONFIG_$word" "$O/.config" || lost+=" $word" ;;
		*) has "$word" || lost+=" $word" ;;
		esac
	done
	printf '%s' "$lost"
}

# The first thing that went wrong, as lines of a KTAP comment.
why()
{
	{ grep -m 1 -A 8 -E '(^|[ :])(error(\[E[0-9]+\])?|fatal error|warning):|No rule to make' "$log" || tail -n 5 "$log"; } |
		cut -c1-160 | sed 's/^/# /'
}

number=0 failed=0
result()
{
	number=$((number + 1))
	[[ $1 == ok ]] || failed=1
	printf '%s %d %s\n' "$1" "$number" "$2"
}

# The warnings of the last build, and ours of the one before, which compiles the
# helpers. The tree asks rustc for a feature of s390's which that warns of with each
# crate.
warnings()
{
	{ grep 'warning:' "$log"; cat "$log.ours"; } | grep -vE 'specified for .-Ctarget-feature.: .backchain|warnings? emitted'
}

# Compiles in the configuration that $O has: name of the test.
compile()
{
	local name=$1 targets=()
	rm -rf "$O/kernel/seccomp" "$O/kernel/seccomp.o"
	if has SECCOMP_RUST; then
		targets+=(kernel/seccomp/)
	elif ! has SECCOMP; then
		result ok "$name # SKIP there is no seccomp in it"
		return
	fi
	# The C is built beside the Rust, unless that stands in for all of it.
	if ! has SECCOMP_RUST || grep -qx 'obj-$(CONFIG_SECCOMP) += seccomp.o' "$KSRC/kernel/Makefile"; then
		targets+=(kernel/seccomp.o)
	fi
	if ! make_kernel -j"$(nproc)" prepare >"$log" 2>&1; then
		# Ours, or what the tree cannot build in this configuration?
		if has SECCOMP_RUST && ! grep -q 'kernel/seccomp' "$log"; then
			cp "$O/.config" "$O.with"
			"$KSRC/scripts/config" --file "$O/.config" -d SECCOMP_RUST
			if make_kernel -s olddefconfig >"$log" 2>&1 && ! make_kernel -j"$(nproc)" prepare >"$log" 2>&1; then
				why
				result ok "$name # SKIP the tree does not build in this configuration, without SECCOMP_RUST as little"
				return
			fi
			cp "$O.with" "$O/.config"
			make_kernel prepare >"$log" 2>&1 || true
		fi
		why
		result 'not ok' "$name"
		return
	fi
	grep 'kernel/seccomp.*warning:' "$log" >"$log.ours" || true
	if make_kernel "${targets[@]}" >"$log" 2>&1 && ! warnings >/dev/null; then
		result ok "$name: ${targets[*]}"
	else
		sed 's/^/# /' "$log.ours"
		why
		result 'not ok' "$name: ${targets[*]}"
	fi
}

# One of configs/matrix: its name.
named()
{
	local name=$1 words lost
	read -r -a words < <(sed -n "s/^$name:[[:space:]]*//p" "$matrix")
	[ "${#words[@]}" -gt 0 ] || die "no configuration '$name' in configs/matrix"
	{ base x86_64 && as_options "${words[@]}"; } | last_words >"$O.fragment"
	KCONFIG_ALLCONFIG=$O.fragment make_kernel -s allnoconfig >"$log" 2>&1
	lost=$(not_had "${words[@]}")
	if [ -n "$lost" ]; then
		result ok "$name # SKIP cannot be had here:$lost"
	else
		compile "$name"
	fi
}

# For architecture $1, in its plain configuration.
architecture()
{
	local O=$O-$1
	local log=$O.log karch lost words
	[ -f "$ROOT/configs/arch/$1.fragment" ] || die "no architecture '$1' in configs/arch"
	# shellcheck disable=SC2016
	karch=$(ARCH=$1 bash -c '. "$0" && echo "$karch"' "$ROOT/scripts/arch.sh")
	mkdir -p "$O"
	base "$1" | last_words >"$O.fragment"
	KCONFIG_ALLCONFIG=$O.fragment make_kernel -s allnoconfig >"$log" 2>&1
	mapfile -t words < <(sed -n 's/^CONFIG_\(.*\)=y$/\1/p' "$O.fragment")
	lost=$(not_had "${words[@]}")
	if [ -n "$lost" ]; then
		result 'not ok' "arch-$1: the configuration dropped:$lost"
	else
		compile "arch-$1"
	fi
}

# A random configuration from seed $1, with Rust and seccomp in it.
random()
{
	as_options 64BIT EXPERT NET SECCOMP RUST SECCOMP_RUST SECCOMP_RUST_KUNIT_TEST KUNIT !UML RANDSTRUCT_NONE !WERROR \
		!MODVERSIONS !GCC_PLUGINS >"$O.fragment"
	KCONFIG_SEED=$1 KCONFIG_ALLCONFIG=$O.fragment make_kernel -s randconfig >"$log" 2>&1
	if ! has SECCOMP_RUST; then
		result ok "random-$1 # SKIP it has no SECCOMP_RUST, without$(not_had RUST SECCOMP_FILTER 64BIT KUNIT)"
	else
		compile "random-$1"
	fi
}

# Builds and boots the kernel of configs/$1.fragment, and runs the kernel's own
# seccomp selftest on it.
boot()
{
	local variant=$1 out=$BUILD/configs.boot status=0
	if ! "$ROOT/scripts/kernel.sh" "$variant-rust" >"$log" 2>&1; then
		why
		if grep -q 'configuration dropped' "$log"; then
			result ok "boot-$variant # SKIP cannot be had here: $(sed -n 's/.*configuration dropped *//p' "$log")"
		else
			result 'not ok' "boot-$variant: the kernel builds"
		fi
		return
	fi
	"$ROOT/scripts/vm.sh" --quiet --icount --kernel "$variant-rust" -- \
		"cd $BUILD/selftests/kernel && ./seccomp_bpf" >"$out" 2>"$log" </dev/null || status=$?
	grep '^not ok' "$out" | sed 's/^/# /' || true
	sed 's/^/# /' "$log"
	if [ "$status" -lt 124 ] && grep -q '^# Totals: .*fail:0 ' "$out"; then
		result ok "boot-$variant: seccomp_bpf: $(sed -n 's/^# Totals: //p' "$out")"
	else
		result 'not ok' "boot-$variant: seccomp_bpf"
	fi
}

"$ROOT/scripts/source.sh"
mkdir -p "$O"

names=("$@")
if [ $# -eq 0 ]; then
	mapfile -t names < <(sed -n 's/^\([a-z][a-z0-9-]*\):.*/\1/p' "$matrix")
	seed=${SEED:-1}
	for ((n = 0; n < ${RANDOM_CONFIGS:-20}; n++)); do
		names+=("random-$((seed + n))")
	done
	names+=("${other_architectures[@]/#/arch-}" "${boots[@]/#/boot-}")
fi
[[ " ${names[*]}" != *' boot-'* ]] || "$ROOT/scripts/selftests.sh"

printf 'TAP version 14\n1..%d\n' "${#names[@]}"
for name in "${names[@]}"; do
	case $name in
	random-*) random "${name#random-}" ;;
	arch-*) architecture "${name#arch-}" ;;
	boot-*) boot "${name#boot-}" ;;
	*) named "$name" ;;
	esac
done
exit "$failed"
