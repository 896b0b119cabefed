#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: runs the command of vm.sh with its streams connected to those of
# vm.sh, and leaves its exit status behind. In directory $1 are the command,
# "command", and what it leaves, "status".
#
# virtme-ng gives the guest a port for each stream, but finds them by links that
# only udev makes, which takes longer than the rest of the boot.

run=$1

for port in /sys/class/virtio-ports/*; do
	case $(cat "$port/name" 2>/dev/null) in
	virtme.stdin) exec <"/dev/${port##*/}" ;;
	virtme.stdout) exec >"/dev/${port##*/}" ;;
	virtme.stderr) exec 2>"/dev/${port##*/}" ;;
	esac
done

# What tests and tools expect of a machine, and an init system would have done.
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
mountpoint -q /dev/shm || { mkdir -p /dev/shm && mount -t tmpfs none /dev/shm; }
ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null

bash "$run/command"
status=$?
echo "$status" >"$run/status"
exit "$status"
