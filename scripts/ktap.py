#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Reads KTAP with the kernel tree's own parser and says what came of it.

usage: ktap.py summary FILE...     a line for each file and each test that
                                   failed, then "N passed, N failed"; the
                                   exit status is 1 unless all passed
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


def parse(path):
    """The tests of a file, the leaves alone: pairs of name and status. One that
    was announced and has no result is there as crashed, without a name."""
    with open(path, encoding="utf-8", errors="replace") as lines:
        top = kunit_parser.parse_run_tests(lines, Printer(print=False))
    leaves = []

    def walk(test, path):
        if test.subtests:
            for sub in test.subtests:
                walk(sub, path + ([test.name] if test.name != "main" else []))
        else:
            leaves.append(("/".join(path + [test.name]), test.status))

    for test in top.subtests:
        walk(test, [])
    return leaves


def summary(paths):
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        leaves = parse(path)
        part = {"passed": 0, "failed": 0, "skipped": 0}
        notes = []
        for name, status in leaves:
            if status == TestStatus.SUCCESS:
                part["passed"] += 1
            elif status == TestStatus.SKIPPED:
                part["skipped"] += 1
                notes.append(f"    skipped: {name}")
            else:
                part["failed"] += 1
                if status != TestStatus.TEST_CRASHED:
                    notes.append(f"    failed: {name}")
        crashed = sum(status == TestStatus.TEST_CRASHED for _, status in leaves)
        if crashed or not leaves:
            part["failed"] += not leaves
            notes.append(f"    failed: it ended early, {crashed or 'all'} of its tests have no result")
        label = os.path.splitext(os.path.basename(path))[0]
        print(f"{label}: {counts(part)}")
        for note in notes:
            print(note)
        for key, value in part.items():
            total[key] += value
    print(counts(total))
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
        for name, status in parse(argv[2]):
            print(status.name.lower(), name)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
