"""Compares a started container with what was asked for, before any candidate byte is sent.

Three views: what the engine says (authoritative), what the host's kernel says of the process (where the
host is this one), and what the worker sees of itself. One row that does not hold refuses the run.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from grader.model import Json
from grader.sandbox import profile
from grader.sandbox.protocol import Attestation, Comparison, SandboxRequest

NO_CAPABILITIES = "0000000000000000"
UNLIMITED_V2_SWAP = "0"
_ABSENT = (
    "CapAdd", "Binds", "Mounts", "Devices", "DeviceCgroupRules", "VolumesFrom", "Links", "PidMode", "UTSMode",
    "UsernsMode", "GroupAdd", "ExtraHosts", "PortBindings", "CgroupParent", "Sysctls",
)  # fmt: skip
"""What a container of ours never has, in the engine's own words."""
_MASKED = ("/proc/kcore", "/proc/keys")
"""What every engine hides unless it is told not to (`systempaths=unconfined`): of its longer list the worst."""
_DRIVER_FILE: Final = re.compile(r"/(usr|lib|lib64|etc)/.*(nvidia|/lib(cuda|nv)[a-z]*\.so)[^\s]*")
"""What the NVIDIA toolkit mounts, read-only: the driver's libraries and programs, under the driver's own names."""
_DRIVER_SOCKET: Final = re.compile(r"(/var)?/run/nvidia-(persistenced|fabricmanager)/socket")


def attest(request: SandboxRequest, inspected: Json, hello: Json, host: Json) -> Attestation:
    """All rows. `inspected` is the engine's answer, `hello` the worker's `sees`, `host` from `host_view`."""
    rows = [*_engine(request, inspected), *_inside(request, hello), *_host(request, host)]
    return Attestation(comparisons=tuple(rows))


def attest_engine(request: SandboxRequest, inspected: Json) -> Attestation:
    """The engine's rows alone: what can be refused before the worker is up."""
    return Attestation(comparisons=tuple(_engine(request, inspected)))


