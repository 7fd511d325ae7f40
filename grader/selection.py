"""Which tasks of those that are asked for a submission is graded on, and what is said of the rest."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from grader.errors import SubmissionRejected
from grader.model import Submission, Task


def code_tasks(tasks: Mapping[str, Task]) -> list[str]:
    """The tasks that are answered by a source file; written answers have names of their own."""
    return [task.id for task in tasks.values() if task.kind == "code"]


def wanted_tasks(
    submission: Submission, tasks: Mapping[str, Task], *, suites: Sequence[str], only_present: bool
) -> list[Task]:
    """The tasks to grade: all, or with `only_present` those that are answered.

    Written answers are left out without the hidden suite: their rubrics are the interviewer's. Raises
    SubmissionRejected where nothing is left.
    """
    wanted = [
        task
        for task in tasks.values()
        if ("hidden" in suites or task.kind != "written") and (not only_present or task.id in submission.entries)
    ]
    if not wanted:
        raise _nothing_to_grade(submission, tasks)
    return wanted


def with_notes(submission: Submission, tasks: Mapping[str, Task]) -> Submission:
    """Of a self-check: what it does not look at stands in the notes, so that nobody thinks it was lost."""
    answered = _answered(submission)
    missing = [task for task in code_tasks(tasks) if task not in submission.entries]
    notes = [
        *([f"answers found, not graded here: {', '.join(answered)}"] if answered else []),
        *([f"not handed in yet: {', '.join(missing)}"] if missing else []),
    ]
    return dataclasses.replace(submission, notes=(*submission.notes, *notes))


def _nothing_to_grade(submission: Submission, tasks: Mapping[str, Task]) -> SubmissionRejected:
    """Of a self-check: why nothing can be done, and which written answers were seen."""
    names = ", ".join(f"{name}.py" for name in code_tasks(tasks))
    expected = f"expected one of: {names}" if names else "a self-check grades code; ask for a code task"
    answered = _answered(submission)
    if answered:
        return SubmissionRejected(f"there is no code to check; found answers to {', '.join(answered)}", hint=expected)
    return SubmissionRejected("the submission answers none of the tasks", hint=expected)


def _answered(submission: Submission) -> list[str]:
    """The questions with an answer; headings of the template alone are none."""
    from grader.written.intake import find_answers

    found = find_answers(submission.files, ()).by_question
    return sorted(question for question, answer in found.items() if answer.text.strip())
