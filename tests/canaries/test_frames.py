"""What goes to a sandbox: every frame, its command line, its environment, what the engine is asked. Nothing hidden
but the inputs of calls, as they are called.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker.api.client
import pytest

from grader.judge import __main__ as judge
from grader.judge.job import Job
from grader.model import CheckResult, Entry, Submission
from grader.sandbox import container, image, process
from grader.task import load_tasks
from grader.worker.wire import HEADER
from tests.canaries.planted import CHECKS, HOSTILE, INPUTS, SECRETS, SEED, drawn_numbers, found_in, write_task
from tests.fakes import read_frame
from tests.judge.suites import Ran, own_modules


@dataclass
class Sent:
    """All that left for the sandbox."""

    frames: list[bytes] = field(default_factory=list)
    around: list[bytes] = field(default_factory=list)
    """Command lines, environments, requests to the engine."""


def watch(kind: Any, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hooks the one way by which bytes go into a sandbox of this kind."""
    send: Callable[[Any, bytes, float], None] = kind.send

    def recorded(sandbox: Any, data: bytes, deadline: float) -> None:
        sent.frames.append(bytes(data))
        send(sandbox, data, deadline)

    monkeypatch.setattr(kind, "send", recorded)


def judged(tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """The whole suite against the hostile submission, by the judge in this process."""
    tasks = write_task(tmp_path / "tasks")
    files = {"vault.py": HOSTILE.encode()}
    work = tmp_path / "work"
    work.mkdir()
    job = Job(
        task=load_tasks(tasks)["vault"],
        submission=Submission(id="eve", candidate="Eve", files=files, entries={}, sha256=""),
        entry=Entry(path="vault.py", kind="py"),
        seed=SEED,
        backend=backend,
        run_id="canaries-" + tmp_path.name,
    )
    ran = Ran()
    with monkeypatch.context() as patch, own_modules(), contextlib.redirect_stdout(io.StringIO()):
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.chdir(work)
        judge.run(job, ran, ran)  # type: ignore[arg-type]  # it only needs what `Ran` has
    assert not ran.error
    return ran


def assert_nothing_hidden(sent: Sent, ran: Ran) -> None:
    """No secret in any frame; inputs in the frames of calls alone."""
    for data in sent.frames:
        assert not found_in(data, SECRETS), read_frame(data).head
    calls = [data for data in sent.frames if b'"verb":"call"' in data[HEADER.size :][:400]]
    assert len(calls) >= len(CHECKS), "the hook sees the frames"
    assert sum(found_in(data, INPUTS) == list(INPUTS) for data in calls) == len(CHECKS), (
        "the search finds what is there"
    )
    assert not any(found_in(data, INPUTS) for data in sent.frames if data not in calls)
    for data in sent.around:
        assert not found_in(data, {**SECRETS, **INPUTS}), data
    assert all(name in "".join(sorted(ran.checks)) for name in CHECKS)
    said = "".join(map(told_of, ran.checks.values()))
    assert len(drawn_numbers(said)) > len(CHECKS), "the submission tried"


def told_of(check: CheckResult) -> str:
    return f"{check.message}\n{check.output}"


def test_no_frame_to_a_process_holds_anything_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent, popen = Sent(), subprocess.Popen

    def started(arguments: list[str], **options: Any) -> Any:
        shown = {name: options[name] for name in ("cwd", "env") if name in options}
        sent.around.append(json.dumps([arguments, shown], default=str).encode())
        return popen(arguments, **options)

    watch(process.ProcessSandbox, sent, monkeypatch)
    monkeypatch.setattr(process.subprocess, "Popen", started)  # type: ignore[attr-defined]  # the module's own name
    ran = judged(tmp_path, "process", monkeypatch)
    assert any(b"grader.worker" in data for data in sent.around)
    assert_nothing_hidden(sent, ran)


@pytest.mark.docker
def test_nothing_that_the_engine_is_asked_or_a_container_is_sent_holds_anything_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox_image: str
) -> None:
    sent = Sent()
    ask = docker.api.client.APIClient.send

    def asked(client: Any, request: Any, **options: Any) -> Any:
        sent.around.append(f"{request.method} {request.url} {request.headers}\n".encode() + _bytes(request.body))
        return ask(client, request, **options)

    watch(container.ContainerSandbox, sent, monkeypatch)
    monkeypatch.setattr(docker.api.client.APIClient, "send", asked)
    ran = judged(tmp_path, "docker", monkeypatch)
    created = [data for data in sent.around if b"/containers/create" in data]
    assert created
    assert all(sandbox_image.encode() in data for data in created)
    assert_nothing_hidden(sent, ran)


def test_the_image_is_made_of_the_worker_and_nothing_of_a_task() -> None:
    names = set(image._context_files(gpu=False)) | set(image._context_files(gpu=True))
    assert any("worker" in name for name in names)
    assert not [name for name in names if any(word in name for word in ("tasks", "hidden", "reference", "judge"))]


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else str(body or "").encode()
