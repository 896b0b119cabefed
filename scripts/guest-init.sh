#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In a guest of another architecture: its first process, in place of virtme-ng's.
# Puts a root together that can be written to, with the repository, $1, and a
# directory that is the host's own, $2, at their paths; runs the command that
# follows, without one a shell; and switches the guest off.

repository=$1 rwdir=$2
shift 2
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

fail()
{
	echo "guest-init.sh: $*" >/dev/kmsg
	exec busybox poweroff -f
}

# What is written stays in memory.
new=/run/root
mkdir -p /run/{upper,work} "$new"
mount -t overlay overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work "$new" || fail "no root"
mkdir -p "$new$repository" "$new$rwdir"
# Where the kernel's command line has mounted it.
mount --bind /run/repository "$new$repository" || fail "no repository"
mount -t 9p -o rw,version=9p2000.L,trans=virtio,access=any,msize=262144 rwdir "$new$rwdir" ||
	fail "no directory to write to"
mount --move /dev "$new/dev" || mount -t devtmpfs none "$new/dev"
cd "$new" || fail "no root"
pivot_root . mnt || fail "the root cannot be changed"
cd /
mount -t proc none /proc
umount -l /mnt
mount -t sysfs none /sys
mkdir -p /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
for n in 0/stdin 1/stdout 2/stderr; do
	ln -s "/proc/self/fd/${n%/*}" "/dev/${n#*/}"
done
mount -t devpts none /dev/pts
for directory in /dev/shm /run /tmp /var/tmp; do
	mount -t tmpfs none "$directory"
done
mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null
hostname guest

if [ $# -gt 0 ]; then
	"$@"
else
	cd "$repository" || cd /
	console=/dev/$(awk '{ print $NF }' /sys/class/tty/console/active)
	setsid -c bash -i <>"$console" >&0 2>&0
fi
exec busybox poweroff -f
