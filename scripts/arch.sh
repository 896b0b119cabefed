# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# All that the scripts know of an architecture; sourced by common.sh, for the one
# that ARCH names in the environment (x86-64 without). In configs/arch/ is what its
# kernel has for itself.

architectures=(x86_64 arm64 riscv64 s390x)
# Those besides this machine's.
other_architectures=("${architectures[@]:1}")
# A make that runs this may have been given another word for the same.
case ${ARCH:-x86_64} in
x86_64 | x86 | amd64) ARCH=x86_64 ;;
arm64 | aarch64) ARCH=arm64 ;;
riscv64 | riscv) ARCH=riscv64 ;;
s390x | s390) ARCH=s390x ;;
*)
	printf "error: there is no architecture '%s': ARCH= is one of %s\n" "$ARCH" "${architectures[*]}" >&2
	exit 1
	;;
esac

# The root file system of a guest of another architecture, from scripts/rootfs.sh.
ROOTFS=$CACHE/rootfs/$ARCH/root

# karch	what the kernel calls it
# image	what of the kernel boots, below the directory that it is built in; the last
#	part of it is make's target
# triplet	what compilers call it
# rust_target	what Rust calls it
# debian	what Debian calls it, suite of which release its guest is, with compiler
#	libraries of gcc_version; rust_suite, where the standard library of the
#	compiler's Rust is in the release itself
# arch_packages	what set-up installs for it
# firmware	the package with what boots a guest, where that is not the emulator's own
# QEMU	the emulator, machine its options, bus what virtio devices are on, klog_console
#	the console that the kernel's log goes to, klog_device the device of that,
#	early_console what shows a kernel that dies before it has that console, and
#	serial_console a slower one, whose driver allocates nothing
# benchmark_calls	how many calls the tree's seccomp_benchmark makes in each of its cases
suite=trixie gcc_version=14 rust_suite=trixie firmware='' early_console='' serial_console='' benchmark_calls=200000
case $ARCH in
x86_64)
	rust_target=
	karch=x86_64 image=arch/x86/boot/bzImage triplet=x86_64-linux-gnu debian=amd64
	QEMU=qemu-system-x86_64
	klog_console=hvc0 klog_device='-device virtconsole,chardev=klog'
	# The first serial port is virtme-ng's.
	early_console=earlycon=uart8250,io,0x2f8 serial_console=ttyS1
	arch_packages=()
	;;
arm64)
	karch=arm64 image=arch/arm64/boot/Image triplet=aarch64-linux-gnu rust_target=aarch64-unknown-linux-gnu debian=arm64
	# Its counter is to count nanoseconds, as make bench reads it.
	QEMU=${QEMU:-qemu-system-aarch64} machine=(-M virt -cpu "cortex-a72,cntfrq=1000000000") bus=pci
	klog_console=ttyAMA0 klog_device='-serial chardev:klog'
	arch_packages=(qemu-system-arm)
	;;
riscv64)
	karch=riscv image=arch/riscv/boot/Image triplet=riscv64-linux-gnu rust_target=riscv64gc-unknown-linux-gnu debian=riscv64
	# The firmware is the guest's. OpenSBI before 1.3, such as Debian 12's, can start the second
	# CPU where the first one began, which then clears the memory of a kernel that runs.
	firmware=opensbi
	QEMU=${QEMU:-qemu-system-riscv64} bus=pci
	machine=(-M virt -bios "$ROOTFS/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin")
	klog_console=ttyS0 klog_device='-serial chardev:klog'
	arch_packages=(qemu-system-misc)
	;;
s390x)
	# Not all of trixie's packages could be had for it.
	suite=bookworm gcc_version=12
	karch=s390 image=arch/s390/boot/bzImage triplet=s390x-linux-gnu rust_target=s390x-unknown-linux-gnu debian=s390x
	QEMU=${QEMU:-qemu-system-s390x} machine=(-M s390-ccw-virtio -cpu max) bus=ccw
	klog_console=ttysclp0 klog_device='-serial chardev:klog'
	arch_packages=(qemu-system-misc)
	# A call takes up to a millisecond. Instructions are counted, so that few will do.
	benchmark_calls=20000
	;;
esac

# The C compiler of what the guest runs: where that is another architecture, the
# kernel's own compiler with the guest's libraries. (Debian's cross compilers cannot
# be installed beside gcc-multilib, which the tests of this machine want.)
target_cc=gcc
[ "$ARCH" = x86_64 ] || target_cc="clang --target=$triplet --sysroot=$ROOTFS -fuse-ld=lld"
# ... and of 32-bit programs for it, where there are any and that compiler makes none.
compat_cc=
[ "$ARCH" != arm64 ] || compat_cc='clang --target=arm-linux-gnueabihf -fuse-ld=lld'

# Sees to it that program $1 is there, which does what $2 says.
need()
{
	command -v "$1" >/dev/null ||
		die "there is no $1, $2 for $ARCH: install it, on Debian by apt-get install ${arch_packages[*]} or by scripts/setup.sh with ARCH=$ARCH"
}
