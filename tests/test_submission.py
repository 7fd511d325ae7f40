"""A submission in any form becomes the same value, each task finds its entry, and ids are safe names."""

from __future__ import annotations

import os
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import ExitCode, SubmissionRejected, UsageError
from grader.model import Entry
from grader.submission import load_submission, submission_id
from tests.archives import tar_of, zip_of

TASKS = ("cnn_classifier", "transformer", "gan")
FILES = {"gan.py": b"x = 1\n", "lib/blocks.py": b"y = 2\n", "transformer.ipynb": b"{}"}
MakeFolder = Callable[..., Path]


def _toml(text: str) -> dict[str, str]:
    return {"src/model.py": "", "submission.toml": text}


def test_folder_zip_and_tar_of_the_same_files_are_the_same_submission(make_folder: MakeFolder, tmp_path: Path) -> None:
    (tmp_path / "zip").mkdir()
    (tmp_path / "zip" / "alice.zip").write_bytes(zip_of(FILES))
    (tmp_path / "alice.tar.gz").write_bytes(tar_of({f"anything/{name}": data for name, data in FILES.items()}))
    paths = [make_folder("alice", FILES), tmp_path / "zip" / "alice.zip", tmp_path / "alice.tar.gz"]
    first, *others = [load_submission(path, TASKS) for path in paths]
    assert first.id == first.candidate == "alice"
    assert first.files == FILES
    assert first.entries == {"gan": Entry(path="gan.py"), "transformer": Entry(path="transformer.ipynb", kind="ipynb")}
    assert others == [first, first]


def test_a_small_submission_costs_little_memory(make_folder: MakeFolder, tmp_path: Path) -> None:
    """Blocks as large as the budget, freed again and again, make the heap grow although nothing is kept."""
    (tmp_path / "a.zip").write_bytes(zip_of(FILES))
    (tmp_path / "a.tar.gz").write_bytes(tar_of(FILES))
    for path in (make_folder("a", FILES), tmp_path / "a.zip", tmp_path / "a.tar.gz"):
        tracemalloc.start()
        try:
            load_submission(path, TASKS)
            assert tracemalloc.get_traced_memory()[1] < 2**20, path.name
        finally:
            tracemalloc.stop()


def test_the_digest_follows_names_and_bytes(make_folder: MakeFolder) -> None:
    digests = [
        load_submission(make_folder(f"s{index}", files), TASKS).sha256
        for index, files in enumerate([{"a.py": "bc"}, {"a.pyb": "c"}, {"b.py": "bc"}, {"a.py": "bd"}])
    ]
    assert len(set(digests)) == 4


def test_nothing_is_executed_or_written(make_folder: MakeFolder) -> None:
    root = make_folder("eve", {"gan.py": "open('pwned', 'w')\nraise SystemExit(3)\n", "conftest.py": "1/0"})
    before = sorted(root.rglob("*"))
    load_submission(root, TASKS)
    assert sorted(root.rglob("*")) == before


def test_one_folder_around_everything_is_unwrapped_but_answers_is_content(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"__MACOSX/._x": b"", "alice/gan.py": b"1", "alice/sub/x.py": b"2"}))
    assert list(load_submission(tmp_path / "a.zip", TASKS).files) == ["gan.py", "sub/x.py"]
    (tmp_path / "b.zip").write_bytes(zip_of({"answers/q01.md": b"1"}))
    assert list(load_submission(tmp_path / "b.zip", TASKS).files) == ["answers/q01.md"]
    (tmp_path / "c.zip").write_bytes(zip_of({"x/gan.py": b"1", "y/gan.py": b"2"}))
    assert len(load_submission(tmp_path / "c.zip", TASKS).files) == 2


def test_both_forms_of_one_task_are_a_problem_of_that_task_alone(make_folder: MakeFolder) -> None:
    entries = load_submission(make_folder("a", {"gan.py": "", "gan.ipynb": "", "transformer.py": ""}), TASKS).entries
    assert "both gan.py and gan.ipynb" in entries["gan"].problem
    assert entries["transformer"] == Entry(path="transformer.py")
    assert "cnn_classifier" not in entries


def test_submission_toml_settles_it(make_folder: MakeFolder) -> None:
    toml = 'candidate = "李\\u202e \\u001b[31mLei"\n[entry]\ngan = "gan.ipynb"\ntransformer = "src/model.py"\n'
    loaded = load_submission(make_folder("a", {"gan.py": "", "gan.ipynb": "", **_toml(toml)}), TASKS)
    assert loaded.entries["gan"] == Entry(path="gan.ipynb", kind="ipynb")
    assert loaded.entries["transformer"] == Entry(path="src/model.py")
    assert loaded.candidate == "李 Lei"


def test_submission_py_answers_every_task_without_a_file_of_its_own(make_folder: MakeFolder) -> None:
    entries = load_submission(make_folder("a", {"submission.py": "", "gan.py": ""}), TASKS).entries
    assert {task: entry.path for task, entry in entries.items()} == {
        "cnn_classifier": "submission.py", "transformer": "submission.py", "gan": "gan.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "problem"),
    [("nowhere.py", "no such file"), ("data.txt", "neither .py nor .ipynb"), (".git/x.py", "no such")],
)
def test_an_entry_that_cannot_be_run_is_a_problem_of_its_task(
    make_folder: MakeFolder, value: str, problem: str
) -> None:
    root = make_folder("a", {"data.txt": "", "gan.py": "", **_toml(f'[entry]\ngan = "{value}"')})
    assert problem in load_submission(root, TASKS).entries["gan"].problem


