#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Compiles a container profile into a classic BPF program by libseccomp.

Usage: profile.py PROFILE.json OUTPUT ARCH

PROFILE.json is a profile as containers/common and Docker write it, OUTPUT the
program as an array of struct sock_filter. What the profile makes depend on the
machine and the container is decided as for a container without further options
on ARCH, x86_64 say: its sub-architectures are added, and the capabilities are Podman's
default ones. Calls that this libseccomp has no name for are left out, as
container runtimes do. Prints how many rules were added, and
how many instructions the program has.
"""

import json
import os
import struct
import sys

import seccomp

# What a container has unless it asks for more or less.
CAPABILITIES = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
    "CAP_SETUID", "CAP_SYS_CHROOT",
}
# For each architecture its names in the conditions, and libseccomp's for it and what
# comes with it.
ARCHES = {
    "x86_64": ({"amd64", "x86", "x32"}, [seccomp.Arch.X86_64, seccomp.Arch.X86, seccomp.Arch.X32]),
    "arm64": ({"arm64", "arm"}, [seccomp.Arch.AARCH64, seccomp.Arch.ARM]),
    "riscv64": ({"riscv64"}, [seccomp.Arch.RISCV64]),
    "s390x": ({"s390x"}, [seccomp.Arch.S390X]),
}

ACTIONS = {
    "SCMP_ACT_ALLOW": lambda errno: seccomp.ALLOW,
    "SCMP_ACT_ERRNO": seccomp.ERRNO,
    "SCMP_ACT_KILL": lambda errno: seccomp.KILL,
    "SCMP_ACT_KILL_PROCESS": lambda errno: seccomp.KILL_PROCESS,
    "SCMP_ACT_LOG": lambda errno: seccomp.LOG,
    "SCMP_ACT_TRACE": seccomp.TRACE,
    "SCMP_ACT_TRAP": lambda errno: seccomp.TRAP,
}
OPERATORS = {
    "SCMP_CMP_EQ": seccomp.EQ, "SCMP_CMP_NE": seccomp.NE,
    "SCMP_CMP_LT": seccomp.LT, "SCMP_CMP_LE": seccomp.LE,
    "SCMP_CMP_GT": seccomp.GT, "SCMP_CMP_GE": seccomp.GE,
}
EPERM = 1
# __AUDIT_ARCH_LE, in the kernel's number of an architecture.
LITTLE_ENDIAN = 0x40000000
# What libseccomp resolves a name to that it does not have: __NR_SCMP_ERROR.
UNKNOWN = -1


def applies(rule, names):
    """Whether the rule is for a container on a machine of these names."""
    includes = rule.get("includes") or {}
    excludes = rule.get("excludes") or {}
    if "arches" in includes and not names & set(includes["arches"]):
        return False
    if "caps" in includes and not set(includes["caps"]) <= CAPABILITIES:
        return False
    return not (names & set(excludes.get("arches") or [])
                or CAPABILITIES & set(excludes.get("caps") or []))


def comparison(arg):
    """A condition on an argument."""
    if arg["op"] == "SCMP_CMP_MASKED_EQ":
        return seccomp.Arg(arg["index"], seccomp.MASKED_EQ, arg["value"], arg.get("valueTwo", 0))
    return seccomp.Arg(arg["index"], OPERATORS[arg["op"]], arg["value"])


def mend_returns(path, returns):
    """Puts those returns of a big-endian program into its byte order that libseccomp
    2.5 leaves in this machine's: the ones that it adds where a jump would be too long."""
    instruction = struct.Struct(">HBBI")
    ret = 0x06
    program = bytearray()
    with open(path, "rb") as file:
        for code, jt, jf, k in instruction.iter_unpack(file.read()):
            if code == ret and k not in returns:
                k = int.from_bytes(k.to_bytes(4, "big"), "little")
                if k not in returns:
                    sys.exit(f"{path}: the program returns {k:#x}, which no rule asks for")
            program += instruction.pack(code, jt, jf, k)
    with open(path, "wb") as file:
        file.write(program)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        profile = json.load(file)
    default = ACTIONS[profile["defaultAction"]](profile.get("defaultErrnoRet", EPERM))
    program = seccomp.SyscallFilter(default)
    machine, arches = ARCHES[sys.argv[3]]
    # It begins with this machine's, which cannot be beside one of the other byte order.
    program.remove_arch(seccomp.Arch.NATIVE)
    for arch in arches:
        program.add_arch(arch)
    returns = {default, seccomp.KILL}
    rules = 0
    for rule in profile["syscalls"]:
        if not applies(rule, machine):
            continue
        action = ACTIONS[rule["action"]](rule.get("errnoRet", EPERM))
        if action == default:
            continue
        returns.add(action)
        args = [comparison(arg) for arg in rule.get("args") or []]
        for name in rule["names"]:
            if seccomp.resolve_syscall(arches[0], name) == UNKNOWN:
                continue
            program.add_rule(action, name, *args)
            rules += 1
    with open(sys.argv[2], "wb") as file:
        program.export_bpf(file)
    if not arches[0] & LITTLE_ENDIAN:
        mend_returns(sys.argv[2], returns)
    print(f"{rules} rules, {os.path.getsize(sys.argv[2]) // 8} instructions")


main()
