"""`make bench`: everything that says how fast grader is, one measurement after the other, with a table each and a plot.

    python -m benchmarks [--quick] [NAME ...]

Names: overhead, sharing, batch, peers, memory; all of them unless given. Each leaves its JSON in out/bench/, and the
plot is out/bench/bench.svg. Some 45 minutes; `--quick` measures less of each, in some 12. Each measurement is also a
command of its own (`python -m benchmarks.overhead` ...). Run it on a machine that does nothing else: the load is
recorded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Final

from benchmarks import batch_memory, batch_throughput, overhead, peers, sharing
from benchmarks.machine import ROOT
from benchmarks.plot import draw

Main = Callable[[list[str]], int]
MEASUREMENTS: Final[dict[str, tuple[Main, list[str], list[str]]]] = {
    "overhead": (overhead.main, [], ["--times", "1", "--calls", "100"]),
    "sharing": (sharing.main, [], ["--times", "1"]),
    "batch": (batch_throughput.main, [], ["--task", "cnn_classifier"]),
    "peers": (peers.main, [], ["--count", "20", "--serial", "5"]),
    "memory": (batch_memory.main, [], ["--counts", "50", "200"]),
}
"""The command of each, and its arguments: in full, and for a quick look."""


def main(arguments: list[str]) -> int:
    """Runs them; the first that cannot measure ends it, with its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast is grader?")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}")
    parser.add_argument("--quick", action="store_true", help="measure less of each")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; one of: {', '.join(MEASUREMENTS)}")
    for name in options.names or MEASUREMENTS:
        run, full, quick = MEASUREMENTS[name]
        print(f"\n## {name}\n", flush=True)
        if code := run(quick if options.quick else full):
            return code
    print(f"\nplot: {draw(ROOT / 'out' / 'bench')}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
