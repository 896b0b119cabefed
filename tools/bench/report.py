#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the table of make bench out of the figures of both kernels.

Usage: report.py DIR [BOUND]

BOUND is the bound of every row that has one, in place of its own, for kernels
that those are not meant for; the rows of PLAIN have none then. Reads DIR/c.figures
and DIR/rust.figures, lines "ROUND GROUP NAME COST ...", and where they are there
DIR/c.time and DIR/rust.time. Prints a table, writes
DIR/bench.json and DIR/bench.svg. Exit status 1 if a ratio is above its bound, 2
if a figure is missing.
"""

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from xml.sax.saxutils import escape

# Whose calls were measured: one architecture's, and its 32-bit ones.
CALLERS = ["x86-64", "i386", "arm64", "riscv64", "s390x"]
# What is called what in the table, and how much of C's cost Rust may have.
CALLS = [
    ("cached-1", "allow from the cache, 1 filter", 0.50),
    ("cached-2", "allow from the cache, 2 filters", 0.50),
    ("full-1", "1 full filter that loads an argument", 0.92),
    ("full-2", "2 full filters", 0.92),
    ("full-4", "4 full filters", 0.92),
    ("full-8", "8 full filters", 0.92),
    ("further", "each further filter", 0.65),
    ("errno", "ERRNO", 0.95),
    ("trace", "TRACE without a tracer", 0.95),
    ("trap", "TRAP with a handler", 1.00),
    ("log-silenced", "LOG silenced by actions_logged", 0.95),
    ("log-record", "LOG with a record", 1.00),
    ("errno-record", "FLAG_LOG and ERRNO with a record", 1.00),
    ("user-notif", "USER_NOTIF answered with CONTINUE", 1.00),
]
# arm64 has other bounds in these rows, for what is no part of seccomp: 55 instructions of each
# call are its entry code's, and the kernel has Rust compiled without access to unaligned
# memory there, so that a copy of more than 32 bytes is a call.
ARM64 = {
    "cached-1": 0.60, "cached-2": 0.60, "1-bitmapped": 0.60, "2-bitmapped": 0.60, "entry": 0.60,
    "log-silenced": 0.98, "log-record": 1.01, "errno-record": 1.01, "user-notif": 1.01,
    "once-flag": 35, "once-sysctl": 35,
}
# Calls that are logged once, in Rust alone, each beside another row of it: so many instructions
# more it may have.
ONCE = [
    ("once-flag", "log-silenced", "logged already, by the flag", 20),
    ("once-sysctl", "log-silenced", "logged already, by the sysctl", 20),
]
# Bounds for one configuration alone: what C does not have, what is the slope of a row with a
# bound, and sizes.
PLAIN = {"once-flag", "once-sysctl", "tsync-further", "total"}
BENCHMARK = [
    ("1-bitmapped", "1 bitmapped filter", 0.50),
    ("2-bitmapped", "2 bitmapped filters", 0.50),
    ("3-full", "3 full filters", 0.92),
    ("4-full", "4 full filters", 0.92),
    ("entry", "entry", 0.50),
    ("per-filter", "per filter (last 2)", 0.65),
]
LOADS = [
    ("find", "find -type f, the kernel's include/", 0.75),
    ("walk-i386", "the same by an i386 program", 0.75),
]
# Below C, by more than two runs differ in these rows.
BELOW = 0.99
# What changes with a chain of filters, not with each system call.
LIFE = 1.05
ATTACH = [
    ("list-5-first", "5 instructions, the first", BELOW),
    ("list-5-eighth", "5 instructions, the eighth", BELOW),
    ("list-100-first", "a list of 100, the first", BELOW),
    ("list-100-eighth", "a list of 100, the eighth", BELOW),
    ("list-1000-first", "a list of 1,000, the first", BELOW),
    ("list-1000-eighth", "a list of 1,000, the eighth", BELOW),
    ("tree-100-first", "a tree of 100, the first", BELOW),
    ("tree-100-eighth", "a tree of 100, the eighth", BELOW),
    ("tree-1000-first", "a tree of 1,000, the first", BELOW),
    ("tree-1000-eighth", "a tree of 1,000, the eighth", BELOW),
    ("profile-first", "the container profile, the first", BELOW),
    ("profile-eighth", "the container profile, the eighth", BELOW),
]
TSYNC = [
    ("tsync-1", "5 instructions, 1 thread more", LIFE),
    ("tsync-8", "8 threads more", LIFE),
    ("tsync-64", "64 threads more", LIFE),
    ("tsync-64-again", "64 that share a filter already", LIFE),
    ("tsync-further", "each further thread", LIFE),
]
LIFETIME = [
    ("vfork-1", "vfork and exit under 1 filter", LIFE),
    ("vfork-8", "vfork and exit under 8 filters", LIFE),
    ("free-1", "exit that frees 1 filter", LIFE),
    ("free-8", "exit that frees 8 filters", LIFE),
    ("free-64", "exit that frees 64 filters", LIFE),
    ("free-further", "each further filter", LIFE),
    ("close-1", "close of a listener that frees 1", LIFE),
    ("close-8", "close of a listener that frees 8", LIFE),
]
NOTIFY = [
    ("plain", "recv, send", LIFE),
    ("sync", "with SYNC_WAKE_UP", LIFE),
    ("valid", "recv, id_valid, send", LIFE),
    ("addfd", "recv, addfd, send", LIFE),
    ("addfd-set", "recv, addfd with SETFD, send", LIFE),
    ("addfd-send", "recv, addfd with SEND", LIFE),
]
MEMORY = [
    # The memory of SECCOMP_LOG_ONCE is 256 bytes of it.
    ("5-slab", "5 instructions, what slabs hold", 1.12),
    ("5", "5 instructions", LIFE),
    ("100", "a list of 100", LIFE),
    ("1000", "a list of 1,000", LIFE),
]
STACK = [
    ("audit_seccomp", "at the audit record"),
    ("force_sig_seccomp", "at the signal"),
    ("ptrace_notify", "at the tracer's stop"),
    ("wait_for_completion_interruptible", "at the wait for a listener"),
    ("wait_for_completion_killable", "at the wait for a listener, killable"),
    ("do_exit", "at the thread's end"),
]


def read(path):
    """The figures of a file: a list for each round's (group, name)."""
    figures = defaultdict(list)
    for line in path.read_text(encoding="ascii").splitlines():
        _, group, name, *values = line.split()
        figures[group, name].append([int(value) for value in values])
    return figures


