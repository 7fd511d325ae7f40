"""How far correct solutions stay from the lines of deterministic probes: what was compared, and the worst seen.

    python -m benchmarks.margins TASK [--seeds 1] [--only WORD] [--all] > margins.md

Grades the reference and every style without isolation and writes down each comparison of a number with a line that its
suites make (`require(x <= LINE, ...)` and `compare.close`). *used* is the share of the room that the worst solution
took: 0.01 is a margin of a hundred, 1 would be a lost check. For "must be more than" it is the line over the value; for
a share that can be 1 at most, with a line from 0.3 on, what is missing over what may be missing. Rows that are exact in
all solutions are left out unless `--all` is given.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import linecache
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import numpy as np

from benchmarks.machine import ROOT
from grader.verify import find_cases

Row = dict[str, Any]
EXACT = 1e-12
MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
LEAST_SHARE = 0.3


@dataclass
class Worst:
    """Of one comparison over all gradings."""

    line: float
    used: float = -1.0
    value: float = 0.0
    solution: str = ""
    count: int = 0

    def add(self, row: Row, solution: str) -> None:
        """Counts one comparison."""
        self.count += 1
        if row["used"] > self.used:
            self.used, self.value, self.solution, self.line = row["used"], row["value"], solution, row["line"]


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.margins")
    parser.add_argument("task")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", default="", help="only solutions whose name contains this")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(_record(options.task, Path(options.one), options.seed)))
        return 0
    found: dict[tuple[str, str], Worst] = {}
    cases = find_cases(options.task, ROOT / "reference", ROOT / "candidates")
    right = [case for case in cases if case.kind in ("reference", "style")]
    solutions = [(case.name, case.path) for case in right if options.only in case.name]
    for name, path in solutions:
        for seed in range(1, options.seeds + 1):
            print(f"margins: {name}, seed {seed} ...", file=sys.stderr, flush=True)
            command = [
                sys.executable,
                "-m",
                "benchmarks.margins",
                options.task,
                "--one",
                str(path),
                "--seed",
                str(seed),
            ]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            for row in json.loads(done.stdout.splitlines()[-1]):
                worst = found.setdefault((row["check"], row["what"]), Worst(row["line"]))
                worst.add(row, name)
    print("\n".join(_table(found, len(solutions) * options.seeds, everything=options.all)))
    return 0


def _table(found: dict[tuple[str, str], Worst], gradings: int, *, everything: bool) -> Iterator[str]:
    yield f"{gradings} gradings of correct solutions."
    yield ""
    yield "| check | compared | times | line | worst | used | by |"
    yield "|---|---|---|---|---|---|---|"
    for (check, what), worst in sorted(found.items(), key=lambda item: -item[1].used):
        if everything or worst.used > EXACT:
            cells = (check, f"`{what}`", str(worst.count), f"{worst.line:.3g}", f"{worst.value:.3g}")
            yield "| " + " | ".join((*cells, f"{worst.used:.2g}", worst.solution)) + " |"


def _record(task: str, path: Path, seed: int) -> list[Row]:
    """Grades in this process (the candidate's code in a worker of its own) and gives the comparisons that held."""
    import grader.judge
    from grader.config import Settings
    from grader.judge import __main__ as judge
    from grader.judge import compare
    from grader.judge.job import Job
    from grader.submission import load_submission
    from grader.task import load_tasks

    rows: list[Row] = []
    require, close = compare.require, compare.close

    def recorded_require(condition: bool | np.bool_, message: str) -> None:  # noqa: FBT001 - as the original
        frame = inspect.currentframe()
        if frame is not None and frame.f_back is not None:
            rows.extend(_compared(frame.f_back))
        require(condition, message)

    def recorded_close(
        actual: compare.Array, expected: compare.Array, *, atol: float, rtol: float = 0.0, what: str = "the result"
    ) -> None:
        close(actual, expected, atol=atol, rtol=rtol, what=what)
        difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
        allowed = atol + rtol * np.abs(expected.astype(np.float64))
        at = int(np.argmax(difference / allowed))
        value, line = float(difference.flat[at]), float(np.broadcast_to(allowed, difference.shape).flat[at])
        rows.append({"check": _check(), "what": what, "line": line, "value": value, "used": value / line})

    vars(grader.judge)["require"] = compare.require = recorded_require
    compare.close = recorded_close
    submission = load_submission(path, [task])
    entry = submission.entries[task]
    loaded = load_tasks(Settings().tasks_dir, [task])[task]
    work = Job(task=loaded, submission=submission, entry=entry, seed=seed, backend="process", run_id=f"margins{seed}")
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    outcomes: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder, open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.chdir(folder)
        events = _Events(outcomes)
        stdout, sys.stdout = sys.stdout, nowhere
        judge.run(work, events)  # type: ignore[arg-type]  # it only needs `send`
        sys.stdout = stdout
        os.chdir(ROOT)
    lost = sorted(check for check, outcome in outcomes.items() if outcome != "passed")
    if lost or not outcomes:
        print(f"margins: {path.name} lost {lost or 'everything'}", file=sys.stderr)
    return rows


class _Events:
    """What the judge reports, as far as it matters here."""

    def __init__(self, outcomes: dict[str, str]) -> None:
        self._outcomes = outcomes

    def send(self, event: str, **fields: Any) -> None:  # noqa: ANN401 - as it comes
        """See judge.Events."""
        if event == "check":
            self._outcomes[fields["check"]["spec"]["id"]] = str(fields["check"]["outcome"])


def _check() -> str:
    """The test that is running, by its function's name."""
    return os.environ.get("PYTEST_CURRENT_TEST", "?").rpartition("::")[2].split(" ")[0].removeprefix("test_")


def _compared(frame: FrameType) -> Iterator[Row]:
    """The comparisons of two numbers in the first argument of the `require` that `frame` is at."""
    call = _call(frame.f_code, frame.f_lasti)
    if call is None or not call.args or not isinstance(call.args[0], ast.Compare):
        return
    node = call.args[0]
    sides = [node.left, *node.comparators]
    values = [_number(side, frame) for side in sides]
    for operator, left, right, at in zip(node.ops, values, values[1:], range(len(node.ops)), strict=False):
        fixed = isinstance(sides[at], ast.Constant)
        row = _row(MIRRORED[type(operator)](), right, left) if fixed else _row(operator, left, right)
        if row is not None:
            pair = ast.Compare(left=sides[at], ops=[operator], comparators=[sides[at + 1]])
            yield {"check": _check(), "what": ast.unparse(pair), **row}


def _row(operator: ast.cmpop, left: float | None, right: float | None) -> Row | None:
    """Value, line and the share of the room that was used; None where that means nothing: counts, a line of 0."""
    if left is None or right is None or (left.is_integer() and right.is_integer()):  # counts are right or wrong
        return None
    if isinstance(operator, ast.Lt | ast.LtE) and right > 0:
        return {"value": left, "line": right, "used": left / right}
    if isinstance(operator, ast.Gt | ast.GtE) and left > 0 and right > 0:
        is_share = LEAST_SHARE <= right < 1 and left <= 1
        return {"value": left, "line": right, "used": (1 - left) / (1 - right) if is_share else right / left}
    return None


def _call(code: CodeType, instruction: int) -> ast.Call | None:
    """The call in the source that the instruction belongs to."""
    first, last, start, end = list(code.co_positions())[instruction // 2]
    if first is None or last is None or start is None or end is None:
        return None
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(first, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    try:
        node = ast.parse(b"(" + b"".join(lines) + b")", mode="eval").body
    except SyntaxError:
        return None
    return node if isinstance(node, ast.Call) else None


def _number(node: ast.expr, frame: FrameType) -> float | None:
    """The value of an expression where the frame is; suites compare plain names, so evaluating changes nothing."""
    try:
        value = eval(compile(ast.Expression(node), "<margin>", "eval"), frame.f_globals, frame.f_locals)  # noqa: S307 - our own suite
        return float(value)
    except Exception:  # noqa: BLE001 - no number, or not to be had twice
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
