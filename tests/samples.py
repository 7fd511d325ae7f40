"""Ready-made values for tests: a task, a result and a report with something in every field."""

from __future__ import annotations

from dataclasses import replace

from grader.model import (
    Artifact,
    CheckResult,
    CheckSpec,
    Criterion,
    Diagnosis,
    Evidence,
    Limits,
    Outcome,
    Report,
    ReportStatus,
    Resources,
    Run,
    Score,
    ScoredPoint,
    ScoredQuestion,
    Submission,
    Task,
    TaskResult,
    TaskStatus,
    Text,
    Visibility,
)
from grader.scoring import score_report

TASK_TOML = """
id = "toy"
version = "1.2"
gpu = "optional"

[title]
en = "Toy"
zh = "玩具"

[[criteria]]
id = "contract"
points = 40
title = { en = "Contract", zh = "接口" }

[[criteria]]
id = "learning"
points = 60
title = { en = "Learning" }

[limits]
memory_mb = 512
call_cpu_s = 3
pids = 64
"""

CRITERIA = (
    Criterion(id="contract", title=Text(en="Contract", zh="接口"), points=40.0),
    Criterion(id="learning", title=Text(en="Learning"), points=60.0),
)
TASK = Task(
    id="toy", version="1.2", title=Text(en="Toy", zh="玩具"), root="tasks/toy", criteria=CRITERIA, limits=Limits(),
    sha256="ab" * 32,
)  # fmt: skip
SUBMISSION = Submission(
    id="alice", candidate="Alice 李", files={"toy.py": b""}, entries={}, sha256="cd" * 32, notes=("skipped .git",)
)
RUN = Run(
    id="r1", backend="docker", isolated=True, seed=987654321, started_at="2025-01-01T00:00:00Z", duration_s=12.5,
    image="sha256:1234", attestation={"toy": {"seccomp": 2}}, host={"cpus": 2}, versions={"python": "3.11.7"},
)  # fmt: skip
ANSWER = "我会 clip the norm。"
DIAGNOSIS = Diagnosis(
    id="mask_inverted", bug=Text(en="the mask convention is inverted", zh="掩码约定反了"),
    question=Text(en="What does True mean in your mask?", zh="掩码里的 True 表示什么？"), confidence=0.9,
    evidence="hidden row 3",
)  # fmt: skip


def check(
    name: str, criterion: str = "contract", points: float = 40.0, outcome: Outcome = Outcome.PASSED,
    visibility: Visibility = Visibility.HIDDEN, fraction: float | None = None, message: str = "",
) -> CheckResult:  # fmt: skip
    """A check's result; its fraction follows from the outcome unless given."""
    spec = CheckSpec(
        id=name, criterion=criterion, points=points, title=Text(en=f"title of {name}", zh=f"{name}的标题"),
        hint=Text(en=f"hint of {name}", zh=f"{name}的提示"), visibility=visibility,
    )  # fmt: skip
    share = fraction if fraction is not None else float(outcome is Outcome.PASSED)
    return CheckResult(spec=spec, outcome=outcome, fraction=share, message=message)


def result(*checks: CheckResult, status: TaskStatus = TaskStatus.GRADED, task: Task = TASK) -> TaskResult:
    """A task's result with those checks."""
    resources = Resources(wall_s=2.0, cpu_s=1.5, max_rss_bytes=10**8)
    return TaskResult(task=task, status=status, checks=checks, resources=resources)


def report(*checks: CheckResult) -> Report:
    """A graded report over one task."""
    return score_report(SUBMISSION, [result(*checks)], RUN)


def full_report() -> Report:
    """A report with something in every field, written answers and artifacts included."""
    graded = report(
        check(
            "shape", visibility=Visibility.PUBLIC, outcome=Outcome.FAILED, fraction=0.5, message="shape (2,) not (3,)"
        ),
        check("accuracy", "learning", 60.0, outcome=Outcome.RAISED, message="accuracy 0.41 below 0.9"),
    )
    point = ScoredPoint(
        id="p1", title=Text(en="names clipping", zh="提到裁剪"), score=Score(earned=1.0, possible=2.0),
        evidence=(Evidence(quote="clip the norm", start=3, end=16),), rationale="pattern 'clip'",
    )  # fmt: skip
    question = ScoredQuestion(
        id="q01",
        language="zh",
        score=Score(earned=1.0, possible=2.0),
        points=(point,),
        flags=("short",),
        needs_review=True,
        answer=ANSWER,
    )
    task = replace(
        graded.tasks[0],
        questions=(question,),
        diagnosis=(DIAGNOSIS,),
        artifacts=(Artifact(name="notebook", media_type="application/x-ipynb+json", path="artifacts/toy.ipynb"),),
    )
    return replace(graded, tasks=(task,), run=replace(graded.run, gpu={"name": "test"}), status=ReportStatus.GRADED)
