#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Compiles a container profile into a classic BPF program by libseccomp.

Usage: profile.py PROFILE.json OUTPUT

PROFILE.json is a profile as containers/common and Docker write it, OUTPUT the
program as an array of struct sock_filter. What the profile makes depend on the
machine and the container is decided as for a container without further options
on x86-64: its sub-architectures are added, and the capabilities are Podman's
default ones. Calls that this libseccomp has no name for are left out, as
container runtimes do. Prints how many rules were added, and
how many instructions the program has.
"""

import json
import os
import sys

import seccomp

# What a container has unless it asks for more or less.
CAPABILITIES = {
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
    "CAP_SETUID", "CAP_SYS_CHROOT",
}
# Names of architectures: Go's in the conditions, libseccomp's for sub-architectures.
ARCHES = {"amd64", "x86", "x32"}
SUB_ARCHES = [seccomp.Arch.X86, seccomp.Arch.X32]

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
# What libseccomp resolves a name to that it does not have: __NR_SCMP_ERROR.
UNKNOWN = -1


def applies(rule):
    """Whether the rule is for this machine and container."""
    includes = rule.get("includes") or {}
    excludes = rule.get("excludes") or {}
    if "arches" in includes and not ARCHES & set(includes["arches"]):
        return False
    if "caps" in includes and not set(includes["caps"]) <= CAPABILITIES:
        return False
    return not (ARCHES & set(excludes.get("arches") or [])
                or CAPABILITIES & set(excludes.get("caps") or []))


def comparison(arg):
    """A condition on an argument."""
    if arg["op"] == "SCMP_CMP_MASKED_EQ":
        return seccomp.Arg(arg["index"], seccomp.MASKED_EQ, arg["value"], arg.get("valueTwo", 0))
    return seccomp.Arg(arg["index"], OPERATORS[arg["op"]], arg["value"])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        profile = json.load(file)
    default = ACTIONS[profile["defaultAction"]](profile.get("defaultErrnoRet", EPERM))
    program = seccomp.SyscallFilter(default)
    for arch in SUB_ARCHES:
        program.add_arch(arch)
    rules = 0
    for rule in filter(applies, profile["syscalls"]):
        action = ACTIONS[rule["action"]](rule.get("errnoRet", EPERM))
        if action == default:
            continue
        args = [comparison(arg) for arg in rule.get("args") or []]
        for name in rule["names"]:
            if seccomp.resolve_syscall(seccomp.Arch(), name) == UNKNOWN:
                continue
            program.add_rule(action, name, *args)
            rules += 1
    with open(sys.argv[2], "wb") as file:
        program.export_bpf(file)
    print(f"{rules} rules, {os.path.getsize(sys.argv[2]) // 8} instructions")


main()
