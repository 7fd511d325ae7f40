"""The values that cross module borders: frozen, keyword-built, free of behaviour beyond their own sums.

Nothing here reads a clock, a disk or a socket. Bilingual texts are `Text`; points are floats that
`scoring` rounds to hundredths.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class Outcome(StrEnum):
    """How one check ended. The candidate's outcomes and ours never share a value."""

    PASSED = "passed"
    FAILED = "failed"
    """The answer came and is wrong (value, type, shape)."""
    RAISED = "raised"
    """The candidate's code raised."""
    TIMEOUT = "timeout"
    """The CPU-time limit, or the wider wall limit that stops hangs."""
    MEMORY = "memory"
    """The container's memory limit, or a GPU's memory: `CheckResult.memory` says which."""
    CRASHED = "crashed"
    """The process ended without an answer."""
    INVALID = "invalid"
    """There is nothing to call: no such function, a syntax error, an ambiguous entry."""
    OUTPUT_LIMIT = "output_limit"
    """A flood of prints, or an answer larger than the cap."""
    PROTOCOL = "protocol"
    """Bytes on the wire that the protocol does not allow."""
    BLOCKED = "blocked"
    """Cannot be judged because a check that it depends on did not pass."""
    TASK_BROKEN = "task_broken"
    """Ours: the suite itself failed."""
    SANDBOX_DOWN = "sandbox_down"
    """Ours: the engine or the host failed by its own evidence."""

    @property
    def ours(self) -> bool:
        """True where the candidate must not pay for it."""
        return self in (Outcome.TASK_BROKEN, Outcome.SANDBOX_DOWN)


class Visibility(StrEnum):
    """Whether a candidate has the check's source."""

    PUBLIC = "public"
    HIDDEN = "hidden"


class TaskStatus(StrEnum):
    """What became of one task of a submission."""

    GRADED = "graded"
    MISSING = "missing"
    UNGRADED = "ungraded"