class Side:
    """The figures of one kernel."""

    def __init__(self, path):
        self.figures = read(path)

    def value(self, group, name, base=None):
        """What is measured in the first round, and the largest difference to it.

        With a base: what is left when the base's figure is taken off.
        """
        rounds = [figure[0] for figure in self.figures[group, name]]
        if base:
            rounds = [a - b[0] for a, b in zip(rounds, self.figures[group, base], strict=True)]
        return rounds[0], max(abs(value - rounds[0]) for value in rounds)

    def further(self, group, few, many, count):
        """The cost of one more where there are count more of them in many than in few."""
        rounds = [(b[0] - a[0]) / count for a, b in
                  zip(self.figures[group, few], self.figures[group, many], strict=True)]
        return rounds[0], max(abs(value - rounds[0]) for value in rounds)


def callers_in(figures):
    """Those whose calls were measured."""
    return [group for group in CALLERS if (group, "native") in figures]


def rows(c, rust, bound_of_all=None):
    """The rows of the table: dictionaries, by what they are titled together."""
    callers = callers_in(c.figures)
    here = ARM64 if callers == ["arm64"] else {}

    def row(name, title, bound, measure):
        bound = here.get(name, bound)
        if bound is not None and bound_of_all:
            bound = None if name in PLAIN else bound_of_all
        (c_value, c_off), (rust_value, rust_off) = measure(c), measure(rust)
        ratio = rust_value / c_value
        return {"name": name, "title": title, "c": c_value, "rust": rust_value,
                "c_off": c_off, "rust_off": rust_off, "ratio": ratio, "bound": bound,
                "within": bound is None or ratio <= bound}

    for group in callers:
        native = [side.value(group, "native")[0] for side in (c, rust)]
        yield (f"{group} caller, instructions on top of the native call ({native[0]} C, {native[1]} Rust)", group, [
            row(name, title, bound,
                (lambda side: side.further(group, "full-1", "full-8", 7)) if name == "further"
                else (lambda side, name=name: side.value(group, name, "native")))
            for name, title, bound in CALLS])
    for group in callers:
        if (group, ONCE[0][0]) not in rust.figures:
            continue
        def beside(name, other, title, more, group=group):
            """A row that has another one of Rust in C's place."""
            more = here.get(name, more)
            found = row(name, title, more, lambda side: rust.value(group, name, "native"))
            found["c"], found["c_off"] = rust.value(group, other, "native")
            found["ratio"] = found["rust"] / found["c"]
            if found["bound"] is not None:
                found["bound"] = 1 + more / found["c"]
                found["within"] = found["rust"] <= found["c"] + more
            return found
        yield (f"{group} caller, calls that are logged once: in the column of C the same silenced, in Rust",
               f"once-{group}", [beside(*once) for once in ONCE])
    yield "attaching a filter, instructions of a seccomp(2)", "attach", [
        row(name, title, bound, lambda side, name=name: side.value("attach", name))
        for name, title, bound in ATTACH]
    yield "attaching a filter to all threads, instructions of a seccomp(2) with TSYNC", "tsync", [
        row(name, title, bound,
            (lambda side: side.further("attach", "tsync-8", "tsync-64", 56)) if name == "tsync-further"
            else (lambda side, name=name: side.value("attach", name)))
        for name, title, bound in TSYNC]
    yield "processes and their filters, instructions on top of the same without filters", "lifetime", [
        row(name, title, bound,
            (lambda side: side.further("lifetime", "free-8", "free-64", 56)) if name == "free-further"
            else (lambda side, name=name: side.value("lifetime", name, f"{name.split('-')[0]}-0")))
        for name, title, bound in LIFETIME]
    yield "a notification's round trip, instructions of both sides and the switches between", "notify", [
        row(name, title, bound, lambda side, name=name: side.value("notify", name))
        for name, title, bound in NOTIFY]
    yield "the kernel's memory that a filter takes, bytes", "memory", [
        row(name, title, bound, lambda side, name=name: side.value("memory", name))
        for name, title, bound in MEMORY]
    yield "the kernel tree's seccomp_benchmark, nanoseconds of a clock that counts instructions", "benchmark", [
        row(name, title, bound, lambda side, name=name: side.value("benchmark", name))
        for name, title, bound in BENCHMARK]
    yield "a container's default profile under a real load, instructions on top of the run without", "load", [
        row(name, title, bound, lambda side, name=name: side.value("load", f"{name}-profile", f"{name}-free"))
        for name, title, bound in LOADS if ("load", f"{name}-free") in c.figures]

    def total(side):
        return side.value("size", "text")[0] + side.value("size", "rodata")[0], 0
    def with_more(name):
        return lambda side: side.value("size", name) if side is rust else total(side)
    yield "size of the code, bytes", "size", [
        row("text", "text", None, lambda side: side.value("size", "text")),
        row("rodata", "rodata", None, lambda side: side.value("size", "rodata")),
        row("total", "both", 1.45, total),
        row("traced", "and with the tracepoint", None, with_more("traced")),
        row("whole", "and with calls logged once", None, with_more("whole"))]
    yield "stack from the entry to where the path leaves our code, bytes at the deepest", "stack", [
        row(name, title, None, lambda side, name=name: side.value("stack", name))
        for name, title in STACK]


