"""A stored report that was changed is found out: by its digest, by its sums, by its files, by its signature."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from grader import cli
from grader.errors import ExitCode, UsageError
from grader.model import Artifact, Json, Outcome, Report, ReportStatus, Score, TaskResult, TaskStatus, Visibility
from grader.reports.artifacts import save
from grader.reports.as_json import canonical, digest_of, dumps, from_json, read_stored, to_json, write_report
from grader.reports.audience import for_candidate
from grader.reports.signature import (
    fingerprint,
    load_private,
    load_public,
    problem_of,
    sign,
    sign_missing,
    signature_path,
)
from grader.reports.verified import notes_of, problems_of
from grader.schemas import violation
from grader.scoring import rejected_report, score_report
from tests.review.samples import THIRDS, WRITTEN, questions
from tests.samples import RUN, SUBMISSION, TASK, check, full_report, result

Steps = tuple[str | int, ...]
PICTURE = b"<svg/>"


def graded() -> Report:
    """A report with something in every field whose sums are right, as grading makes it."""
    full = full_report().tasks[0]
    shown = check("shape", visibility=Visibility.PUBLIC, outcome=Outcome.FAILED, fraction=0.5, message="shape (2,)")
    code = result(shown, check("accuracy", "learning", 60.0, Outcome.RAISED, message="accuracy 0.41 below 0.9"))
    thirds = result(*(check(name, points=10 / 3) for name in "abc"), task=replace(THIRDS, id="thirds"))
    rows = tuple(replace(row, answer="clip the norm, then wait") for row in questions())
    written = TaskResult(task=WRITTEN, status=TaskStatus.GRADED, questions=rows)
    missing = TaskResult(task=replace(TASK, id="gone"), status=TaskStatus.MISSING, reason="no file")
    report = score_report(SUBMISSION, [code, thirds, written, missing], replace(RUN, gpu={"name": "test"}))
    picture = Artifact(name="loss", media_type="image/svg+xml", path="toy/loss.svg")
    first = replace(report.tasks[0], artifacts=(picture,), diagnosis=full.diagnosis, notes=("cell 3 raised",))
    return replace(report, tasks=(first, *report.tasks[1:]))


def stored(folder: Path, report: Report | None = None) -> Path:
    """Writes the report with its picture."""
    path = folder / "report.json"
    save(report or graded(), {"toy/loss.svg": PICTURE}, path)
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored report that no test changes."""
    return stored(tmp_path_factory.mktemp("verified"))


def leaves(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """The way to every value of a record that holds no others; also to empty lists and tables."""
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for name, inner in rows for leaf in leaves(inner, (*steps, name))]
    yield from found or [steps]


def at(record: Json, steps: Steps) -> Any:
    """The value at the end of the steps."""
    value: Any = record
    for step in steps:
        value = value[step]
    return value


def changed(record: Json, steps: Steps) -> Json:
    """A copy of the record with another value of the same kind there."""
    other = copy.deepcopy(record)
    at(other, steps[:-1])[steps[-1]] = another(at(record, steps), str(steps[-1]))
    return other


