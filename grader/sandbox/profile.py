"""The container profile: what is asked of the engine, as one mapping that attestation compares against.

Each flag is a defence: docs/security.md lists what it stops. Candidate bytes never travel by mount,
environment or build: they arrive over standard input after the container was attested.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

from grader.model import Json
from grader.sandbox.protocol import SandboxRequest

LABEL: Final = "grader.run"
OWNER: Final = "grader.process"
DEADLINE: Final = "grader.deadline"
UNTIL: Final = "grader.until"
FIRST_UID: Final = 100_000
HOSTNAME: Final = "sandbox"
OOM_SCORE: Final = 500
"""When memory ends on the host, a sandbox dies before anything of ours."""
PYTHON: Final = "/opt/sandbox/bin/python"
UNLIMITED: Final = -1
CDI_KIND: Final = "nvidia.com/gpu"
GPU_CAPABILITIES: Final = ["gpu", "compute", "utility"]
ROOT: Final = "/tmp"  # noqa: S108 - the container's own tmpfs, not the host's


def uid(request: SandboxRequest) -> int:
    """The user and group id inside the container: one for each slot, so that slots share nothing."""
    return FIRST_UID + request.slot


def cpuset(request: SandboxRequest) -> str:
    """The cores in the engine's notation; "" for all."""
    return ",".join(map(str, request.cores))


def seccomp_profile() -> str:
    """Our own allow-list (sandbox/seccomp.json) as one line of JSON."""
    text = resources.files("grader.sandbox").joinpath("seccomp.json").read_text(encoding="utf-8")
    return json.dumps(json.loads(text), separators=(",", ":"))


def environment(request: SandboxRequest) -> dict[str, str]:
    """The whole environment of the worker; nothing of the judge's is inherited."""
    threads = str(request.limits.threads)
    base = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    base |= {"HOME": ROOT, "MPLBACKEND": "agg", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    if request.gpus and not request.cdi:
        base["NVIDIA_DRIVER_CAPABILITIES"] = "compute,utility"
    return base


def command(request: SandboxRequest) -> list[str]:
    """The worker's command line. It carries limits and no secret: candidate code can read it."""
    limits = request.limits
    options = {
        "root": ROOT,
        "threads": limits.threads,
        "output_bytes": limits.output_bytes,
        "blob_bytes": limits.blob_bytes,
    } | ({"gpu": True} if request.gpus else {})
    return [PYTHON, "-I", "-X", "utf8", "-B", "-m", "grader.worker", json.dumps(options)]


def tmpfs(request: SandboxRequest) -> dict[str, str]:
    """The one place that can be written to: target and mount options."""
    user, limits = uid(request), request.limits
    size = f"size={limits.tmpfs_bytes},nr_inodes={limits.tmpfs_inodes}"
    return {ROOT: f"rw,nosuid,nodev,noexec,{size},mode=1777,uid={user},gid={user}"}


def host_config(request: SandboxRequest) -> dict[str, Any]:
    """The flags for `docker.APIClient.create_host_config`, by the SDK's names."""
    from docker.types import DeviceRequest, Ulimit

    limits = request.limits
    config: dict[str, Any] = {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges", f"seccomp={seccomp_profile()}"],
        "mem_limit": limits.memory_bytes,
        "memswap_limit": limits.memory_bytes,
        "pids_limit": limits.pids,
        "nano_cpus": int(limits.cpus * 1e9),
        "oom_score_adj": OOM_SCORE,
        "ipc_mode": "private",
        "shm_size": limits.shm_bytes,
        "ulimits": [Ulimit(name=name, soft=value, hard=value) for name, value in ulimits(request).items()],
        "log_config": {"type": "none"},
        "restart_policy": {"Name": "no"},
        "tmpfs": tmpfs(request),
        "auto_remove": False,
        "privileged": False,
    }
    if request.cores:
        config["cpuset_cpus"] = cpuset(request)
    if request.gpus:
        config["device_requests"] = [DeviceRequest(**device_request(request))]
    if request.runtime:
        config["runtime"] = request.runtime
    return config


def ulimits(request: SandboxRequest) -> dict[str, int]:
    """Resource limits by name. The CUDA driver locks memory for its transfers, as much as it needs."""
    limits = {"nofile": 1024, "core": 0, "msgqueue": 0, "fsize": request.limits.tmpfs_bytes}
    return limits | ({"memlock": UNLIMITED} if request.gpus else {})


def device_request(request: SandboxRequest) -> dict[str, Any]:
    """The devices by UUID, never by count: what computes and `nvidia-smi`, no graphics, no video.

    CDI has no capabilities: what a device brings along stands in the specification.
    """
    if request.cdi:
        return {"driver": "cdi", "count": 0, "device_ids": [f"{CDI_KIND}={uuid}" for uuid in request.gpus]}
    return {"driver": "", "count": 0, "device_ids": list(request.gpus), "capabilities": [GPU_CAPABILITIES]}


def labels(request: SandboxRequest, owner: str, deadline: float, until: int) -> dict[str, str]:
    """How leftovers are found: the run, who started it, and until when it may live.

    `deadline` is Unix time, for other hosts; `until` is on the owner's own clock (`reaper.until`). A label whose form
    changes gets another name: other versions of grader on the same engine must not take a container for a leftover.
    """
    return {LABEL: request.run_id, OWNER: owner, DEADLINE: str(int(deadline)), UNTIL: str(until)}


def expected_inside(request: SandboxRequest) -> Json:
    """What the worker must see of itself when the profile is in force."""
    user = uid(request)
    return {"uid": [user] * 3, "gid": [user] * 3, "interfaces": ["lo"]}
