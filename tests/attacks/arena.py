"""Runs attacks as real gradings, some beside each other, with the two controls before and after them.

An attack is a folder below `data/`: `attack.toml` says its class, what it tries and what it must get;
`submission/` holds its files. What it got is read from the report, what it did from its own words: an attack prints
TRIED once it came to its point, and BREACH where it got what it must not get.
"""

from __future__ import annotations

import json
import re
import shutil
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grader.config import Settings
from grader.model import Outcome, ScoredCheck, Visibility
from grader.pipeline import Graded, Request, grade
from grader.reports import WRITERS, writer
from grader.reports.as_json import to_json
from grader.reports.audience import for_candidate
from grader.reports.look import Look
from grader.sandbox.container import connect
from grader.sandbox.profile import LABEL
from grader.task import load_tasks
from tests import warm

DATA: Final = Path(__file__).with_name("data")
TASKS: Final = DATA / "tasks"
HELPERS: Final = DATA / "helpers"
TOOLS: Final = ("telltale.py", "frames.py")
"""What every attack may import."""
CANARY: Final = "CANARY-HIDDEN-VAULT"
TRIED, BREACH = "TRIED", "BREACH"
BESIDE: Final = 3
"""Gradings at a time: most of one is waiting."""
FIRST_SLOT: Final = 40
SEED: Final = 0x5EC2E7_5EED_0A77
CONTROLS: Final = {"correct": 10.0, "wrong": 0.0}


@dataclass(frozen=True)
class Attack:
    """One folder below `data/`."""

    folder: Path
    kind: str
    tries: str
    must: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Group and folder."""
        return f"{self.folder.parent.name}/{self.folder.name}"


def attacks(group: str) -> list[Attack]:
    """All attacks of a group, by name."""
    found = []
    for path in sorted((DATA / group).glob("*/attack.toml")):
        about = tomllib.loads(path.read_text(encoding="utf-8"))
        found.append(Attack(path.parent, str(about["class"]), str(about["tries"]), about.get("must", {})))
    return found


def settings(**changes: Any) -> Settings:
    """Real isolation, and a seed that nothing of an attack may show."""
    fields: dict[str, Any] = {"tasks_dir": TASKS, "backend": "docker", "seed": SEED} | changes
    return Settings(**fields)


def run(folder: Path, slot: int = 0, **changes: Any) -> Graded:
    """One grading of the tiny task."""
    tasks = load_tasks(TASKS, ["vault"])
    return grade(folder, Request(tasks=tasks, settings=settings(**changes), slot=slot, start=warm.start()))


def prepared(attack: Attack, into: Path) -> Path:
    """The submission of an attack, with the modules by which it tells what it did and writes frames of its own."""
    target = into / attack.name.replace("/", "-")
    shutil.copytree(attack.folder / "submission", target)
    for name in TOOLS:
        shutil.copy(HELPERS / name, target)
    return target


def control(name: str, into: Path) -> Path:
    """The submission of a control."""
    target = into / name
    if not target.exists():
        shutil.copytree(DATA / "controls" / name, target)
        shutil.copy(HELPERS / "key.py", target)
    return target


@dataclass(frozen=True)
class Fought:
    """What a block of attacks came to."""

    got: dict[str, Graded]
    before: dict[str, float]
    after: dict[str, float]
    left: list[str]


def fight(block: Sequence[Attack], into: Path) -> Fought:
    """Grades both controls, every attack and both controls again, a few at a time, in this order."""
    folders = [control(name, into) for name in CONTROLS]
    jobs = [*folders, *(prepared(attack, into) for attack in block), *folders]
    with ThreadPoolExecutor(BESIDE) as pool:
        futures = [pool.submit(run, folder, FIRST_SLOT + number) for number, folder in enumerate(jobs)]
        done = [future.result() for future in futures]
    scores = [graded.report.score.earned for graded in done]
    return Fought(
        got={attack.name: graded for attack, graded in zip(block, done[2:-2], strict=True)},
        before=dict(zip(CONTROLS, scores[:2], strict=True)),
        after=dict(zip(CONTROLS, scores[-2:], strict=True)),
        left=[name for graded in done for name in containers(graded.report.run.id)],
    )


def containers(run_id: str) -> list[str]:
    """What the engine still has of a run."""
    with closing(connect()) as client:
        found = client.api.containers(all=True, filters={"label": f"{LABEL}={run_id}"})
        return [row["Id"] for row in found]


def checks(graded: Graded) -> Sequence[ScoredCheck]:
    """The checks of the one task."""
    return graded.report.tasks[0].checks


def words(graded: Graded) -> str:
    """All that the candidate's code could put into the report."""
    return "\n".join(f"{check.message}\n{check.output}\n{check.location}" for check in checks(graded))


