#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a guest of another architecture as virtme-ng boots one of this machine's,
# with those of its options that vm.sh has, which has seen to the emulator and the root
# before. The root is what rootfs.sh has made, and below it are the repository and, to
# write to, --rwdir, at their own paths. The streams are ports of the names that
# virtme-ng gives them.

set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "$0")/common.sh"

append='' opts=()
while [ $# -gt 0 ]; do
	case $1 in
	--run) kernel=$2; shift ;;
	--cpus) cpus=$2; shift ;;
	--memory) memory=$2; shift ;;
	--rwdir) rwdir=$2; shift ;;
	--append) append+=" $2"; shift ;;
	--qemu-opts=*) read -r -a opts <<<"${1#*=}" ;;
	--) shift; break ;;
	*) die "qemu.sh: unknown option $1" ;;
	esac
	shift
done

# The kernel mounts its root, and the shell there where our own scripts are.
plan9=version=9p2000.L,trans=virtio,access=any,msize=262144
mount_host="mount -t tmpfs none /run && mkdir /run/repository && \
mount -t 9p -o ro,$plan9 repository /run/repository && \
exec bash /run/repository/scripts/guest-init.sh '$ROOT' '$rwdir' $*"

# Directory $2 under the name $1, with more options of the device in $3.
share()
{
	local options="local,id=$1,path=${2//,/,,},security_model=none,multidevs=remap$3"
	arguments+=(-fsdev "$options" -device "virtio-9p-$bus,fsdev=$1,mount_tag=$1")
}

arguments=("${machine[@]}" -smp "$cpus" -m "$memory" -display none -monitor none -nodefaults -no-reboot
	-device "virtio-rng-$bus" -device "virtio-serial-$bus" -kernel "$kernel")
share root "$ROOTFS" ,readonly=on
share repository "$ROOT" ,readonly=on
share rwdir "$rwdir" ''
if [ $# -gt 0 ]; then
	devices=("stdio,id=stdin,signal=on,mux=off" "file,id=stdout,path=/proc/self/fd/1" "file,id=stderr,path=/proc/self/fd/2")
	streams=(stdin stdout stderr)
	for n in 0 1 2; do
		arguments+=(-chardev "${devices[n]}"
			-device "virtserialport,name=virtme.${streams[n]},chardev=${streams[n]}")
	done
else
	arguments+=(-serial mon:stdio)
	append+=" console=$klog_console quiet"
fi
exec "$QEMU" "${arguments[@]}" "${opts[@]}" -append "root=root rootfstype=9p ro \
rootflags=$plan9 $append init=/bin/bash -- -c \"$mount_host\""
