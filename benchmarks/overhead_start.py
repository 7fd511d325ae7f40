"""How long a container takes from `create` to the worker's hello, and where that time goes.

The whole is timed from outside, as the judge sees it. The parts come from a second container of the same profile
that times its own steps: a container that is watched from inside would not be the one that grades.
"""

from __future__ import annotations

import json
import statistics
import time
import uuid
from itertools import pairwise
from typing import Any

from benchmarks.machine import spread
from grader.judge.link import Link
from grader.model import Limits
from grader.sandbox import backend, profile
from grader.sandbox.container import connect
from grader.sandbox.image import find_image
from grader.sandbox.protocol import SandboxRequest

STEPS = """
import json, time
marks = [time.clock_gettime(time.CLOCK_MONOTONIC)]
import torch
marks.append(time.clock_gettime(time.CLOCK_MONOTONIC))
from grader.worker import prepare
prepare.warm_up()
marks.append(time.clock_gettime(time.CLOCK_MONOTONIC))
from grader.worker import server
marks.append(time.clock_gettime(time.CLOCK_MONOTONIC))
print(json.dumps(marks))
"""


def measure(times: int) -> dict[str, Any]:
    """Seconds of each part of a start (min, median, p95), and the share of `import torch` in the whole."""
    whole = [_one_start() for _ in range(times)]
    parts = [_one_inside() for _ in range(times)]
    rows = {name: [row[name] for row in whole] for name in whole[0]}
    rows |= {name: [row[name] for row in parts] for name in parts[0]}
    share = statistics.median(rows["import_torch_s"]) / statistics.median(rows["ready_s"])
    return {**{name: spread(values) for name, values in rows.items()}, "import_torch_share": round(share, 3)}


def _one_start() -> dict[str, float]:
    started = time.monotonic()
    sandbox = backend("docker").start(SandboxRequest(run_id=uuid.uuid4().hex, limits=Limits()))
    running = time.monotonic()
    try:
        hello = Link(sandbox, Limits()).hello()
        ready = time.monotonic()
        cpu = sandbox.usage().cpu_s
        sandbox.facts(hello)
        attested = time.monotonic()
    finally:
        sandbox.close()
    closed = time.monotonic()
    return {
        "create_and_start_s": running - started,
        "ready_s": ready - started,
        "worker_cpu_until_ready_s": cpu,
        "attest_s": attested - ready,
        "remove_s": closed - attested,
    }


def _one_inside() -> dict[str, float]:
    """The steps of a worker's start, by the clock inside; the clock of host and container is the same one."""
    client, request = connect(), SandboxRequest(run_id=uuid.uuid4().hex, limits=Limits())
    config = profile.host_config(request) | {"log_config": {"type": "json-file"}}
    created = client.api.create_container(
        find_image(client).tag,
        entrypoint=[profile.PYTHON, "-I", "-X", "utf8", "-B", "-c", STEPS],
        command=[],
        user=f"{profile.uid(request)}:{profile.uid(request)}",
        environment=profile.environment(request),
        network_disabled=True,
        host_config=client.api.create_host_config(**config),
    )
    try:
        client.api.start(created["Id"])
        client.api.wait(created["Id"])
        marks = json.loads(client.api.logs(created["Id"]).decode().strip().splitlines()[-1])
    finally:
        client.api.remove_container(created["Id"], force=True, v=True)
    names = ("import_torch_s", "warm_up_s", "import_worker_s")
    return {name: later - earlier for name, (earlier, later) in zip(names, pairwise(marks), strict=True)}