def lateness(graded: Graded) -> list[float]:
    """Seconds by which each call that hung outlived its wall-clock limit, opening and loading included.

    The cells of a notebook have wider limits of their own.
    """
    limits = graded.report.tasks[0].limits
    allowed = limits.wall_slack_s + limits.wall_factor * limits.call_cpu_s
    hung = [check for check in checks(graded) if check.outcome == Outcome.TIMEOUT and "the call hung" in check.message]
    return [check.duration_s - allowed for check in hung]


def unclean(text: str) -> bool:
    """True for a text with an escape, a control but newline and tab, a mark of direction or a broken character."""
    return any(
        (char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cf", "Cs")) or char in "\u2028\u2029"
        for char in text
    )


def shown(graded: Graded) -> dict[str, str]:
    """The report in every format that there is, for the interviewer and for the candidate."""
    record = to_json(graded.report)
    copies = {"interviewer": record, "candidate": for_candidate(record)}
    return {
        f"{name} for the {audience}": writer(name)(copy, Look())
        for name in WRITERS
        for audience, copy in copies.items()
    }


def leaks(graded: Graded) -> list[str]:
    """Reports that would harm their reader's terminal, or tell a candidate what is not theirs to know."""
    found = shown(graded)
    hidden = [f"{row.message}\n{row.output}" for row in checks(graded) if row.visibility == Visibility.HIDDEN]
    inputs = {number for text in hidden for number in re.findall(r"\d{7,}", text)}
    told = [
        f"{name} tells {secret}"
        for name, text in found.items()
        for secret in (CANARY, str(SEED), *inputs)
        if "candidate" in name and secret in text
    ]
    plain = {name: text.removeprefix("\ufeff").replace("\r\n", "\n") for name, text in found.items()}  # as CSV has them
    return told + [f"{name} is not clean" for name, text in plain.items() if unclean(text)]


def problems(attack: Attack, graded: Graded) -> list[str]:
    """How the result of an attack differs from what it must get."""
    must, report = attack.must, graded.report
    said, record = words(graded), json.dumps(to_json(report))
    low, high = must.get("score", [0.0, 0.0])
    outcomes = {str(check.outcome) for check in checks(graded)}
    allowed = set(must.get("outcomes", outcomes))
    rows = {
        f"it was {report.status}: {graded.error}": report.status != "graded" or graded.error is not None,
        f"it earned {report.score.earned}": not low <= report.score.earned <= high,
        f"outcomes {sorted(outcomes)}": not outcomes <= allowed,
        f"it never came to its point: {said[:300]!r}": must.get("says", TRIED) not in said,
        f"it says that it got through: {said[-300:]!r}": BREACH in said or BREACH in record,
        "it saw the hidden suite": CANARY in record or CANARY in said,
        "it saw the secret seed": str(SEED) in said or f"{SEED:x}" in said,
        "it was not isolated": not report.run.isolated or not report.run.attestation["vault"]["green"],
        f"{must.get('absent')} exists": "absent" in must and Path(must["absent"]).exists(),
        f"some check passed: {outcomes}": high == 0 and "passed" in outcomes,
    }
    wrong = [line for line, holds in rows.items() if holds]
    wrong += [f"{word} is in an artifact" for word in must.get("absent_in_artifacts", ()) if word in artifacts(graded)]
    return wrong + leaks(graded)


def artifacts(graded: Graded) -> str:
    """What a viewer may render of the files beside the report: of notebooks not the source of code or plain text."""
    return "\n".join(_rendered(name, content).lower() for name, content in graded.files.items())


def _rendered(name: str, content: bytes) -> str:
    if not name.endswith(".ipynb"):
        return content.decode("utf-8", "replace")
    cells = json.loads(content)["cells"]
    inert = [cell for cell in cells if cell["cell_type"] == "code" or cell["metadata"].get("format") == "text/plain"]
    return json.dumps([{**cell, "source": ""} if cell in inert else cell for cell in cells])