class ReportStatus(StrEnum):
    """What became of a submission as a whole."""

    GRADED = "graded"
    REJECTED = "rejected"
    UNGRADED = "ungraded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One text in both languages; `zh` falls back to English where it is empty."""

    en: str
    zh: str = ""

    def in_language(self, lang: str) -> str:
        """The text in `lang` ("en" or "zh")."""
        return self.zh if lang == "zh" and self.zh else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Points, rounded to hundredths by `scoring`."""

    earned: float
    possible: float

    @property
    def percent(self) -> float:
        """`earned` of `possible` in percent, one decimal; 0 where nothing is possible."""
        return round(100.0 * self.earned / self.possible, 1) if self.possible else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One line of the rubric: the points that a group of checks shares out."""

    id: str
    title: Text
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A check as its test declares it, before anything ran."""

    id: str
    criterion: str
    points: float
    title: Text
    hint: Text
    visibility: Visibility
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A check after the run. `fraction` in [0, 1] of the points; 1 exactly where it passed."""

    spec: CheckSpec
    outcome: Outcome
    fraction: float
    message: str = ""
    location: str = ""
    """Line of the candidate's own file where it raised, e.g. "cnn_classifier.py:31"; "" if it did not."""
    exception: str = ""
    """Built-in class of what was raised, e.g. "ValueError"; "" if nothing was."""
    memory: str = ""
    """Whose memory was used up where the outcome is `memory`: "gpu" or "host"."""
    output: str = ""
    """The tail of what the candidate's code printed during this check; shown, never parsed."""
    duration_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a sandbox may use; from `[limits]` of task.toml."""

    memory_bytes: int = 2 * 1024**3
    pids: int = 128
    cpus: float = 2.0
    threads: int = 1
    """Threads that torch uses for one operation; one gives the same floats on every machine size."""
    tmpfs_bytes: int = 256 * 1024**2
    tmpfs_inodes: int = 16384
    shm_bytes: int = 256 * 1024**2
    call_cpu_s: float = 10.0
    """CPU time for one call unless the test asks for more."""
    wall_factor: float = 6.0
    """A call's wall limit is `wall_slack_s + wall_factor * cpu limit`: it only stops hangs."""
    wall_slack_s: float = 10.0
    task_cpu_s: float = 300.0
    """CPU time for all the calls of a task together."""
    task_wall_s: float = 900.0
    output_bytes: int = 64 * 1024**2
    """What all calls of a task may print before it counts as a flood."""
    blob_bytes: int = 64 * 1024**2
    """Largest tensor body of one frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A slip that a task's suite can name: what it is, and what an interviewer could ask about it."""

    id: str
    text: Text
    question: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task as `task.load` found it. Paths are strings so that a job can cross a process border."""

    id: str
    version: str
    title: Text
    root: str
    criteria: tuple[Criterion, ...]
    limits: Limits
    kind: str = "code"
    """"code" has suites and needs a sandbox; "written" has rubrics, and a criterion for each question."""
    gpu: str = "none"
    """"none", "optional" or "required"."""
    sha256: str = ""
    bugs: tuple[Bug, ...] = ()
    """The slips of hidden/bugs.toml."""

    @property
    def possible(self) -> float:
        """The task's points."""
        return sum(criterion.points for criterion in self.criteria)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The file that answers one task: `path` inside the submission, or why there is none to run."""

    path: str = ""
    kind: str = "py"
    """"py" or "ipynb"."""
    problem: str = ""
    """Why the entry cannot be used (two entries, wrong suffix); the task is then `invalid`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A submission in memory. `files` maps POSIX paths relative to its root to bytes."""

    id: str
    candidate: str
    files: Mapping[str, bytes]
    entries: Mapping[str, Entry]
    """By task id; a task that is not a key is missing."""
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What one task used, read on the trusted side (container's cgroup, judge's clock)."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    max_rss_bytes: int = 0
    gpu_mem_bytes: int = 0
    """Peak of the device beyond what was in use before, by the driver's account; 0 without a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFacts:
    """How a sandbox was isolated: what was asked, what the engine says, what the worker saw."""

    backend: str
    isolated: bool
    image: str = ""
    attestation: Json = field(default_factory=dict)
    versions: Json = field(default_factory=dict)
    gpu: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A nameable slip that explains what failed. `confidence` is in (0, 1]; `evidence` is a sentence with figures."""

    id: str
    bug: Text
    question: Text
    """What an interviewer could ask next."""
    confidence: float
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFile:
    """A file to keep beside the report, made or cleaned on the trusted side; `name` and `suffix` are ours."""

    name: str
    media_type: str
    suffix: str
    """With its dot: ".svg"."""
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """Everything that one task's run produced, before it is scored."""

    task: Task
    status: TaskStatus
    checks: Sequence[CheckResult] = ()
    resources: Resources = Resources()
    questions: Sequence[ScoredQuestion] = ()
    """Of the written task."""
    facts: SandboxFacts | None = None
    reason: str = ""
    """Why it is missing or ungraded; of a written task also what is unanswered."""
    diagnosis: tuple[Diagnosis, ...] = ()
    artifacts: tuple[ArtifactFile, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know of how it ran: the cells of a notebook that raised, lines that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCriterion:
    """One line of the rubric with what its checks earned."""

    id: str
    title: Text
    score: Score


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredCheck:
    """One check as reports show it: the declaration, the outcome and the points."""

    id: str
    criterion: str
    title: Text
    hint: Text
    visibility: Visibility
    outcome: Outcome
    score: Score
    message: str = ""
    location: str = ""
    exception: str = ""
    memory: str = ""
    output: str = ""
    duration_s: float = 0.0
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A passage of an answer: `quote` is the text between the character offsets `start` and `end`."""

    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """What a language model says of one point, beside the score that counts. `error` says why it says nothing."""

    verdict: str
    """met, partial, unmet or cannot_assess."""
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
    samples: int = 0
    agreement: float = 0.0
    """Share of the samples with this verdict."""
    flags: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionSummary:
    """A language model's opinion on one answer: its share of the points, and what it took."""

    model: str
    share: float
    """In [0, 1], summed here from the verdicts; points without one count as the offline grader has them."""
    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPoint:
    """One point of a question's rubric, with the passages that earned it."""

    id: str
    title: Text
    score: Score
    verdict: str = ""
    """met, partial, unmet or contradicted."""
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    rationale: str = ""
    llm: SecondOpinion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredQuestion:
    """One written answer."""

    id: str
    language: str
    score: Score
    points: tuple[ScoredPoint, ...] = ()
    flags: tuple[str, ...] = ()
    needs_review: bool = False
    llm: OpinionSummary | None = None
    answer: str = ""
    """What was read of the candidate's text; the offsets of evidence count its characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file kept beside the report; `path` is relative to it and chosen by us."""

    name: str
    media_type: str
    path: str
    sha256: str = ""
    """Of its bytes, from the moment it is kept; "" in reports of earlier versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredTask:
    """One task of one submission, scored. An ungraded task earns 0 here and makes the report ungraded."""

    id: str
    version: str
    title: Text
    sha256: str
    status: TaskStatus
    score: Score
    limits: Limits
    resources: Resources = Resources()
    reason: str = ""
    criteria: tuple[ScoredCriterion, ...] = ()
    checks: tuple[ScoredCheck, ...] = ()
    questions: tuple[ScoredQuestion, ...] = ()
    diagnosis: tuple[Diagnosis, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    notes: tuple[str, ...] = ()
    """See TaskResult."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Where, when and how a submission was graded."""

    id: str
    backend: str
    isolated: bool
    """True where every sandbox of the run was isolated."""
    seed: int
    started_at: str
    """UTC, ISO 8601."""
    duration_s: float = 0.0
    image: str = ""
    attestation: Json = field(default_factory=dict)
    """By task id."""
    gpu: Json | None = None
    host: Json = field(default_factory=dict)
    versions: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionInfo:
    """What a report says about a submission; "" as `sha256` where intake refused it."""

    id: str
    candidate: str
    sha256: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole result of one submission; `reports.as_json` writes it and loads it back equal."""

    grader_version: str
    submission: SubmissionInfo
    status: ReportStatus
    score: Score
    run: Run
    tasks: tuple[ScoredTask, ...] = ()
    reason: str = ""
    """Why it is rejected or ungraded."""
