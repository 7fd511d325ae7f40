"""Throws mutated bytes at every border that hostile bytes cross: the judge's decoder and the intake.

    python -m benchmarks.fuzz [--cases 1000000] [--seed 20240229] [--state FILE] [--table docs/fuzzing.md]
    python -m benchmarks.fuzz --only BORDER --case NUMBER      (makes one case again, with its traceback)

Each case is made from (seed, border, number) alone. With --state it goes on where it was stopped. It ends with exit
code 1 where anything but a refusal came out, or where memory grew by 64 MiB or more.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.fuzzing import intake, wire
from benchmarks.fuzzing.mutation import Border
from grader.atomic import write_text

BORDERS: Final[Sequence[Border]] = (*wire.BORDERS, *intake.BORDERS)
SEED: Final = 20240229
MAX_GROWTH_KIB: Final = 64 * 1024
WARM_UP: Final = 200
"""Cases of each border after which imports and caches are there, so that what grows then is growth."""
ROUND: Final = 5000
"""Cases between two looks at the memory, the state and the log."""
MAX_FINDINGS: Final = 50


@dataclass(slots=True)
class Seen:
    """What became of the cases of one border."""

    cases: int = 0
    refused: int = 0
    unexpected: int = 0
    cpu_s: float = 0.0
    slowest_s: float = 0.0
    slowest_case: int = -1


@dataclass(slots=True)
class Run:
    """A run so far; `borders` by name."""

    seed: int = SEED
    borders: dict[str, Seen] = field(default_factory=lambda: {border.name: Seen() for border in BORDERS})
    findings: list[dict[str, Any]] = field(default_factory=list)
    growth_kib: int = 0
    """The most by which one process grew after its warm-up."""
    course: list[tuple[int, int]] = field(default_factory=list)
    """Cases and growth after each round: what grows with the cases is kept somewhere."""

    @property
    def cases(self) -> int:
        """All cases so far."""
        return sum(seen.cases for seen in self.borders.values())

    @property
    def unexpected(self) -> int:
        """All cases that ended in something else than a result or a refusal."""
        return sum(seen.unexpected for seen in self.borders.values())

    @property
    def green(self) -> bool:
        """True where nothing was found."""
        return not self.unexpected and self.growth_kib < MAX_GROWTH_KIB


def one_case(border: Border, seed: int, number: int) -> bytes:
    """The input of a case, from its name alone."""
    return border.make(random.Random(f"{seed} {border.name} {number}"))  # noqa: S311 - cases, not secrets


def fuzz(border: Border, run: Run, cases: int) -> None:
    """Adds `cases` cases of one border to a run."""
    seen = run.borders[border.name]
    for number in range(seen.cases, seen.cases + cases):
        data = one_case(border, run.seed, number)
        started = time.thread_time()
        try:
            border.read(data)
        except border.refusals:
            seen.refused += 1
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
            seen.unexpected += 1
            _note(run, border, number, error)
        took = time.thread_time() - started
        seen.cpu_s += took
        if took > seen.slowest_s:
            seen.slowest_s, seen.slowest_case = took, number
    seen.cases += cases


def _note(run: Run, border: Border, number: int, error: Exception) -> None:
    if len(run.findings) < MAX_FINDINGS:
        what = f"{type(error).__name__}: {error}"[:300]
        run.findings.append({"border": border.name, "case": number, "seed": run.seed, "error": what})


def go_on(run: Run, cases: int) -> Iterator[Run]:
    """Runs up to `cases` cases in all, shared among the borders; yields after each round."""
    borders = [(border, border.share) for border in BORDERS]
    whole = sum(share for _, share in borders)
    for border in BORDERS:
        for number in range(WARM_UP):  # cases that a run does not count
            _quietly(border, one_case(border, run.seed + 1, number))
    base = _peak_kib()
    while run.cases < cases:
        size = min(ROUND, cases - run.cases)
        for border, share in borders:
            fuzz(border, run, min(-(-size * share // whole), cases - run.cases))
        run.growth_kib = max(run.growth_kib, _peak_kib() - base)
        run.course.append((run.cases, run.growth_kib))
        yield run


def _quietly(border: Border, data: bytes) -> None:
    try:
        border.read(data)
    except Exception:  # noqa: BLE001 - only here to warm up; the counted cases judge
        return


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def load(path: Path | None, seed: int) -> Run:
    """The run kept in a file, a new one where there is none."""
    if path is None or not path.exists():
        return Run(seed=seed)
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["borders"] = {name: Seen(**row) for name, row in kept["borders"].items()}
    return Run(**kept)


PAGE = """# Fuzzing

Made by `python -m benchmarks.fuzz --cases {cases} --table docs/fuzzing.md`; do not edit. Honest bytes, mutated (bits,
lengths, splices, hostile snippets; in half of the cases with lengths and checksums that fit again), go through
everything that the trusted side does with them. *refused* is a `ProtocolError`, a fault of the candidate's or
`SubmissionRejected`; the rest was read, and what was read kept its promises (budgets, names, no control characters).
*unexpected* is everything else: any other exception, any broken promise. Every CI run does 10,000 cases
(`tests/worker/test_fuzz.py`). A case is made again by `--only BORDER --case NUMBER`.

{total:,} cases, seed {seed}: {unexpected} unexpected; memory grew by at most {growth:.1f} MiB (allowed: 64): {course}.

| border | cases | refused | unexpected | cases per CPU second | slowest, ms of CPU |
| --- | ---: | ---: | ---: | ---: | ---: |
{rows}
"""


def page(run: Run, cases: int) -> str:
    """The run as a page."""
    rows = [
        f"| {name} | {seen.cases:,} | {seen.refused / max(seen.cases, 1):.0%} | {seen.unexpected} "
        f"| {seen.cases / max(seen.cpu_s, 1e-9):,.0f} | {1000 * seen.slowest_s:.0f} (case {seen.slowest_case}) |"
        for name, seen in run.borders.items()
    ]
    growth = run.growth_kib / 1024
    course = ", ".join(f"{kib / 1024:.1f} after {done:,}" for done, kib in run.course[:: max(len(run.course) // 5, 1)])
    return PAGE.format(
        cases=cases, total=run.cases, seed=run.seed, unexpected=run.unexpected, growth=growth, course=course,
        rows="\n".join(rows),
    )  # fmt: skip


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description="Mutated bytes for every border.")
    parser.add_argument("--cases", type=int, default=1_000_000, help="cases in all (default: 10^6)")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--state", type=Path, help="file to go on from, written after each round")
    parser.add_argument("--table", type=Path, help="page to write at the end")
    parser.add_argument("--only", choices=[border.name for border in BORDERS], help="with --case: the border")
    parser.add_argument("--case", type=int, help="make this one case again")
    options = parser.parse_args(arguments)
    if options.only and options.case is not None:
        border = next(border for border in BORDERS if border.name == options.only)
        data = one_case(border, options.seed, options.case)
        print(repr(data[:4000]))
        border.read(data)
        return 0
    run, started = load(options.state, options.seed), time.monotonic()
    before = run.cases
    for now in go_on(run, options.cases):
        rate = (now.cases - before) / (time.monotonic() - started)
        print(f"{now.cases} cases, {rate:.0f}/s, {now.unexpected} unexpected, +{now.growth_kib} KiB", flush=True)
        if options.state:
            write_text(options.state, json.dumps(asdict(now), indent=1) + "\n")
    for finding in run.findings:
        print(finding)
    if options.table:
        write_text(options.table, page(run, options.cases))
    return 0 if run.green else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
