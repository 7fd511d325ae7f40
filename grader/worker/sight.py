"""What the worker sees of its own confinement, told to the judge in the first frame.

It only reports; what is good enough is decided on the trusted side (`grader.sandbox.attestation`).
"""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import socket
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

_STATUS_FIELDS = ("CapEff", "CapBnd", "CapPrm", "CapInh", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters")
_RLIMITS = ("NOFILE", "CORE", "FSIZE", "MSGQUEUE", "NPROC", "MEMLOCK")
_CGROUP_FILES = {
    "memory": ("memory/memory.limit_in_bytes", "memory.max"),
    "memory_swap": ("memory/memory.memsw.limit_in_bytes", "memory.swap.max"),
    "pids": ("pids/pids.max", "pids.max"),
    "cpu": ("cpu/cpu.cfs_quota_us", "cpu.max"),
    "cpu_period": ("cpu/cpu.cfs_period_us", ""),
}
_DEVICES = ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/dev/mem", "/dev/kmsg")
MAX_MOUNTS = 96


def look() -> dict[str, Any]:
    """The facts for the hello frame; each probe that fails says so instead of raising."""
    status = _status()
    return {
        "uid": list(os.getresuid()) if hasattr(os, "getresuid") else [os.getuid()],
        "gid": list(os.getresgid()) if hasattr(os, "getresgid") else [os.getgid()],
        "groups": sorted(os.getgroups())[:32],
        "pid": os.getpid(),
        "status": {name: status.get(name, "") for name in _STATUS_FIELDS},
        "interfaces": _interfaces(),
        "mounts": _mounts(),
        "rlimits": {name: list(_rlimit(name)) for name in _RLIMITS},
        "cgroup": {name: _first(paths) for name, paths in _CGROUP_FILES.items()},
        "root_write": _root_write(),
        "connect": _connect(),
        "present": [path for path in _DEVICES if Path(path).exists()],
        "gpus": sorted(p.name for p in Path("/dev").glob("nvidia[0-9]*"))[:16],
        "environment": sorted(os.environ)[:64],
        "confinement": _read("/proc/self/attr/current")[:128],
        "hostname": socket.gethostname()[:64],
    }


def versions() -> dict[str, str]:
    """Versions of what candidate code runs on."""
    found = {"python": platform.python_version(), "implementation": sys.implementation.name}
    for name in ("torch", "numpy", "safetensors"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    cuda = getattr(getattr(sys.modules.get("torch"), "version", None), "cuda", None)
    return found | ({"cuda": str(cuda)} if cuda else {})


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return ""


def _status() -> dict[str, str]:
    lines = (line.partition(":") for line in _read("/proc/self/status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def _interfaces() -> list[str]:
    return sorted(line.partition(":")[0].strip() for line in _read("/proc/self/net/dev").splitlines()[2:])[:32]


def _mounts() -> list[str]:
    """Each mount as "target fstype options", from mountinfo."""
    result = []
    for line in _read("/proc/self/mountinfo").splitlines()[:MAX_MOUNTS]:
        left, _, right = line.partition(" - ")
        fields = left.split()
        result.append(f"{fields[4]} {right.split()[0]} {fields[5]}"[:256])
    return result


def _rlimit(name: str) -> tuple[int, int]:
    number = getattr(resource, f"RLIMIT_{name}", None)
    return resource.getrlimit(number) if number is not None else (-1, -1)


def _first(paths: tuple[str, str]) -> str:
    for path in paths:
        if path and (text := _read(f"/sys/fs/cgroup/{path}")):
            return text[:64]
    return ""


def _root_write() -> str:
    """What happens to a write below /: "denied" with its reason, or "allowed"."""
    path = f"/.grader-probe-{os.getpid()}"
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        Path(path).unlink()
    except OSError as error:
        return f"denied: {os.strerror(error.errno or 0)}"
    return "allowed"


def _connect() -> str:
    """What happens to a connection outward: "denied" with its reason, or "allowed"."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 (RFC 5737); connecting a datagram socket sends nothing
    except OSError as error:
        return f"denied: {os.strerror(error.errno or 0)}"
    return "allowed"