@pytest.mark.parametrize(
    ("toml", "rule"),
    [
        ('[entry]\ngan = "../bob/gan.py"', "leads out"),
        ('[entry]\ngan = "/etc/passwd.py"', "absolute"),
        ("[entry]\ngan = 3", "not of type 'string'"),
        ("[grader]\nbackend = 'process'", "'grader' was unexpected"),
        ("candidate = ", "Invalid value"),
        ("a = " + "[" * 4000, "nested too deeply|wrong"),
        ("a" + ".a" * 7000 + " = 1", "wrong"),
        ("a = " + "9" * 9000, "wrong"),
        ("# " + "x" * 20_000, "larger than 16 KiB"),
    ],
)
def test_a_hostile_submission_toml_is_refused(make_folder: MakeFolder, toml: str, rule: str) -> None:
    with pytest.raises(SubmissionRejected, match=rule) as caught:
        load_submission(make_folder("a", {"gan.py": "", **_toml(toml)}), TASKS)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 800


def test_a_submission_toml_that_is_no_text_is_refused(make_folder: MakeFolder) -> None:
    with pytest.raises(SubmissionRejected, match="submission.toml"):
        load_submission(make_folder("a", {"submission.toml": b"\xff\xfe"}), TASKS)


def test_notes_say_what_was_nearly_right(make_folder: MakeFolder) -> None:
    files = {"Transformer.py": "", "code/gan.py": "", **_toml('[entry]\nrnn = "src/model.py"')}
    notes = load_submission(make_folder("a", files), TASKS).notes
    assert any("'rnn' is no task" in note for note in notes)
    assert any("transformer has no file; 'Transformer.py'" in note for note in notes)
    assert any("gan has no file; 'code/gan.py'" in note for note in notes)


@pytest.mark.parametrize("name", ["gan.py", "my answer.py", "submission.ipynb"])
def test_a_single_file_answers_its_task_or_all(make_folder: MakeFolder, name: str) -> None:
    root = make_folder("carol", {name: "1", "not_mine.py": "2"})
    loaded = load_submission(root / name, TASKS)
    assert list(loaded.files) == [name]
    assert set(loaded.entries) == ({"gan"} if name == "gan.py" else set(TASKS))
    assert loaded.entries["gan"].kind == name.rpartition(".")[2]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("alice", "alice"),
        ("alice.zip", "alice"),
        ("alice.v2.tar.gz", "alice.v2"),
        ("ALICE.ZIP", "ALICE"),
        ("answer_7.py", "answer_7"),
        ("carol/gan.py", "carol"),
        ("carol/submission.ipynb", "carol"),
        ("carol/gan.zip", "gan"),
        ("submission.zip", "submission"),
    ],
)
def test_an_id_is_the_name_or_that_of_the_folder_around_a_generic_one(path: str, expected: str) -> None:
    assert submission_id(Path("batch") / path, TASKS) == expected


@pytest.mark.parametrize("name", ["李雷", "a b", "x" * 65, "a\nb", "\udcff"])
def test_other_names_get_a_generated_id_that_stays(name: str) -> None:
    generated = submission_id(Path(name), TASKS)
    assert generated == submission_id(Path("elsewhere") / f"{name}.zip", TASKS)
    assert generated.startswith("submission-")
    assert len(generated) == len("submission-") + 8


@given(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=80))
def test_every_id_is_a_safe_name(name: str) -> None:
    generated = submission_id(Path("/batch") / name, TASKS)
    assert 1 <= len(generated) <= 64
    assert all(char.isascii() and (char.isalnum() or char in "._-") for char in generated)
    assert generated not in (".", "..")


def test_the_current_folder_has_a_name_too(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_folder("dave", {"gan.py": ""}))
    assert load_submission(Path(), TASKS).id == "dave"
    assert load_submission(Path("gan.py"), TASKS).id == "dave"


def test_nothing_to_grade_is_rejected_and_says_what_was_skipped(make_folder: MakeFolder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SubmissionRejected, match="has no files .hand in one file for each task"):
        load_submission(tmp_path / "empty", TASKS)
    with pytest.raises(SubmissionRejected, match="has no files .skipped .git"):
        load_submission(make_folder("junk", {".git/config": ""}), TASKS)
    (tmp_path / "empty.zip").write_bytes(zip_of({}))
    with pytest.raises(SubmissionRejected, match="has no files"):
        load_submission(tmp_path / "empty.zip", TASKS)


def test_files_that_answer_no_task_leave_all_missing(make_folder: MakeFolder) -> None:
    assert load_submission(make_folder("a", {"notes.md": "hello"}), TASKS).entries == {}


def test_what_is_no_submission_is_a_usage_error(make_folder: MakeFolder, tmp_path: Path) -> None:
    for path in (tmp_path / "none", make_folder("a", {"x.rar": ""}) / "x.rar"):
        with pytest.raises(UsageError) as caught:
            load_submission(path, TASKS)
        assert not isinstance(caught.value, SubmissionRejected)
        assert caught.value.exit_code is ExitCode.USAGE


def test_a_huge_archive_or_notebook_is_refused_unread(tmp_path: Path) -> None:
    for name in ("a.zip", "a.tar.gz", "gan.ipynb"):
        (tmp_path / name).write_bytes(b"")
        os.truncate(tmp_path / name, 300 * 1024**2)
        tracemalloc.start()
        with pytest.raises(SubmissionRejected, match="is larger than"):
            load_submission(tmp_path / name, TASKS)
        assert tracemalloc.get_traced_memory()[1] < 2**20
        tracemalloc.stop()


def test_a_link_to_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of(FILES))
    (tmp_path / "b.zip").symlink_to("a.zip")
    with pytest.raises(SubmissionRejected, match="symbolic link"):
        load_submission(tmp_path / "b.zip", TASKS)


def test_no_warning_reaches_the_user(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of(FILES))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_submission(tmp_path / "a.zip", TASKS)
