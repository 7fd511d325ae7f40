"""The Ray runner on a real cluster of several nodes on this machine, one of which is killed."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.batch.command import Finished, Options, run_batch
from grader.batch.discovery import find_submissions
from grader.config import Settings
from grader.errors import ExitCode, SandboxUnavailable, Ungraded
from grader.runners.cluster import Cluster, carried
from grader.runners.node import leased_slot
from grader.runners.protocol import Elsewhere, Ended, Needs, Told
from grader.store import FILE
from grader.task import load_tasks
from tests.batch.kills import lasting
from tests.batch.rooms import TASKS
from tests.faulty import FAULTS, GOOD
from tests.typed import Typed

GIB = 1024**3
ray_test = [
    pytest.mark.ray,
    pytest.mark.slow,
    # Ray leaves its files, sockets and processes to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def on_ray(function: Any) -> Any:
    """Marks a test that needs a cluster."""
    for mark in ray_test:
        function = mark(function)
    return function


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster whose head runs no jobs, with one node of one CPU and two GPUs that nobody looks at."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as Nodes

    head = {
        "num_cpus": 0,
        "include_dashboard": False,
        "_system_config": {"health_check_period_ms": 1000, "health_check_initial_delay_ms": 1000},
    }
    cluster: Any = Nodes(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=2, num_gpus=2, memory=4 * GIB)
    yield cluster
    cluster.shutdown()


def runner(nodes: Any, work: Callable[..., Any], needs: Needs, shared: object = "") -> Cluster[Any, Any]:
    """A runner for small jobs."""
    elsewhere: Elsewhere[Any] = Elsewhere(
        address=nodes.address, largest=needs, needs=lambda _job: needs, shared=lambda _job: ("all", lambda: shared)
    )
    return Cluster(work, [], elsewhere)


def drain(cluster: Cluster[Any, Any], count: int) -> list[Told[Any] | Ended[Any, Any]]:
    """The next events, until so many jobs have ended."""
    events: list[Told[Any] | Ended[Any, Any]] = []
    deadline = time.monotonic() + 120
    while sum(isinstance(event, Ended) for event in events) < count:
        assert time.monotonic() < deadline, events
        event = cluster.next(5)
        events += [event] if event else []
    return events


@on_ray
def test_words_answers_errors_slots_and_devices(nodes: Any) -> None:
    def work(job: int, context: Any) -> Any:
        import time

        context.tell(f"at {job}")
        if job == 3:
            raise ValueError("three")
        time.sleep(3)  # so that the first two meet
        return job, context.shared, context.slot

    cluster = runner(nodes, work, Needs(cpus=1, memory_bytes=GIB, gpus=1), "for all")
    try:
        assert cluster.free == 2
        cluster.start(1)
        cluster.start(2)
        assert cluster.free == 0
        events = drain(cluster, 2)
        cluster.start(3)
        (failed,) = [event for event in drain(cluster, 1) if isinstance(event, Ended)]
    finally:
        assert cluster.stop(20)
    assert [event.what for event in events if isinstance(event, Told) and event.job == 1] == ["at 1"]
    answers: dict[int, Any] = {event.job: event.answer for event in events if isinstance(event, Ended)}
    assert {job: answer[:2] for job, answer in answers.items()} == {1: (1, "for all"), 2: (2, "for all")}
    slots = [answer[2] for answer in answers.values()]
    assert {slot.gpus for slot in slots} == {"0", "1"}
    assert len({slot.number for slot in slots}) == 2
    assert repr(failed.error) == "ValueError('three')"
    assert cluster.free == 0


@on_ray
def test_stop_reaches_jobs_that_run_and_jobs_that_wait(nodes: Any, tmp_path: Path) -> None:
    def work(job: int, context: Any) -> int:
        from pathlib import Path

        context.tell("up")
        ended = context.cancelled.wait(100)
        Path(context.shared, f"{job}-{ended}").touch()
        return job

    needs = Needs(cpus=2, memory_bytes=GIB)
    elsewhere: Elsewhere[Any] = Elsewhere(
        address=nodes.address, largest=needs, needs=lambda _job: needs, shared=lambda _job: ("", lambda: str(tmp_path))
    )
    from grader.runners.protocol import Slot

    cluster: Cluster[Any, Any] = Cluster(work, [Slot(number=0), Slot(number=1)], elsewhere)
    cluster.start(1)
    cluster.start(2)
    event = None
    while event is None:
        event = cluster.next(5)
    assert isinstance(event, Told)
    assert cluster.stop(20)
    assert [path.name for path in tmp_path.iterdir()] == [f"{event.job}-True"]
    assert cluster.next(0) is not None  # what was said is still there
    assert cluster.free == 0


@on_ray
def test_a_node_that_cannot_run_jobs_is_left_alone(nodes: Any) -> None:
    def work(bad: list[str], _context: Any) -> str:
        import ray

        from grader.errors import SandboxUnavailable

        here = str(ray.get_runtime_context().get_node_id())
        if not bad or here in bad:
            bad.append(here)
            raise SandboxUnavailable("no Docker engine answers", hint=here)
        return here

    other = nodes.add_node(num_cpus=2, memory=4 * GIB)
    cluster = runner(nodes, work, Needs(cpus=1, memory_bytes=GIB))
    try:
        cluster.start([])
        (first,) = [event for event in drain(cluster, 1) if isinstance(event, Ended)]
        assert type(first.error) is Ungraded  # it is worth another attempt
        assert "no Docker engine answers" in str(first.error)
        bad = [first.error.hint]
        for _ in range(3):
            cluster.start(bad)
        ends = [event for event in drain(cluster, 3) if isinstance(event, Ended)]
        assert [event.error for event in ends] == [None] * 3
        assert {event.answer for event in ends}.isdisjoint(bad)
        cluster.start([])
        (last,) = [event for event in drain(cluster, 1) if isinstance(event, Ended)]
        assert isinstance(last.error, SandboxUnavailable)  # now there is no other
    finally:
        cluster.stop(20)
        nodes.remove_node(other)


def grade(root: Path, out: Path, **where: str) -> Finished:
    """A batch in this process, without a sandbox."""
    tasks = load_tasks(TASKS, ["adder"])
    settings = Settings(backend="process", tasks_dir=TASKS, seed=5, cpus=2.0)
    found, _ = find_submissions(root, list(tasks))
    return run_batch(found, tasks, settings, Options(out=out, quiet=True, **where))  # type: ignore[arg-type]


def attempts(out: Path) -> list[tuple[str, str]]:
    """Outcome and error of each attempt."""
    if not (out / FILE).exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{out / FILE}?mode=ro", uri=True)) as database:
        try:
            return list(database.execute("SELECT outcome, error FROM attempts"))
        except sqlite3.Error:  # the tables are being made
            return []


def has_young_judge(node: Any) -> bool:
    """True where a job began on that node a moment ago; it takes seconds."""
    with contextlib.suppress(psutil.Error):
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        for process in raylet.children(recursive=True):
            if "grader.judge" in process.cmdline() and time.time() - process.create_time() < 1:
                return True
    return False


@on_ray
def test_a_batch_that_loses_a_node_has_the_results_of_the_pool(
    nodes: Any, make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    sources = {f"good{number}/adder.py": f"{GOOD}\n# {number}\n" for number in range(3)}
    root = make_folder("in", sources | {"raises/adder.py": FAULTS["raises"][0], "none/notes.txt": "x"})
    calm, lost = tmp_path / "calm", tmp_path / "lost"
    doomed = nodes.add_node(num_cpus=2, memory=4 * GIB)

    def kill_half_way() -> None:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if "graded" in [outcome for outcome, _ in attempts(lost)] and has_young_judge(doomed):
                nodes.remove_node(doomed, allow_graceful=False)
                return
            time.sleep(0.05)

    killer = threading.Thread(target=kill_half_way)
    killer.start()
    finished = grade(root, lost, runner="ray", address=nodes.address)
    killer.join()
    assert [row.state for row in finished.rows] == ["graded"] * 5
    assert any("was lost" in error for outcome, error in attempts(lost) if outcome == "ungraded")
    grade(root, calm)
    names = [row.id for row in finished.rows]
    reports = {
        out: [lasting(json.loads((out / name / "report.json").read_text())) for name in names] for out in (calm, lost)
    }
    assert reports[calm] == reports[lost]


@pytest.mark.parametrize(
    ("address", "code", "words"),
    [
        ("ray://127.0.0.1:10001", ExitCode.USAGE, "is no address of a Ray cluster"),
        ("nowhere", ExitCode.USAGE, "is no address of a Ray cluster"),
        ("127.0.0.1:{port}", ExitCode.SANDBOX_UNAVAILABLE, "no Ray cluster answers at"),
    ],
)
def test_no_cluster_is_one_line(
    address: str, code: ExitCode, words: str, make_folder: Callable[..., Path], tmp_path: Path, typed: Typed
) -> None:
    root = make_folder("in", {"ada/adder.py": GOOD})
    with socket.socket() as free:  # bound and not listening: nobody else gets the port
        free.bind(("127.0.0.1", 0))
        place = address.format(port=free.getsockname()[1])
        done = typed(
            "batch", root, "-o", tmp_path / "out", "--tasks-dir", TASKS, "--backend", "process",
            "--runner", "ray", "--address", place,
        )  # fmt: skip
    assert done.code == code
    assert done.err.count("\n") == 1
    assert words in done.err


def test_without_ray_it_says_what_to_install(
    make_folder: Callable[..., Path], tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "ray", None)
    root = make_folder("in", {"ada/adder.py": GOOD})
    where = ("--tasks-dir", TASKS, "--backend", "process", "--runner", "ray")
    typed("batch", root, "-o", tmp_path / "out", *where).refused("needs Ray", "pip install")


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--gpus", "0,1"), "names devices of one machine"), (("--image", "grader:latest"), "give it by digest")],
)
def test_settings_of_one_machine_are_refused(
    options: tuple[str, str], words: str, make_folder: Callable[..., Path], tmp_path: Path, typed: Typed
) -> None:
    root = make_folder("in", {"ada/adder.py": GOOD})
    where = ("--tasks-dir", TASKS, "--runner", "ray")
    typed("batch", root, "-o", tmp_path / "out", *where, *options).refused(words)


def test_slots_of_a_node_are_leased_one_by_one(tmp_path: Path) -> None:
    cores = sorted(os.sched_getaffinity(0))
    with leased_slot(1, folder=tmp_path) as first, leased_slot(1, ["1"], folder=tmp_path) as second:
        assert (first.number, second.number, first.gpus, second.gpus) == (0, 1, "none", "1")
        assert first.cores == (cores[0],)
        assert second.cores == tuple(cores[1:2])
    with leased_slot(len(cores) + 1, folder=tmp_path) as again:
        assert (again.number, again.cores) == (0, ())


def test_how_many_jobs_a_node_carries() -> None:
    node = {"Resources": {"CPU": 8.0, "memory": 10.0 * GIB, "GPU": 2.0}}
    assert carried(node, Needs(cpus=2, memory_bytes=GIB)) == 4
    assert carried(node, Needs(cpus=1, memory_bytes=4 * GIB)) == 2
    assert carried(node, Needs(cpus=1, gpus=1)) == 2
    assert carried({"Resources": {}}, Needs()) == 0
