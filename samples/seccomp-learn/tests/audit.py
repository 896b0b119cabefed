# SPDX-License-Identifier: GPL-2.0-only
"""Shows audit's settings, or sets one: audit.py [FIELD VALUE]; adds or removes a
rule that excludes the records of a user: audit.py add|remove UID; adds or removes one
that has these system calls of x86-64 recorded: audit.py record|forget CALL...

The tests need one setting that seccomp-learn has no reason to touch
(backlog_wait_time), and a look at the others that does not use its code.
"""
import socket
import struct
import sys

AUDIT_GET, AUDIT_SET = 1000, 1001
FIELDS = ("mask", "enabled", "failure", "pid", "rate_limit", "backlog_limit",
          "lost", "backlog", "features", "backlog_wait_time",
          "backlog_wait_time_actual")
MASK = {"enabled": 1, "failure": 2, "rate_limit": 8, "backlog_limit": 0x10,
        "backlog_wait_time": 0x20}


def request(kind, payload):
    """Sends one request; returns the payload of its answer."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as sock:
        header = struct.pack("=IHHII", 16 + len(payload), kind, 5, 1, 0)
        sock.sendto(header + payload, (0, 0))
        while True:
            message = sock.recv(8192)
            answer = struct.unpack_from("=H", message, 4)[0]
            if answer == 2:
                error = struct.unpack_from("=i", message, 16)[0]
                if error:
                    sys.exit(f"audit: error {-error}")
                if kind != AUDIT_GET:
                    return b""
            elif answer == kind:
                return message[16:]


ADD_RULE, DEL_RULE = 1011, 1012


def rule(kind, listed, action, field, value, numbers=()):
    """A struct audit_rule_data of one field, which must have the value."""
    mask = [0] * 64
    for number in numbers:
        mask[number // 32] |= 1 << number % 32
    words = [listed, action, 1] + mask
    for word in (field, value, 0x40000000):
        words += [word] + [0] * 63
    request(kind, struct.pack(f"={len(words) + 1}I", *words, 0))


if sys.argv[1:2] in (["add"], ["remove"]):
    # exclude, never, uid=N
    rule(ADD_RULE if sys.argv[1] == "add" else DEL_RULE, 5, 0, 1, int(sys.argv[2]))
elif sys.argv[1:2] in (["record"], ["forget"]):
    import seccomp
    calls = [seccomp.resolve_syscall(seccomp.Arch.X86_64, name) for name in sys.argv[2:]]
    if not calls or min(calls) < 0:
        sys.exit(f"audit: of these are no calls of x86-64: {sys.argv[2:]}")
    # exit, always, arch=x86-64
    rule(ADD_RULE if sys.argv[1] == "record" else DEL_RULE, 4, 2, 11, 0xc000003e, calls)
elif len(sys.argv) == 3:
    values = dict.fromkeys(FIELDS, 0)
    values["mask"] = MASK[sys.argv[1]]
    values[sys.argv[1]] = int(sys.argv[2])
    request(AUDIT_SET, struct.pack("=11I", *values.values()))
else:
    status = struct.unpack("=11I", request(AUDIT_GET, b"")[:44])
    for name, value in zip(FIELDS, status):
        if name in ("enabled", "rate_limit", "backlog_limit"):
            print(name, value)