def another(value: Any, name: str) -> Any:
    enums = {"status": ("graded", "ungraded"), "outcome": ("passed", "failed"), "visibility": ("public", "hidden")}
    if name in enums:
        return next(word for word in enums[name] if word != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value - 0.5 if value >= 0.5 else value + 0.5
    if isinstance(value, str):
        return value[:-1] + ("1" if value.endswith("0") else "0")
    return ["x"] if isinstance(value, list) else {"x": 1} if isinstance(value, dict) else {"a": 1}


RECORD = to_json(graded())
LEAVES = [pytest.param(leaf, id=".".join(map(str, leaf))) for leaf in leaves(RECORD)]
SUMS = [
    pytest.param(leaf, id=".".join(map(str, leaf)))
    for leaf in leaves(RECORD)
    if leaf[-1] in ("earned", "possible", "percent", "status") or leaf[-2:] == ("checks", "outcome")
]


def found(record: Json, path: Path) -> list[str]:
    """What is found; a record that the schema refuses is found too."""
    try:
        return problems_of(record, path)
    except UsageError as error:
        return [error.message]


def test_what_grading_wrote_verifies_and_fits_the_schema(path: Path) -> None:
    record = read_stored(path)
    assert violation(record, "report") == ""
    assert problems_of(record, path) == []
    assert notes_of(record) == []
    assert record["digest"] == digest_of(record)
    assert record["tasks"][0]["artifacts"][0]["sha256"] == sha256(PICTURE).hexdigest()


@pytest.mark.parametrize("steps", LEAVES)
def test_every_changed_field_is_found(path: Path, steps: Steps) -> None:
    record = read_stored(path)
    assert found(changed(record, steps), path) != []


@pytest.mark.parametrize("steps", SUMS)
def test_a_changed_sum_is_found_also_where_the_digest_was_made_anew(path: Path, steps: Steps) -> None:
    record = changed(read_stored(path), steps)
    record["digest"] = digest_of(record)
    assert found(record, path) != []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda task: task["checks"][1].update(outcome="passed"), "accuracy: passed cannot earn 0 of 60"),
        (lambda task: task["checks"][1].update(earned=1.0), "accuracy: raised cannot earn 1 of 60"),
        (lambda task: task["checks"][1].update(criterion="fun"), "names the criterion 'fun'"),
        (lambda task: task["checks"].pop(), "its checks offer 0 of 60"),
        (lambda task: task["checks"].append(dict(task["checks"][0], id="x")), "offer 80 of 40"),
        (lambda task: task["checks"][1].update(outcome="sandbox_down"), "status: graded, by its checks ungraded"),
        (lambda task: task.update(status="missing"), "missing, yet something was graded"),
    ],
)
def test_checks_and_scores_that_cannot_be_are_named(path: Path, change: Callable[[Json], None], said: str) -> None:
    record = read_stored(path)
    change(record["tasks"][0])
    record["digest"] = digest_of(record)
    assert any(said in line for line in problems_of(record, path)), problems_of(record, path)


def test_a_quote_that_is_not_where_it_should_be_is_found(path: Path) -> None:
    record = read_stored(path)
    record["tasks"][2]["questions"][0]["points"][0]["evidence"][0]["quote"] = "clip the storm"
    record["digest"] = digest_of(record)
    assert problems_of(record, path) == ["written/q01/why: a quote is not in the answer where it should be"]


def test_a_changed_a_lost_and_a_foreign_artifact_are_found(tmp_path: Path) -> None:
    path = stored(tmp_path)
    picture = tmp_path / "artifacts/toy/loss.svg"
    picture.write_bytes(b"<svg onload='x'/>")
    assert problems_of(read_stored(path), path) == ["artifacts/toy/loss.svg: was changed after it was written"]
    picture.unlink()
    assert problems_of(read_stored(path), path) == ["artifacts/toy/loss.svg: is not there"]
    (tmp_path.parent / "outside.svg").write_bytes(PICTURE)
    picture.symlink_to(tmp_path.parent / "outside.svg")
    assert problems_of(read_stored(path), path) == ["artifacts/toy/loss.svg: leads out of the report's folder"]


def test_spaces_and_the_order_of_keys_say_nothing_but_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    path = stored(tmp_path)
    record = read_stored(path)
    path.write_text(json.dumps(dict(reversed(record.items()))), "utf-8")
    assert problems_of(read_stored(path), path) == []
    path.write_text(dumps(record).replace('"status": "graded"', '"status": "rejected", "status": "graded"', 1), "utf-8")
    with pytest.raises(UsageError, match="one name twice"):
        read_stored(path)