def number(value):
    return f"{value:,.1f}" if isinstance(value, float) and value != int(value) else f"{int(value):,}"


def print_table(groups):
    repeats = True
    for title, _, group in groups:
        print(f"\n{title}\n  {'':38} {'C':>9} {'Rust':>9} {'Rust/C':>7} {'bound':>6}")
        for row in group:
            bound = "" if row["bound"] is None else f"{row['bound']:.2f}"
            note = "" if row["within"] else "  ABOVE ITS BOUND"
            if row["c_off"] or row["rust_off"]:
                note += f"  (second run: C ±{number(row['c_off'])}, Rust ±{number(row['rust_off'])})"
                repeats = False
            print(f"  {row['title']:38} {number(row['c']):>9} {number(row['rust']):>9} "
                  f"{row['ratio']:>7.3f} {bound:>6}{note}")
    print("\nEvery figure was measured twice" + (" and came out the same." if repeats else
          "; where the second differs, the row says by how much. The others are the same to the digit."))


def times(path, sides):
    """Medians of the interleaved runs by time, in nanoseconds on top of native."""
    c, rust = ({key: statistics.median(value[0] for value in values) / 1000
                for key, values in read(path / f"{side}.time").items()} for side in sides)
    for group in callers_in(c):
        yield group, [{"name": name, "title": title,
                       "c": c[group, name] - c[group, "native"],
                       "rust": rust[group, name] - rust[group, "native"]}
                      for name, title, _ in CALLS if name != "further"]


