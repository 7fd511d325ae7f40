"""What a container used, read from the kernel's files of both versions, and from a real container."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from grader.judge.bench import Bench
from grader.model import Entry, Limits, Submission
from grader.sandbox import backend, cgroup
from grader.sandbox.protocol import SandboxRequest, Usage

CONTAINER = "c0ffee" * 10 + "abcd"
TICK_S = 1 / os.sysconf("SC_CLK_TCK")  # what a process's CPU time in /proc is rounded down to


def write(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def v1(tmp_path: Path) -> cgroup.V1Meter:
    return cgroup.V1Meter(
        cpu=write(tmp_path / "cpuacct", {"cpuacct.usage": "2500000000\n"}),
        memory=write(
            tmp_path / "memory",
            {
                "memory.max_usage_in_bytes": "4096\n",
                "memory.usage_in_bytes": "1024\n",
                "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
                "memory.limit_in_bytes": "4096\n",
            },
        ),
        pids=write(tmp_path / "pids", {"pids.current": "7\n"}),
    )


V2_FILES = {
    "cpu.stat": "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\n",
    "memory.current": "2048\n",
    "memory.peak": "8192\n",
    "memory.events": "low 0\nhigh 0\nmax 4\noom 2\noom_kill 1\noom_group_kill 0\n",
    "pids.current": "5\n",
}


def test_version_1_files(v1: cgroup.V1Meter) -> None:
    assert v1.read() == Usage(cpu_s=2.5, peak_bytes=4096, current_bytes=1024, oom_kills=3, processes=7)


def test_version_2_files(tmp_path: Path) -> None:
    meter = cgroup.V2Meter(write(tmp_path, V2_FILES))
    assert meter.read() == Usage(cpu_s=1.5, peak_bytes=8192, current_bytes=2048, oom_kills=1, processes=5)


def test_a_kill_in_a_group_that_was_never_at_its_limit_is_the_hosts(tmp_path: Path, v1: cgroup.V1Meter) -> None:
    (v1.memory / "memory.limit_in_bytes").write_text("8192\n")
    seen = v1.read()
    assert (seen.oom_kills, seen.host_kills) == (0, 3)
    calm = V2_FILES | {"memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 2\n"}
    seen = cgroup.V2Meter(write(tmp_path, calm)).read()
    assert (seen.oom_kills, seen.host_kills) == (0, 2)


def test_a_kernel_without_a_peak_gives_what_is_used_now(tmp_path: Path) -> None:
    meter = cgroup.V2Meter(write(tmp_path, {name: text for name, text in V2_FILES.items() if name != "memory.peak"}))
    assert meter.read().peak_bytes == 2048


def test_a_group_that_is_gone_raises(tmp_path: Path, v1: cgroup.V1Meter) -> None:
    with pytest.raises(OSError, match="No such file"):
        cgroup.V2Meter(tmp_path / "gone").read()
    (v1.memory / "memory.usage_in_bytes").unlink()
    with pytest.raises(OSError, match="No such file"):
        v1.read()


def test_kernels_that_do_not_count_kills_report_none(v1: cgroup.V1Meter) -> None:
    (v1.memory / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\n")
    assert v1.read().oom_kills == 0


V1_LINES = [
    f"12:pids:/docker/{CONTAINER}",
    f"11:cpu,cpuacct:/docker/{CONTAINER}",
    f"10:memory:/docker/{CONTAINER}",
    f"1:name=systemd:/docker/{CONTAINER}",
    "0::/",
]


def test_paths_of_version_1_are_found_by_controller() -> None:
    meter = cgroup._v1(V1_LINES)
    assert meter
    assert meter.cpu == cgroup.ROOT / "cpuacct" / "docker" / CONTAINER
    assert meter.pids == cgroup.ROOT / "pids" / "docker" / CONTAINER


def test_version_1_without_a_controller_is_not_used() -> None:
    assert cgroup._v1(V1_LINES[:2]) is None


def test_the_path_of_version_2_is_found() -> None:
    meter = cgroup._v2([f"0::/system.slice/docker-{CONTAINER}.scope"])
    assert meter
    assert meter.folder == cgroup.ROOT / "system.slice" / f"docker-{CONTAINER}.scope"
    assert cgroup._v2(V1_LINES[:4]) is None


class Api:
    """An engine's statistics."""

    def __init__(self, stats: dict[str, Any]) -> None:
        self._stats = stats

    def stats(self, container: str, *, stream: bool, one_shot: bool) -> dict[str, Any]:
        """As the SDK."""
        return self._stats


RUNNING = {
    "cpu_stats": {"cpu_usage": {"total_usage": 3_000_000_000}},
    "memory_stats": {"usage": 10, "max_usage": 20},
    "pids_stats": {"current": 2},
}


def test_the_engines_statistics_serve_where_files_are_out_of_reach() -> None:
    assert cgroup.EngineMeter(Api(RUNNING), "c").read() == Usage(
        cpu_s=3.0, peak_bytes=20, current_bytes=10, oom_kills=0, processes=2
    )
    with pytest.raises(OSError, match="not running"):
        cgroup.EngineMeter(Api({"memory_stats": {}}), "c").read()


def test_a_process_of_somebody_else_is_never_read() -> None:
    """The engine's process number means another process on this host, where the engine runs elsewhere."""
    assert isinstance(cgroup.find_meter(Api(RUNNING), CONTAINER, os.getpid()), cgroup.EngineMeter)
    assert isinstance(cgroup.find_meter(Api(RUNNING), CONTAINER, 2**22 + 1), cgroup.EngineMeter)


BURN = b"""
import os, time

def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass

def burn_in_children(seconds):
    children = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            burn(seconds)
            os._exit(0)
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
    return time.process_time()

def allocate(size):
    return len(bytearray(b"x") * size)
"""


@pytest.mark.parametrize("name", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_children_are_counted_also_after_their_end(name: str, request: pytest.FixtureRequest) -> None:
    if name == "docker":
        request.getfixturevalue("sandbox_image")
    submission = Submission(id="a", candidate="A", files={"burn.py": BURN}, entries={}, sha256="")
    asked = SandboxRequest(run_id="test-cgroup", limits=Limits(wall_slack_s=60.0), slot=8)
    with Bench(backend(name), asked, submission, Entry(path="burn.py"), 1) as bench:
        bench.ready()
        candidate, session = bench.open()
        before, _ = bench.usage()
        own = candidate.call("burn_in_children", 0.4).number()
        after, _ = bench.usage()
        assert own < 0.4, "the parent itself only waited"
        # 0.4 s in each child, less a tick for each of four figures (parent's and children's; user's and system's)
        assert after - before >= 0.8 - 4 * TICK_S
        candidate.call("allocate", 300 * 1024**2)
        session.close()
        assert bench.usage()[0] >= after, "use never goes back"
        if name == "docker":
            assert bench.usage()[1] >= 300 * 1024**2, "the peak is the kernel's, not a sample of ours"