def test_a_rejected_and_an_ungraded_report_verify_and_a_copy_for_candidates_is_none(tmp_path: Path) -> None:
    rejected = rejected_report("alice", "a link", [TASK], RUN)
    ungraded = score_report(SUBMISSION, [result(check("shape", outcome=Outcome.SANDBOX_DOWN))], RUN)
    for number, report in enumerate((rejected, ungraded)):
        write_report(report, tmp_path / f"{number}.json")
        assert problems_of(read_stored(tmp_path / f"{number}.json"), tmp_path / "x") == []
    cheat = to_json(replace(rejected, score=Score(earned=5.0, possible=100.0)))
    assert any("earns nothing" in line for line in problems_of(cheat, tmp_path))
    assert to_json(replace(ungraded, status=ReportStatus.GRADED))["status"] == "graded"
    assert any(
        "by its tasks ungraded" in line
        for line in problems_of(to_json(replace(ungraded, status=ReportStatus.GRADED)), tmp_path)
    )
    with pytest.raises(UsageError, match="candidate's copy"):
        problems_of(for_candidate(RECORD), tmp_path)


def test_what_is_made_from_a_report_has_no_digest_of_it(path: Path) -> None:
    assert "digest" not in to_json(from_json(read_stored(path)))
    assert "digest" not in for_candidate(read_stored(path))


def test_a_report_of_an_earlier_version_is_checked_as_far_as_it_goes(path: Path) -> None:
    record = read_stored(path)
    del record["digest"], record["tasks"][0]["artifacts"][0]["sha256"]
    assert problems_of(record, path) == []
    assert len(notes_of(record)) == 2


@dataclass
class Keys:
    """Two key pairs in files."""

    private: Path
    public: Path
    other: Path


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Fresh keys, as openssl writes them."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("mine", "other"):
        key = Ed25519PrivateKey.generate()
        (folder / f"{name}.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / f"{name}.pub").write_bytes(public)
    return Keys(folder / "mine.pem", folder / "mine.pub", folder / "other.pub")


def test_a_signature_holds_for_the_report_and_the_key_alone(tmp_path: Path, keys: Keys) -> None:
    path = stored(tmp_path)
    key, other = load_public(keys.public), load_public(keys.other)
    assert problem_of(path, read_stored(path), key) == "the report is not signed"
    assert sign(path, load_private(keys.private)) == tmp_path / "report.json.sig"
    assert problem_of(path, read_stored(path), key) == ""
    assert problem_of(path, read_stored(path), other) == "the report is signed with another key"
    row = json.loads(signature_path(path).read_text("utf-8"))
    for change in (
        {"signature": "AAAA"},
        {"signature": "no base64!"},
        {"algorithm": "none"},
        {"key": ""},
        {"signature": None},
    ):
        signature_path(path).write_text(json.dumps(row | change), "utf-8")
        assert problem_of(path, read_stored(path), key) != ""
    signature_path(path).write_text("[" * 9999, "utf-8")
    assert problem_of(path, read_stored(path), key) == "report.json.sig is no signature"


@pytest.mark.parametrize("steps", LEAVES)
def test_a_signature_finds_every_change_also_where_the_digest_was_made_anew(
    signed: Path, keys: Keys, steps: Steps
) -> None:
    record = changed(read_stored(signed), steps)
    record["digest"] = digest_of(record)
    assert problem_of(signed, record, load_public(keys.public)) == "the signature is not of this report"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Path:
    """A signed report that no test changes."""
    path = stored(tmp_path_factory.mktemp("signed"))
    sign(path, load_private(keys.private))
    return path


def test_of_many_reports_those_are_signed_that_are_not(tmp_path: Path, keys: Keys) -> None:
    paths = []
    for name in ("signed", "of another report", "not signed"):
        (tmp_path / name).mkdir()
        paths.append(stored(tmp_path / name))
    key = load_private(keys.private)
    sign(paths[0], key)
    signature_path(paths[1]).write_bytes(
        signature_path(paths[0]).read_bytes().replace(b'"signature": "', b'"signature": "AA')
    )
    before = signature_path(paths[0]).stat().st_mtime_ns
    assert sign_missing(paths, key) == 2
    assert [problem_of(path, read_stored(path), key.public_key()) for path in paths] == ["", "", ""]
    assert signature_path(paths[0]).stat().st_mtime_ns == before
    assert sign_missing(paths, key) == 0


def test_canonical_bytes_are_the_same_in_every_version() -> None:
    """A change here would make every signature that exists invalid."""
    record = {"b": [1, 2.5, "é\n"], "a": {"z": None, "y": True}, "digest": "left out"}
    assert canonical(record) == '{"a":{"y":true,"z":null},"b":[1,2.5,"é\\n"]}'.encode()


def test_keys_of_another_kind_are_refused_with_what_to_do(tmp_path: Path, keys: Keys) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "rsa.pem").write_bytes(pem)
    (tmp_path / "no.pem").write_text("no key", "utf-8")
    for name, said in (("rsa.pem", "not an Ed25519 key"), ("no.pem", "no private key"), ("nowhere", "cannot read")):
        with pytest.raises(UsageError, match=said):
            load_private(tmp_path / name)
    with pytest.raises(UsageError, match="no public key"):
        load_public(keys.private)


