"""Reads what is compared: submissions, references, and the starters and questions that everybody was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import SubmissionRejected, UsageError
from grader.model import Submission, Task
from grader.similarity.answers import answer_words, quoted, size_for
from grader.similarity.code import SIZE, code_pieces, code_words
from grader.similarity.units import Piece, Unit
from grader.submission import is_form, listed, load_submission, refuse_single, submission_id
from grader.written.intake import find_answers
from grader.written.rubric import load_rubrics

REFERENCE = "reference"
_CODE = (".py", ".ipynb")


@dataclass(slots=True)
class Collected:
    """The sides of all comparisons, the grams that match nothing by task or question, and what was left out."""

    units: list[Unit] = field(default_factory=list)
    known: dict[str, frozenset[int]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    submissions: int = 0


def collect(folder: Path, tasks: Mapping[str, Task], references: Path | None) -> Collected:
    """Everything that `folder`'s submissions are compared by. Raises UsageError where there is none.

    Submissions are read as bytes under intake's rules; nothing of them is imported or run. One that intake refuses is
    left out and named.
    """
    found = Collected()
    for task in tasks.values():
        _add_known(found, task, references)
    code = [task.id for task in tasks.values() if task.kind == "code"]
    paths = _submissions(folder)
    refuse_single(folder, paths, code)
    for path in paths:
        try:
            submission = load_submission(path, code)
        except SubmissionRejected as error:
            found.left_out.append(f"{submission_id(path, code)}: {error}")
            continue
        found.submissions += 1
        found.units += _of_submission(submission, tasks)
    if not found.submissions:
        hint = "give the folder of the submissions themselves: stored reports do not hold their files"
        raise UsageError(f"there is no submission in {folder}", hint=hint)
    return found


def _submissions(folder: Path) -> list[Path]:
    paths = [path for path in listed(folder) if not path.name.startswith((".", "_"))]
    return [path for path in paths if is_form(path) and not (path / "report.json").is_file()]


def _of_submission(submission: Submission, tasks: Mapping[str, Task]) -> Iterator[Unit]:
    """The code for each task: its entry, and the modules that are no task's entry. Then the answers."""
    entries = {task_id: entry.path for task_id, entry in submission.entries.items() if entry.path in submission.files}
    modules = [name for name in sorted(submission.files) if name.endswith(".py") and name not in entries.values()]
    for task_id, path in entries.items():
        yield code_unit(submission.id, task_id, submission.files, [path, *modules])
    for task in tasks.values():
        if task.kind == "written":
            for question, answer in find_answers(submission.files, ()).by_question.items():
                yield answer_unit(submission.id, question, answer.source, answer.text)


def code_unit(
    owner: str, task_id: str, files: Mapping[str, bytes], names: Iterable[str], *, public: bool = False
) -> Unit:
    """The code in those files, as one side of a comparison."""
    pieces = code_pieces(files, list(names))
    return Unit(owner=owner, item=task_id, pieces=pieces, words=code_words(pieces), size=SIZE, public=public)


def answer_unit(owner: str, question: str, source: str, text: str, *, public: bool = False) -> Unit:
    """An answer, as one side of a comparison; answers in different scripts have different sizes and never meet."""
    words = answer_words(text)
    size = size_for(words)
    return Unit(owner=owner, item=question, pieces=(Piece(source, text),), words=words, size=size, public=public)


def _add_known(found: Collected, task: Task, references: Path | None) -> None:
    root = Path(task.root)
    solutions = references / task.id if references else None
    if task.kind == "code":
        given = [code_unit("", task.id, files, [name]) for files, name in _files(root / "starter", root / "public")]
        found.known[task.id] = frozenset(value for unit in given for value in unit.grams)
        if solutions and solutions.is_dir():
            files = {path.name: path.read_bytes() for path in sorted(solutions.glob("*.py"))}
            found.units.append(code_unit(REFERENCE, task.id, files, files, public=True))
        return
    for question, rubric in load_rubrics(root).items():
        texts = [rubric.question.en, rubric.question.zh]
        texts += [text for point in rubric.points for text in (point.title.en, point.title.zh)]
        for size in {answer_unit("", question, "", text).size for text in texts}:
            found.known[f"{question}/{size}"] = quoted(texts, size)
        for path in sorted(solutions.glob(f"{question}.*.md")) if solutions else ():
            text = path.read_text(encoding="utf-8")
            found.units.append(answer_unit(REFERENCE, question, path.name, text, public=True))


def _files(*folders: Path) -> Iterator[tuple[dict[str, bytes], str]]:
    for folder in folders:
        for path in sorted(folder.glob("*")):
            if path.suffix in _CODE and path.is_file():
                yield {path.name: path.read_bytes()}, path.name
