"""`grader tasks validate`: runs the proof of each task and prints one line for each case and a table at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from grader.config import Settings
from grader.errors import ExitCode, TaskBroken, UsageError
from grader.model import Json, Outcome, ScoredTask, Task
from grader.pipeline import Request
from grader.task import load_tasks
from grader.text import sanitize_line
from grader.verify import KINDS, Verdict, find_cases, prove
from grader.written.lint import lint_all

_REPOSITORY = Path(__file__).resolve().parent.parent
Say = Callable[[str], None]


class Validation:
    """The proof of one or more tasks, printed as it goes."""

    def __init__(
        self, settings: Settings, references: Path | None, candidates: Path | None, jobs: int, only: str
    ) -> None:
        self._settings = settings
        self._references = references or _beside(settings.tasks_dir, "reference")
        self._candidates = candidates or _beside(settings.tasks_dir, "candidates")
        self._jobs, self._only = jobs, only
        self._lock = threading.Lock()
        self.records: list[Json] = []
        """One for each case that was graded; what `--output` writes."""

    def run(self, task_ids: list[str], say: Say) -> int:
        """0 where every case of every task is as declared, 3 where not. Raises TaskBroken, SandboxUnavailable."""
        proven = [self._task(task, say) for task in load_tasks(self._settings.tasks_dir, task_ids).values()]
        return ExitCode.GRADED if all(proven) else ExitCode.TASK_BROKEN

    def _task(self, task: Task, say: Say) -> bool:
        if task.kind == "written":
            return lint_all(Path(task.root), say)
        cases = [
            case
            for case in find_cases(task.id, self._references, self._candidates)
            if self._only in case.name or self._only in case.kind
        ]
        if not cases:
            if self._only:
                hint = "a word of a case's name or kind: reference, style, mutant, sample"
                raise UsageError(f"task {task.id} has no case that matches {self._only!r}", hint=hint)
            raise TaskBroken(f"task {task.id} has no cases", hint="expected reference/<task>/; see --references")
        started = time.monotonic()
        say(f"{task.id} {task.version}: {len(cases)} cases, {self._jobs} at a time, backend {self._settings.backend}")
        request = Request(tasks={task.id: task}, settings=replace(self._settings))
        verdicts = prove(cases, request, jobs=self._jobs, on_verdict=lambda verdict: self._line(verdict, say))
        self.records += [_record(task.id, verdict) for verdict in verdicts]
        self._summary(task, verdicts, time.monotonic() - started, say)
        return all(not verdict.problems for verdict in verdicts)

    def _line(self, verdict: Verdict, say: Say) -> None:
        report, case = verdict.report, verdict.case
        task = report.tasks[0] if report and report.tasks else None
        mark = "ok " if not verdict.problems else "BAD"
        numbers = f"{report.score.percent:5.1f} %" if report else ""
        cpu = f"{task.resources.cpu_s:5.1f} s CPU  {_lost(task)}" if task else ""
        with self._lock:
            say(f"{mark} {case.kind:9} {case.name:34} {numbers}  {cpu}".rstrip())
            for problem in verdict.problems:
                say(f"      {sanitize_line(problem, 600)}  [not passed: {_failed(task) if task else '-'}]")

    def _summary(self, task: Task, verdicts: list[Verdict], seconds: float, say: Say) -> None:
        for kind in KINDS:
            mine = [verdict for verdict in verdicts if verdict.case.kind == kind]
            good = sum(not verdict.problems for verdict in mine)
            if mine:
                say(f"{kind:9} {good} of {len(mine)} as declared")
        state = "proven" if all(not verdict.problems for verdict in verdicts) else "NOT proven"
        say(f"{task.id} is {state} ({seconds:.0f} s)")


def _beside(tasks_dir: Path, name: str) -> Path:
    """The folder `name` beside the tasks; the repository's where there is none: for a copy of its tasks."""
    folder = tasks_dir.resolve().parent / name
    return folder if folder.is_dir() else _REPOSITORY / name


def _record(task_id: str, verdict: Verdict) -> Json:
    """What a case got, in plain JSON: the material of a kill matrix."""
    task = verdict.report.tasks[0] if verdict.report and verdict.report.tasks else None
    return {
        "task": task_id,
        "kind": verdict.case.kind,
        "name": verdict.case.name,
        "proven": not verdict.problems,
        "problems": list(verdict.problems),
        "percent": verdict.report.score.percent if verdict.report else None,
        "cpu_s": task.resources.cpu_s if task else None,
        "seed": str(verdict.report.run.seed) if verdict.report else "",
        "criteria": {row.id: [row.score.earned, row.score.possible] for row in task.criteria} if task else {},
        "not_passed": {row.id: row.outcome for row in task.checks if row.outcome is not Outcome.PASSED} if task else {},
        "diagnosis": {row.id: row.confidence for row in task.diagnosis} if task else {},
    }


def _lost(task: ScoredTask) -> str:
    """The criteria that lost points, with what they earned."""
    scores = {criterion.id: criterion.score for criterion in task.criteria}
    lost = [f"{name} {s.earned:g}/{s.possible:g}" for name, s in scores.items() if s.earned < s.possible]
    return ", ".join(lost)


def _failed(task: ScoredTask) -> str:
    return ", ".join(check.id for check in task.checks if check.outcome is not Outcome.PASSED) or "-"
