"""Batches whose jobs a test plays: real folders, real store, real pool and real reports, and no sandbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.batch import session
from grader.batch.discovery import Found, find_submissions
from grader.batch.keys import Ground
from grader.batch.opening import Opener
from grader.batch.show import Nothing
from grader.batch.unit import Unit
from grader.config import Settings
from grader.errors import GraderError
from grader.model import CheckResult, CheckSpec, Outcome, Task, TaskResult, TaskStatus, Text, Visibility
from grader.pipeline import Judged
from grader.runners.pool import Pool
from grader.runners.protocol import Context, Slot
from grader.store import Store
from grader.task import load_tasks

TASKS = Path(__file__).resolve().parents[1] / "data" / "tasks"
Play = Callable[[Unit, Context], Judged]


def passed(unit: Unit, _context: Context | None = None) -> Judged:
    """Full marks: one check for each criterion, told on the way."""
    checks = [
        CheckResult(
            spec=CheckSpec(
                id=f"{row.id}_check", criterion=row.id, points=row.points, title=row.title, hint=Text(en="Do it."),
                visibility=Visibility.HIDDEN,
            ),
            outcome=Outcome.PASSED,
            fraction=1.0,
        )
        for row in unit.task.criteria
    ]  # fmt: skip
    if _context is not None:
        for check in checks:
            _context.tell(check)
    return Judged(result=TaskResult(task=unit.task, status=TaskStatus.GRADED, checks=tuple(checks)))


def ungraded(unit: Unit, error: GraderError) -> Judged:
    """What the pipeline gives where we failed."""
    return Judged(result=TaskResult(task=unit.task, status=TaskStatus.UNGRADED, reason=str(error)), error=error)


@dataclass
class Room:
    """A folder of submissions, its OUT, and what was asked of the jobs."""

    folder: Path
    out: Path
    tasks: Mapping[str, Task] = field(default_factory=lambda: load_tasks(TASKS, ["adder"]))
    settings: Settings = field(default_factory=lambda: Settings(backend="process", tasks_dir=TASKS))
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """Submission, task and attempt of each job, as they started."""

    def add(self, name: str, text: str = "def add(a, b): return a + b\n", file: str = "adder.py") -> None:
        """One more submission."""
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / name / file).write_text(text, encoding="utf-8")

    def found(self) -> list[Found]:
        """What a batch finds."""
        return find_submissions(self.folder, list(self.tasks))[0]

    def grade(self, play: Play = passed, *, slots: int = 2, fresh: bool = False, stop: bool = False) -> Nothing:
        """Runs the loop; gives what it showed."""
        with self.session(play, slots=slots, fresh=fresh) as (loop, show):
            loop.run(self.found(), lambda: stop)
        return show

    @contextmanager
    def session(self, play: Play, *, slots: int = 2, fresh: bool = False) -> Iterator[tuple[session.Session, Nothing]]:
        """The loop and its show, not yet run."""

        def work(unit: Unit, context: Context) -> Judged:
            self.asked.append((unit.submission.id, unit.task.id, unit.number))
            return play(unit, context)

        self.out.mkdir(exist_ok=True)
        with Store(self.out) as store:
            ground = Ground(settings=self.settings, seed=store.seed(self.settings.seed), image="", devices=())
            runner = Pool(work, [Slot(number=number) for number in range(slots)])
            show = Nothing(len(self.found()), slots)
            yield session.Session(self.out, Opener(self.tasks, ground), store, runner, show, fresh=fresh), show

    def with_version(self, version: str) -> Room:
        """The same room after a change of its task."""
        tasks = {name: replace(task, sha256=version * 64) for name, task in self.tasks.items()}
        return Room(self.folder, self.out, tasks, self.settings)