def print_times(groups):
    for group, group_rows in groups:
        print(f"\n{group} caller, nanoseconds on top of the native call, medians\n"
              f"  {'':38} {'C':>9} {'Rust':>9} {'Rust/C':>7}")
        for row in group_rows:
            ratio = f"{row['rust'] / row['c']:7.3f}" if row["c"] > 0 else ""
            print(f"  {row['title']:38} {row['c']:>9.1f} {row['rust']:>9.1f} {ratio}")


def chart(groups):
    """The ratios as a bar chart: C is the line at 1, the bound a mark on the bar."""
    width, left, right, line, bar = 860, 300, 110, 22, 14
    scale = (width - left - right) / 1.1
    parts, y = [], 64
    for title, name, group in groups:
        if name == "stack":
            continue
        parts.append(f'<text x="16" y="{y + 14}" class="group">{escape(title)}</text>')
        y += 24
        for row in group:
            length = min(row["ratio"], 1.1) * scale
            kind = "bar" if row["within"] else "bar above"
            parts.append(f'<text x="{left - 8}" y="{y + 11}" class="label">{escape(row["title"])}</text>')
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar}" class="{kind}"/>')
            if row["bound"] is not None:
                x = left + row["bound"] * scale
                parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y - 3}" y2="{y + bar + 3}" class="bound"/>')
            parts.append(f'<text x="{width - right + 30}" y="{y + 11}" class="value">{row["ratio"]:.2f}</text>')
            y += line
        y += 10
    one = left + scale
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y + 8}" viewBox="0 0 {width} {y + 8}">',
        "<style>text { font: 12px sans-serif; fill: #222 } .title { font-size: 16px; font-weight: bold } "
        ".group { font-weight: bold } .label { text-anchor: end } .value { font-weight: bold } "
        ".bar { fill: #3b7dbd } .above { fill: #c0392b } "
        ".bound { stroke: #111; stroke-width: 2 } .one { stroke: #999; stroke-dasharray: 4 3 }</style>",
        f'<rect width="{width}" height="{y + 8}" fill="#fff"/>',
        '<text x="16" y="28" class="title">Seccomp in Rust, as a part of what it costs in C</text>',
        '<text x="16" y="48">Bar: Rust/C; mark: the bound; dashed line: C.</text>',
        f'<line x1="{one:.1f}" x2="{one:.1f}" y1="60" y2="{y}" class="one"/>',
        *parts, "</svg>", ""])


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    path = Path(sys.argv[1])
    bound = float(sys.argv[2]) if len(sys.argv) == 3 else None
    try:
        groups = list(rows(Side(path / "c.figures"), Side(path / "rust.figures"), bound))
    except (IndexError, ValueError) as error:
        print(f"error: a figure is missing in {path}/*.figures: {error}", file=sys.stderr)
        return 2
    print_table(groups)
    result = {"groups": [{"name": name, "title": title, "rows": group} for title, name, group in groups]}
    if all((path / f"{side}.time").exists() for side in ("c", "rust")):
        by_time = list(times(path, ("c", "rust")))
        print_times(by_time)
        result["time"] = [{"name": name, "unit": "ns", "rows": group} for name, group in by_time]
    above = [f"{name} {row['name']}" for _, name, group in groups for row in group if not row["within"]]
    result["above_bound"] = above
    (path / "bench.json").write_text(json.dumps(result, indent=1) + "\n", encoding="ascii")
    (path / "bench.svg").write_text(chart(groups), encoding="utf-8")
    print("\nMachine-readable: build/bench/bench.json; chart: build/bench/bench.svg")
    if above:
        print(f"error: above the bound: {', '.join(above)}", file=sys.stderr)
    return 1 if above else 0


if __name__ == "__main__":
    sys.exit(main())
