#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads KTAP with the kernel tree's own parser and says what came of it.

usage: ktap.py summary FILE...     a line for each file, those with failures
                                   last, with what failed and the end of what
                                   it said; then "N passed, N failed"; the exit
                                   status is 1 unless all passed
       ktap.py list FILE           a line for each test: its status and name
"""

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "build/linux/tools/testing/kunit"))

# pylint: disable=wrong-import-position
import kunit_parser  # noqa: E402
from kunit_parser import TestStatus  # noqa: E402
from kunit_printer import Printer  # noqa: E402

# How many lines are shown of what a failed test said, and of what a guest or a part said
# that ended early: there the end of the console is among them.
SAID = 6
LOG_SAID = 100


def parse(path):
    """The tests of a file, the leaves alone: name, status and what it said. One
    that was announced and has no result is there as crashed, without a name."""
    with open(path, encoding="utf-8", errors="replace") as lines:
        top = kunit_parser.parse_run_tests(lines, Printer(print=False))
    leaves = []

    def walk(test, path):
        if test.subtests:
            for sub in test.subtests:
                walk(sub, path + ([test.name] if test.name != "main" else []))
        else:
            leaves.append(("/".join(path + [test.name]), test.status, test.log))

    for test in top.subtests:
        walk(test, [])
    return leaves


def end_of(lines, count=SAID):
    """The end of what a test or its part said, for those who see no more."""
    return [f"        {line.rstrip()[:160]}" for line in lines[-count:] if line.strip()]


def log_of(path):
    """The lines of the log that lies beside the file of a part."""
    try:
        with open(os.path.splitext(path)[0] + ".log", encoding="utf-8", errors="replace") as log:
            return log.readlines()
    except OSError:
        return []


def summary(paths):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    good, bad = [], []
    for path in paths:
        leaves = parse(path)
        part = {"passed": 0, "failed": 0, "skipped": 0}
        notes = []
        for name, status, said in leaves:
            if status == TestStatus.SUCCESS:
                part["passed"] += 1
            elif status == TestStatus.SKIPPED:
                part["skipped"] += 1
                notes.append(f"    skipped: {name}")
            else:
                part["failed"] += 1
                if status != TestStatus.TEST_CRASHED:
                    notes.append(f"    failed: {name}")
                    notes += end_of(said, LOG_SAID if path.endswith("-console.ktap") else SAID)
        crashed = sum(status == TestStatus.TEST_CRASHED for _, status, _ in leaves)
        if crashed or not leaves:
            part["failed"] += not leaves
            notes.append(f"    failed: it ended early, {crashed or 'all'} of its tests have no result")
            notes += end_of(log_of(path), LOG_SAID)
        label = os.path.splitext(os.path.basename(path))[0]
        (bad if part["failed"] else good).extend([f"{label}: {counts(part)}"] + notes)
        for key, value in part.items():
            total[key] += value
    print("\n".join(good + bad + [counts(total)]))
    return 1 if total["failed"] or not total["passed"] else 0


def counts(number):
    text = f"{number['passed']} passed, {number['failed']} failed"
    if number["skipped"]:
        text += f", {number['skipped']} skipped"
    return text


def main(argv):
    if len(argv) >= 3 and argv[1] == "summary":
        return summary(argv[2:])
    if len(argv) == 3 and argv[1] == "list":
        for name, status, _ in parse(argv[2]):
            print(status.name.lower(), name)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
