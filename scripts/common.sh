# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# Where things are and how to speak; sourced by the other scripts.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/seccomp-rust
# shellcheck source=scripts/arch.sh
. "$ROOT/scripts/arch.sh"
# What all architectures have in common is made here; the tests of the scripts have
# a place of their own.
SHARED=${SECCOMP_RUST_BUILD:-$ROOT/build}
# What is built for one of them, here.
BUILD=$SHARED
[ "$ARCH" = x86_64 ] || BUILD=$SHARED/$ARCH
KSRC=$SHARED/linux
# seccomp-learn, for it.
LEARNER=$BUILD/learn${rust_target:+/$rust_target}/release/seccomp-learn
# set-up writes down what it found and chose here.
TOOLS=$SHARED/tools.env

# The one test of seccomp_bpf, of 100,000 calls that are answered within 30 s, that
# takes too long in an emulated guest by the real clock.
SLOW_TEST=user_notification_wait_killable_after_reply

mkdir -p "$BUILD" "$CACHE"

# One line about what is being done.
say()
{
	printf '==> %s\n' "$*" >&2
}

# One line about what went wrong, and the end.
die()
{
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# The tools that set-up has chosen.
load_tools()
{
	[ -f "$TOOLS" ] || die "not set up yet: run scripts/setup.sh"
	# shellcheck source=/dev/null
	. "$TOOLS"
	export PATH=$LLVM_BIN:$CACHE/tools/bin:$CACHE/tools/venv/bin:$PATH
	export CCACHE_DIR=$CACHE/ccache CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
	export CCACHE_MAXSIZE=2G
}

# The steps of a build that its log $1 shows, one a line: "  CC      init/main.o".
steps_in()
{
	grep -cE '^  [A-Z]' "$1" 2>/dev/null || true
}

# Starts a command in the background, in a process group of its own, which ends when this
# script is ended. What is started otherwise ignores an interrupt, and what it has started
# in turn outlives it.
background()
{
	set -m
	"$@" &
	set +m
}

# Ends by signal $1, and those groups with it.
end_by()
{
	local pid
	for pid in $(jobs -pr); do
		kill -- "-$pid" 2>/dev/null || true
	done
	trap - "$1"
	kill "-$1" "$BASHPID"
}
trap 'end_by INT' INT
trap 'end_by TERM' TERM
trap 'end_by HUP' HUP

# Runs a long command with its output in a log, and shows that it moves: a line
# on a terminal, elsewhere one every half minute. Where it is known of how many
# steps, that is STEPS.
run_logged()
{
	local log=$1 pid begin=$SECONDS told=$SECONDS steps where
	shift
	background "$@" </dev/null >"$log" 2>&1
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		# The log may not be there yet.
		steps=$(steps_in "$log")
		steps=${steps:-0}
		where=$(((SECONDS - begin) / 60))' min'
		[ "$steps" -eq 0 ] || where+=", $steps${STEPS:+ of about $STEPS} steps"
		if [ -t 2 ]; then
			printf '\r\033[K    %s: %s' "$where" "$(tail -n 1 "$log" | tr -d '\r' | cut -c1-50)" >&2
		elif [ $((SECONDS - told)) -ge 30 ]; then
			told=$SECONDS
			printf '    %s\n' "$where" >&2
		fi
		sleep 1
	done
	if [ -t 2 ]; then printf '\r\033[K' >&2; fi
	wait "$pid"
}

# The kernel's make for what is built in directory O, for karch. The rustdoc beside
# rustc is of its release, the one in PATH need not be.
make_kernel()
{
	local name=${RUSTC##*/}
	make -C "$KSRC" O="$O" ARCH="$karch" LLVM=1 RUSTC="$RUSTC" BINDGEN="$BINDGEN" \
		RUSTDOC="${RUSTC%"$name"}${name/rustc/rustdoc}" \
		CC="${CCACHE:+$CCACHE }clang" \
		KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=seccomp-rust KBUILD_BUILD_HOST=localhost \
		"$@"
}

# The last word on each option, as merge_config.sh takes it.
last_words()
{
	awk '/^CONFIG_|is not set$/ { o = $0; sub(/^# /, "", o); sub(/[ =].*/, "", o); line[o] = $0 }
		END { for (o in line) print line[o] }' | sort
}
