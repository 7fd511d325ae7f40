"""Proves rubrics before they grade anybody: `python -m grader.written.lint tasks/written/q01.toml`, or the folder.

An error ends with exit code 3, as a broken task does. The checks are listed in docs/writing-rubrics.md.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from statistics import fmean

from grader.errors import ExitCode, GraderError, TaskBroken
from grader.written.aliases import is_shrunk
from grader.written.calibration import Calibration, shipped
from grader.written.compiled import CompiledPoint, CompiledRubric, compile_rubrics
from grader.written.grade import AnswerGrade, Verdict, grade_answer
from grader.written.match import match_point
from grader.written.negation import negators
from grader.written.rubric import Exemplar, Point, load_exemplars, load_rubric
from grader.written.template import problem_of
from grader.written.tokens import read

REFERENCE = 0.95
QUESTION = 0.10
MEAN_ERROR = 0.12
FAR = 0.25
_KINDS = ("strong", "medium", "weak", "wrong_fluent", "off_topic", "stuffed", "copied")

Finding = tuple[str, str]
"""("error" or "warning", what)."""


def lint(path: Path, others: dict[str, CompiledRubric] | None = None) -> Iterator[Finding]:
    """What is wrong with the rubric in the file `path` and with what belongs to it. Raises TaskBroken."""
    rubric = load_rubric(path)
    compiled = (others or {}).get(rubric.id) or compile_rubrics([rubric])[rubric.id]
    references = path.parent.parent.parent / "reference" / path.parent.name
    calibration = shipped()
    yield from _aliases(compiled)
    yield from _models(compiled)
    yield from _question(compiled, calibration)
    for lang in ("en", "zh"):
        yield from _reference(compiled, references / f"{rubric.id}.{lang}.md", calibration)
    exemplars = load_exemplars(path.parent / "exemplars" / f"{rubric.id}.jsonl", rubric)
    yield from _exemplars(exemplars)
    yield from _agreement(compiled, exemplars, calibration, others)


def _aliases(rubric: CompiledRubric) -> Iterator[Finding]:
    for point in rubric.rubric.points:
        for number, group in enumerate(point.all_of, start=1):
            place = f"{point.id}, group {number}"
            chinese = [alias for alias in group if any("\u4e00" <= char <= "\u9fff" for char in alias)]
            if not chinese or (len(chinese) == len(group)):
                yield "warning", f"{place}: has aliases in one language only"
            for alias, count in Counter(group).items():
                if count > 1:
                    yield "warning", f"{place}: {alias!r} stands twice"
        yield from _in_question(rubric, point)
    for row in rubric.points:
        yield from _compiled_aliases(row)


def _compiled_aliases(row: CompiledPoint) -> Iterator[Finding]:
    """Aliases of which nothing or only one word is left, and words that earn two groups at once."""
    named = [(f"{row.point.id}, group {number}", group) for number, group in enumerate(row.groups, start=1)]
    for number, line in enumerate(row.contradictions, start=1):
        named += [(f"{row.point.id}, contradiction {number}", group) for group in line.groups]
    for place, group in named:
        for alias in group:
            if not alias.pieces:
                yield "error", f"{place}: {alias.source!r} has no word to look for"
            elif is_shrunk(alias):
                yield "warning", f"{place}: {alias.source!r} finds the word {alias.pieces[0].keys[0]!r} alone"
    for (one, first), (other, second) in combinations(named[: len(row.groups)], 2):
        words = {alias.pieces: alias.source for alias in first}
        for alias in second:
            if alias.pieces in words:
                both = f"{words[alias.pieces]!r} and {alias.source!r}"
                yield "warning", f"{one} and {other.rpartition(', ')[2]}: the same words earn both, by {both}"


def _in_question(rubric: CompiledRubric, point: Point) -> Iterator[Finding]:
    for document in rubric.questions:
        row = next(row for row in rubric.points if row.point is point)
        found = match_point(row, document, frozenset(), frozenset())
        for word in found.words:
            yield "warning", f"{point.id}: {word!r} is in the question"


def _models(rubric: CompiledRubric) -> Iterator[Finding]:
    for row in rubric.points:
        for lang in ("en", "zh"):
            document = read(row.point.model.in_language(lang))
            found = match_point(row, document, negators(document), frozenset())
            if found.state != "met":
                missing = [str(index + 1) for index, group in enumerate(row.groups) if not _any(group, document)]
                what = f"groups {', '.join(missing)} not found" if missing else "a group is negated"
                yield "error", f"{row.point.id}: model.{lang} does not earn the point ({found.state}: {what})"
            if found.misconceptions:
                yield "error", f"{row.point.id}: model.{lang} triggers a contradiction"
        for number, line in enumerate(row.point.contradictions, start=1):
            for lang in ("en", "zh"):
                document = read(line.says.in_language(lang))
                hit = match_point(row, document, negators(document), frozenset()).misconceptions
                if line not in [seen.contradiction for seen, _ in hit]:
                    yield "error", f"{row.point.id}: says.{lang} of contradiction {number} does not trigger it"


def _any(group, document) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
    from grader.written.aliases import find_any

    return bool(find_any(group, document))


def _question(rubric: CompiledRubric, calibration: Calibration) -> Iterator[Finding]:
    for lang in ("en", "zh"):
        share = grade_answer(rubric, rubric.rubric.question.in_language(lang), calibration).share
        if share > QUESTION:
            yield "error", f"the question in {lang} scores {share:.2f}; at most {QUESTION} is allowed"


def _reference(rubric: CompiledRubric, path: Path, calibration: Calibration) -> Iterator[Finding]:
    if not path.is_file():
        yield "error", f"{path} is missing"
        return
    grade = grade_answer(rubric, path.read_text(encoding="utf-8"), calibration)
    if grade.share < REFERENCE:
        yield "error", f"{path.name} scores {grade.share:.2f}, not {REFERENCE}: {_lost(grade)}"
    if grade.flags:
        yield "error", f"{path.name} is flagged: {', '.join(grade.flags)}"


def _lost(grade: AnswerGrade) -> str:
    rest = [point for point in grade.points if point.verdict is not Verdict.MET]
    return "; ".join(f"{point.id} {point.verdict} ({point.reason})" for point in rest)


def _exemplars(exemplars: tuple[Exemplar, ...]) -> Iterator[Finding]:
    if len(exemplars) < 8:
        yield "error", f"{len(exemplars)} exemplars; at least 8 are needed"
    for name, wanted in (("kind", _KINDS), ("language", ("en", "zh")), ("split", ("train", "test"))):
        missing = set(wanted) - {getattr(exemplar, name) for exemplar in exemplars}
        if missing:
            yield "error", f"no exemplar of {name} {', '.join(sorted(missing))}"


def _agreement(
    rubric: CompiledRubric,
    exemplars: tuple[Exemplar, ...],
    calibration: Calibration,
    others: dict[str, CompiledRubric] | None,
) -> Iterator[Finding]:
    errors = []
    for exemplar in exemplars:
        if exemplar.split != "train":
            continue  # what lint prints is what authors tune to
        grade = grade_answer(rubric, exemplar.text, calibration, others)
        error = grade.share - exemplar.score(rubric.rubric)
        errors.append(abs(error))
        if abs(error) > FAR:
            human = exemplar.score(rubric.rubric)
            scores = f"machine {grade.share:.2f}, human {human:.2f}"
            yield "warning", f"{exemplar.id} ({exemplar.kind}): {scores}: {_differ(grade, exemplar)}"
    mean = fmean(errors) if errors else 0.0
    if mean > MEAN_ERROR:
        yield "error", f"mean absolute error over the train exemplars is {mean:.3f}; at most {MEAN_ERROR} is allowed"


def _differ(grade: AnswerGrade, exemplar: Exemplar) -> str:
    rows = [(point, exemplar.point_score(point.id)) for point in grade.points]
    flags = f"flags {', '.join(grade.flags)}; " if grade.flags else ""
    return flags + "; ".join(
        f"{point.id} {point.credit:.2f} for {human:g} ({point.reason})"
        for point, human in rows
        if abs(point.credit - human) >= 0.25
    )


def lint_all(path: Path, say: Callable[[str], None]) -> bool:
    """Lints one rubric or a folder of them, tells what is wrong; True where there is no error."""
    paths = sorted(path.glob("q[0-9][0-9].toml")) if path.is_dir() else [path]
    others: dict[str, CompiledRubric] = {}
    if path.is_dir():
        others = compile_rubrics(load_rubric(one) for one in paths)
    good = [_lint_one(one, others, say) for one in paths]
    if path.is_dir() and all(good):  # a rubric that cannot be read has no question to compare
        problem = problem_of(path) if good else f"{path} has no q01.toml ..."
        good.append(not problem)
        if problem:
            say(f"  error: {problem}")
    return bool(good) and all(good)


def _lint_one(path: Path, others: dict[str, CompiledRubric], say: Callable[[str], None]) -> bool:
    try:
        findings = sorted(set(lint(path, others)))
    except TaskBroken as error:
        findings = [("error", str(error))]
    say(f"{path.name}: {len(findings) or 'ok'}")
    for kind, what in findings:
        say(f"  {kind}: {what}")
    return all(kind != "error" for kind, _ in findings)


def main(arguments: list[str]) -> int:
    """Lints the files or folders named; the exit code says whether anything is wrong."""
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.exit("usage: python -m grader.written.lint RUBRIC.toml|FOLDER ...")
    good = [lint_all(Path(name), print) for name in arguments]
    return ExitCode.GRADED if good and all(good) else ExitCode.TASK_BROKEN


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except GraderError as error:
        sys.exit(f"grader: {error}")