def test_without_the_extra_a_signature_says_what_to_install(monkeypatch: pytest.MonkeyPatch, keys: Keys) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(UsageError, match=r"extra `sign`.*ml-interview-grader\[sign\]"):
        load_public(keys.public)


def test_a_key_with_a_passphrase_takes_it_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = serialization.BestAvailableEncryption(b"open sesame")
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret
    )
    (tmp_path / "key.pem").write_bytes(pem)
    for passphrase in ("", "wrong"):
        monkeypatch.setenv("SIGN_PASSPHRASE", passphrase)
        with pytest.raises(UsageError, match="no private key that can be read"):
            load_private(tmp_path / "key.pem")
    monkeypatch.setenv("SIGN_PASSPHRASE", "open sesame")
    assert fingerprint(load_private(tmp_path / "key.pem").public_key())


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_the_command_says_what_is_wrong_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, keys: Keys
) -> None:
    path = stored(tmp_path)
    assert run(monkeypatch, "verify-report", path) == ExitCode.GRADED
    assert "digest, sums and files are right\n" in capsys.readouterr().err
    assert run(monkeypatch, "verify-report", path, "--key", keys.public) == 1
    assert capsys.readouterr().out == "signature: the report is not signed\n"
    sign(path, load_private(keys.private))
    assert run(monkeypatch, "verify-report", path, "--key", keys.public) == ExitCode.GRADED
    assert "and so is the signature" in capsys.readouterr().err
    assert run(monkeypatch, "verify-report", path) == ExitCode.GRADED
    assert "--key PUB.pem checks by whom" in capsys.readouterr().err
    path.write_text(path.read_text("utf-8").replace("Alice", "Mallory"), "utf-8")
    assert run(monkeypatch, "verify-report", path, "--key", keys.public, "--quiet") == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "digest: the report was changed after it was written",
        "signature: the signature is not of this report",
    ]
    assert said.err == ""
    assert run(monkeypatch, "verify-report", tmp_path / "no.json") == ExitCode.USAGE


def test_keys_of_openssl_sign_a_grading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From the key that the documentation makes to the check of what a grading wrote."""
    key, public, report = tmp_path / "key.pem", tmp_path / "pub.pem", tmp_path / "out/report.json"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    sample = "candidates/chen_no_eval"
    options = ("--task", "written", "--sign-key", key, "--quiet")
    assert run(monkeypatch, "grade", sample, *options) == ExitCode.USAGE  # nothing to sign without -o
    assert run(monkeypatch, "grade", sample, *options, "-o", report) == ExitCode.GRADED
    assert run(monkeypatch, "verify-report", report, "--key", public, "--quiet") == ExitCode.GRADED
    assert run(monkeypatch, "replay", report, sample, "--quiet") == ExitCode.GRADED
