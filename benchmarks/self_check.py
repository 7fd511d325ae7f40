"""What `grader check` tells beforehand: for each criterion, how many of the cases that lose points there it shows.

    python -m benchmarks.self_check docs/validity.md -o out/self_check.jsonl

runs the public suite, as the self-check does, over every reference, style and mutant, and compares with what the kill
matrix in docs/validity.md says that grading took. Cases that OUT already has are not run again. A case is *shown*
where a public check of the criterion did not pass; a *false alarm* is one where grading took nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.config import Settings
from grader.model import Outcome, ReportStatus
from grader.pipeline import Request, grade
from grader.task import load_tasks
from grader.verify import Case, find_cases, patched

ROOT = Path(__file__).resolve().parent.parent
TASKS = ("cnn_classifier", "transformer", "gan")
SEED = 2026
Lost = dict[tuple[str, str], dict[str, bool]]
"""By task and case: whether each criterion lost points."""


def graded_losses(page: str) -> Lost:
    """What the kill matrix says: an empty cell kept all points."""
    lost: Lost = {}
    task, names = "", []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("## "):
            task = line[3:].strip()
        elif line.startswith("| name"):
            names = cells[2:-2]
        elif line.startswith("| ") and task:
            lost[task, cells[0]] = {name: bool(cell) for name, cell in zip(names, cells[2:-2], strict=True)}
    return lost


def check(case: Case, task: str) -> dict[str, Any]:
    """The public suite on one case."""
    request = Request(
        tasks=load_tasks(ROOT / "tasks", [task]), settings=Settings(backend="process", seed=SEED),
        suites=("public",), only_present=True,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        report = grade(patched(case, Path(folder)) if case.patch else case.path, request).report
    if report.status is not ReportStatus.GRADED:
        raise SystemExit(f"{task} {case.name}: {report.status} {report.reason} {report.tasks[0].reason}")
    rows, criteria = report.tasks[0].checks, report.tasks[0].criteria
    return {
        "task": task,
        "kind": case.kind,
        "name": case.name,
        "cpu_s": report.tasks[0].resources.cpu_s,
        "criteria": {row.id: row.score.earned < row.score.possible for row in criteria},
        "not_passed": {row.id: row.outcome for row in rows if row.outcome is not Outcome.PASSED},
    }


def run(output: Path) -> list[dict[str, Any]]:
    """Every case, those that `output` has from there."""
    lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
    rows = [json.loads(line) for line in lines]
    known = {(row["task"], row["name"]) for row in rows}
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("a", encoding="utf-8") as file:
        for task in TASKS:
            for case in find_cases(task, ROOT / "reference", ROOT / "candidates"):
                if case.kind == "sample" or (task, case.name) in known:
                    continue
                rows.append(check(case, task))
                print(json.dumps(rows[-1], ensure_ascii=False), file=file, flush=True)
    return rows


def table(rows: list[dict[str, Any]], graded: Lost) -> Iterator[str]:
    """One line for each criterion that has public checks."""
    yield "| task | criterion | cases | lose points | shown beforehand | not shown | false alarms |"
    yield "|---|---|---|---|---|---|---|"
    for task in TASKS:
        mine = [row for row in rows if row["task"] == task and (task, row["name"]) in graded]
        for name in dict.fromkeys(name for row in mine for name in row["criteria"]):
            lost = {row["name"] for row in mine if graded[task, row["name"]][name]}
            shown = {row["name"] for row in mine if row["criteria"][name]}
            missed = ", ".join(sorted(lost - shown)) or "-"
            cells = [task, name, len(mine), len(lost), len(lost & shown), missed, len(shown - lost)]
            yield "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("matrix", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/self_check.jsonl"))
    options = parser.parse_args()
    print("\n".join(table(run(options.output), graded_losses(options.matrix.read_text(encoding="utf-8")))))


if __name__ == "__main__":
    main()