def host_view(pid: int, container: str) -> Json:
    """The kernel's view of process `pid`, or {} where that process is not the container's on this host."""
    try:
        if container not in Path(f"/proc/{pid}/cgroup").read_text():
            return {}
        lines = (line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return {name: value.strip() for name, _, value in lines}
    except OSError:
        return {}


def _row(name: str, asked: Any, seen: Any) -> Comparison:
    return Comparison(name=name, asked=str(asked), seen=str(seen)[:512], ok=asked == seen)


def _engine(request: SandboxRequest, inspected: Json) -> list[Comparison]:
    host, config = inspected["HostConfig"], inspected["Config"]
    limits, user = request.limits, profile.uid(request)
    command = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    exact: dict[str, object] = {
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "Privileged": False,
        "CapDrop": ["ALL"],
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "PidsLimit": limits.pids,
        "NanoCpus": int(limits.cpus * 1e9),
        "CpusetCpus": profile.cpuset(request),
        "IpcMode": "private",
        "ShmSize": limits.shm_bytes,
        "OomKillDisable": False,
        "OomScoreAdj": profile.OOM_SCORE,
    }
    if request.runtime:  # else the engine's own choice, whatever it is called there
        exact["Runtime"] = request.runtime
    security = host.get("SecurityOpt") or []
    ours = ("no-new-privileges", f"seccomp={profile.seccomp_profile()}")
    return [
        *[_row(f"engine.{name}", value, host.get(name) or (False if value is False else host.get(name)))
          for name, value in exact.items()],
        *[_row(f"engine.{name}", "none", "none" if not host.get(name) else host[name]) for name in _ABSENT],
        _row("engine.mounts", [], inspected.get("Mounts") or []),
        _row("engine.no_new_privileges", True, ours[0] in security),
        _row("engine.seccomp", True, ours[1] in security),
        _row("engine.other_security_options", [], [option for option in security if option not in ours]),
        _row("engine.masked_paths", [], sorted(set(_MASKED) - set(host.get("MaskedPaths") or []))),
        _row("engine.LogConfig", "none", (host.get("LogConfig") or {}).get("Type")),
        _row("engine.RestartPolicy", True, (host.get("RestartPolicy") or {}).get("Name") in ("", "no")),
        _row("engine.User", f"{user}:{user}", config.get("User")),
        _row("engine.gpus", _asked_devices(request), _devices(host)),
        _row("engine.command", profile.command(request), command),
        _row("engine.Tmpfs", profile.tmpfs(request), host.get("Tmpfs")),
        _row("engine.ulimits", _asked_ulimits(request), _ulimits(host)),
    ]  # fmt: skip


def _asked_devices(request: SandboxRequest) -> list[list[Any]]:
    """Driver, count, ids and capabilities; a count would be any devices, -1 all of them."""
    if not request.gpus:
        return []
    asked = profile.device_request(request)
    capabilities = [sorted(names) for names in asked.get("capabilities", [])]
    return [[asked["driver"], 0, sorted(asked["device_ids"]), capabilities]]


def _devices(host: Json) -> list[list[Any]]:
    """What the engine says of it, in the same form."""
    return [
        [
            item.get("Driver") or "",
            item.get("Count") or 0,
            sorted(item.get("DeviceIDs") or []),
            [sorted(names) for names in item.get("Capabilities") or []],
        ]
        for item in host.get("DeviceRequests") or []
    ]


def _asked_ulimits(request: SandboxRequest) -> dict[str, int]:
    return dict(sorted(profile.ulimits(request).items()))


def _ulimits(host: Json) -> dict[str, int]:
    return {item["Name"]: item["Hard"] for item in sorted(host.get("Ulimits") or [], key=lambda item: item["Name"])}


def _inside(request: SandboxRequest, sees: Json) -> list[Comparison]:
    status = sees.get("status") or {}
    user = [profile.uid(request)] * 3
    rows = [
        _row("inside.uid", user, sees.get("uid")),
        _row("inside.gid", user, sees.get("gid")),
        _row("inside.groups", True, set(sees.get("groups") or []) <= {user[0]}),
        _row("inside.pid", 1, sees.get("pid")),
        _row("inside.interfaces", ["lo"], sees.get("interfaces")),
        _row("inside.root_write", True, str(sees.get("root_write")).startswith("denied")),
        _row("inside.connect", True, str(sees.get("connect")).startswith("denied")),
        _row("inside.engine_sockets", [], sees.get("present")),
        _row("inside.gpus", len(request.gpus), len(sees.get("gpus") or [])),
        _row("inside.environment", [], sorted(set(sees.get("environment") or []) - _allowed_environment(request))),
        _row("inside.tmpfs", True, _tmpfs_ok(sees.get("mounts") or [])),
        _row("inside.root_mount", True, _read_only(sees.get("mounts") or [], "/")),
        _row("inside.host_mounts", [], _foreign_mounts(sees.get("mounts") or [], gpu=bool(request.gpus))),
    ]
    if request.runtime == "runsc":
        return rows
    kernel = [
        _row(f"inside.{path}", True, _read_only(sees.get("mounts") or [], path)) for path in ("/proc/sys", "/sys")
    ]
    return [*rows, *kernel, *_confinement("inside", status), *_limits(request, sees)]


def _confinement(view: str, status: Json) -> list[Comparison]:
    capabilities = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
    return [
        *[_row(f"{view}.{name}", NO_CAPABILITIES, status.get(name)) for name in capabilities],
        _row(f"{view}.NoNewPrivs", "1", status.get("NoNewPrivs")),
        _row(f"{view}.Seccomp", "2", status.get("Seccomp")),
    ]


def _host(request: SandboxRequest, host: Json) -> list[Comparison]:
    """Rows of the kernel's view; none where the engine runs on another machine, which the report shows."""
    if not host or request.runtime == "runsc":
        return []
    seen = host.get("NSpid", "").split()
    rows = [*_confinement("host", host), _row("host.pid_namespace", True, len(seen) >= 2 and seen[-1] == "1")]
    if request.cores:
        rows.append(_row("host.cores", sorted(request.cores), _cores(host.get("Cpus_allowed_list", ""))))
    return rows


def _cores(text: str) -> list[int]:
    """The kernel's list of cores, such as "0-2,5", one by one."""
    ends = [part.split("-") for part in text.split(",") if part]
    return [core for end in ends for core in range(int(end[0]), int(end[-1]) + 1)]


def _limits(request: SandboxRequest, sees: Json) -> list[Comparison]:
    """The control group's limits as the worker reads them; the files differ between versions 1 and 2."""
    group, limits = sees.get("cgroup") or {}, request.limits
    rlimits = sees.get("rlimits") or {}
    memory, swap = str(limits.memory_bytes), group.get("memory_swap")
    quota = group.get("cpu", "").split()
    period = quota[1] if len(quota) == 2 else group.get("cpu_period") or "100000"
    share = int(quota[0]) / int(period) if quota and quota[0].lstrip("-").isdigit() else -1.0
    return [
        _row("inside.memory", memory, group.get("memory")),
        _row("inside.memory_swap", True, swap in (memory, UNLIMITED_V2_SWAP, "")),
        _row("inside.pids", str(limits.pids), group.get("pids")),
        _row("inside.cpus", round(limits.cpus, 2), round(share, 2)),
        _row("inside.core", [0, 0], rlimits.get("CORE")),
        _row("inside.nofile", [1024, 1024], rlimits.get("NOFILE")),
        _row("inside.fsize", [limits.tmpfs_bytes] * 2, rlimits.get("FSIZE")),
        _row("inside.msgqueue", [0, 0], rlimits.get("MSGQUEUE")),
    ]


def _allowed_environment(request: SandboxRequest) -> set[str]:
    """Ours, what the image sets (see docker/Dockerfile), and what the engine and Python add."""
    toolkit = {"NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_CTK_LIBCUDA_DIR"} if request.gpus else set()
    return set(profile.environment(request)) | toolkit | {
        "PATH", "HOSTNAME", "LANG", "LC_ALL", "LC_CTYPE", "GPG_KEY", "PYTHON_VERSION",
        "PYTHON_SHA256", "PYTHONDONTWRITEBYTECODE", "NVIDIA_VISIBLE_DEVICES", "TORCHINDUCTOR_CACHE_DIR", "MPLCONFIGDIR",
    }  # fmt: skip


def _tmpfs_ok(mounts: list[str]) -> bool:
    found = [mount.split() for mount in mounts if mount.startswith(f"{profile.ROOT} ")]
    return len(found) == 1 and found[0][1] == "tmpfs" and {"nosuid", "nodev", "noexec"} <= set(found[0][2].split(","))


def _read_only(mounts: list[str], target: str) -> bool:
    found = [mount.split() for mount in mounts if mount.startswith(f"{target} ")]
    return bool(found) and "ro" in found[-1][2].split(",")


def _foreign_mounts(mounts: list[str], *, gpu: bool) -> list[str]:
    """Mounts that a container of ours does not have: all but the kernel's own and the engine's three files.

    With a GPU the toolkit mounts the driver's files, never writable, and the sockets of its daemons.
    """
    usual = ("/", profile.ROOT, "/etc/resolv.conf", "/etc/hostname", "/etc/hosts")
    kernel = ("/proc", "/sys", "/dev")
    driver = [mount for mount in mounts if gpu and _is_driver(mount)]
    targets = [mount.split()[0] for mount in mounts if mount not in driver]
    return [t for t in targets if t not in usual and not any(t == k or t.startswith(f"{k}/") for k in kernel)]


def _is_driver(mount: str) -> bool:
    target, _, options = mount.split(maxsplit=2)
    file = _DRIVER_FILE.fullmatch(target) is not None and "ro" in options.split(",")
    return file or _DRIVER_SOCKET.fullmatch(target) is not None
