"""Attestation: each weakened defence turns a row red, and a container that is not as asked gets no submission."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import docker
from grader.errors import AttestationFailed, SandboxUnavailable
from grader.judge.bench import Bench
from grader.model import Entry, Json, Limits, Submission
from grader.sandbox import attestation, backend, profile
from grader.sandbox.container import ContainerSandbox
from grader.sandbox.protocol import SandboxRequest
from grader.worker.wire import FrameType

REQUEST = SandboxRequest(run_id="0123456789abcdef", limits=Limits(), slot=3)
STORED = Path(__file__).with_name("data") / "green.json"
"""What an engine, its host and the worker said of a container with the whole profile (version 1 control groups)."""


@pytest.fixture
def green() -> Json:
    text = STORED.read_text(encoding="utf-8")
    views: Json = json.loads(text)
    options = views["inspected"]["HostConfig"]["SecurityOpt"]
    options[1] = options[1].replace("@profile@", profile.seccomp_profile())
    return views


def red(views: Json, request: SandboxRequest = REQUEST) -> set[str]:
    """Names of the rows that do not hold."""
    found = attestation.attest(request, views["inspected"], views["sees"], views["host"])
    assert found.green == (not [row for row in found.comparisons if not row.ok])
    return {row.name for row in found.comparisons if not row.ok}


def test_a_container_with_the_whole_profile_is_green(green: Json) -> None:
    assert red(green) == set()


ASKED = (
    "CapDrop", "IpcMode", "LogConfig", "Memory", "MemorySwap", "NanoCpus", "NetworkMode", "OomScoreAdj", "PidsLimit",
    "ReadonlyRootfs", "RestartPolicy", "ShmSize", "Tmpfs", "no-new-privileges", "seccomp",
    "ulimit core", "ulimit fsize", "ulimit msgqueue", "ulimit nofile",
)  # fmt: skip
"""Every flag of the profile, in the engine's words; options that are lists one by one."""


def by_flag(config: Json) -> dict[str, Any]:
    """What a container's configuration asks for, by flag."""
    flags = {name: value for name, value in config.items() if name not in ("SecurityOpt", "Ulimits")}
    flags |= {option.partition("=")[0]: option for option in config["SecurityOpt"]}
    flags |= {f"ulimit {item['Name']}": (item["Soft"], item["Hard"]) for item in config["Ulimits"]}
    return flags | {"RestartPolicy": config["RestartPolicy"]["Name"]}


@pytest.fixture(scope="module")
def asked() -> dict[str, Any]:
    """The profile as the SDK would send it, by flag; no engine is asked."""
    with contextlib.closing(docker.APIClient(base_url="unix:///nowhere", version="1.41")) as client:
        return by_flag(client.create_host_config(**profile.host_config(REQUEST)))


@pytest.mark.parametrize("flag", ASKED)
def test_each_flag_is_asked_of_the_engine(green: Json, asked: dict[str, Any], flag: str) -> None:
    """As it was when a real engine, its kernel and the worker were green."""
    assert asked.get(flag) == by_flag(green["inspected"]["HostConfig"])[flag]


class Recorder:
    """An engine's client that notes what a container should be like, and makes none."""

    def __init__(self) -> None:
        self.api, self.asked = self, {}  # type: ignore[var-annotated]  # whatever is asked

    def create_host_config(self, **config: Any) -> dict[str, Any]:
        return config

    def create_container(self, image: str, **config: Any) -> Json:
        self.asked = config | {"image": image}
        raise docker.errors.APIError("noted")


BESIDE = {
    "user": "100003:100003",
    "entrypoint": [profile.PYTHON],
    "working_dir": "/tmp",
    "stop_signal": "SIGKILL",
    "hostname": "sandbox",
    "network_disabled": True,
    "environment": {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HOME": "/tmp",
                    "MPLBACKEND": "agg", "CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
}  # fmt: skip
"""What is asked beside the flags, whoever starts the container."""


@pytest.mark.parametrize("name", BESIDE)
def test_each_other_thing_is_asked_of_the_engine(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "of the operator")
    engine = Recorder()
    with pytest.raises(SandboxUnavailable, match="noted"):
        ContainerSandbox(engine, replace(REQUEST, image="any"))
    assert engine.asked.get(name) == BESIDE[name]
    assert set(engine.asked["labels"]) == {profile.LABEL, profile.OWNER, profile.DEADLINE, profile.UNTIL}


def test_no_other_flag_is_asked_of_the_engine(asked: dict[str, Any]) -> None:
    assert set(asked) == set(ASKED)


def test_cores_that_are_not_those_asked_for_are_red(green: Json) -> None:
    request = replace(REQUEST, cores=(1, 2))
    assert red(green, request) == {"engine.CpusetCpus", "host.cores"}
    green["inspected"]["HostConfig"]["CpusetCpus"] = "1,2"
    green["host"]["Cpus_allowed_list"] = "1-2"
    assert red(green, request) == set()
    green["host"]["Cpus_allowed_list"] = "0-2"
    assert red(green, request) == {"host.cores"}


def at(*path: str) -> Callable[[Json, Any], None]:
    """A setter for one place in the views."""

    def change(views: Json, value: Any) -> None:
        for key in path[:-1]:
            views = views[key]
        if value is REMOVED:
            views.pop(path[-1])
        else:
            views[path[-1]] = value

    return change


REMOVED = object()
ENGINE, CONFIG, SEES, HOST = ("inspected", "HostConfig"), ("inspected", "Config"), ("sees",), ("host",)
ALL_CAPS = "000001ffffffffff"
CAPABILITIES = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
MOUNTS = ["/ overlay ro,relatime", "/tmp tmpfs rw,nosuid,nodev,noexec"]
OURS = ["no-new-privileges", f"seccomp={profile.seccomp_profile()}"]

WEAKENED: list[tuple[str, tuple[str, ...], Any]] = [
    ("engine.NetworkMode", (*ENGINE, "NetworkMode"), "default"),
    ("engine.NetworkMode", (*ENGINE, "NetworkMode"), "host"),
    ("engine.ReadonlyRootfs", (*ENGINE, "ReadonlyRootfs"), False),
    ("engine.ReadonlyRootfs", (*ENGINE, "ReadonlyRootfs"), REMOVED),
    ("engine.Privileged", (*ENGINE, "Privileged"), True),
    ("engine.CapDrop", (*ENGINE, "CapDrop"), None),
    ("engine.CapDrop", (*ENGINE, "CapDrop"), ["NET_RAW"]),
    ("engine.Memory", (*ENGINE, "Memory"), 0),
    ("engine.MemorySwap", (*ENGINE, "MemorySwap"), 2 * 2**31),
    ("engine.MemorySwap", (*ENGINE, "MemorySwap"), -1),
    ("engine.PidsLimit", (*ENGINE, "PidsLimit"), None),
    ("engine.PidsLimit", (*ENGINE, "PidsLimit"), 0),
    ("engine.NanoCpus", (*ENGINE, "NanoCpus"), 0),
    ("engine.CpusetCpus", (*ENGINE, "CpusetCpus"), "0"),
    ("engine.IpcMode", (*ENGINE, "IpcMode"), "host"),
    ("engine.IpcMode", (*ENGINE, "IpcMode"), "shareable"),
    ("engine.ShmSize", (*ENGINE, "ShmSize"), 2**40),
    ("engine.OomKillDisable", (*ENGINE, "OomKillDisable"), True),
    ("engine.CapAdd", (*ENGINE, "CapAdd"), ["SYS_ADMIN"]),
    ("engine.Binds", (*ENGINE, "Binds"), ["/:/host"]),
    ("engine.Mounts", (*ENGINE, "Mounts"), [{"Type": "bind"}]),
    ("engine.Devices", (*ENGINE, "Devices"), [{"PathOnHost": "/dev/sda"}]),
    ("engine.VolumesFrom", (*ENGINE, "VolumesFrom"), ["other"]),
    ("engine.Links", (*ENGINE, "Links"), ["other"]),
    ("engine.PidMode", (*ENGINE, "PidMode"), "host"),
    ("engine.UTSMode", (*ENGINE, "UTSMode"), "host"),
    ("engine.UsernsMode", (*ENGINE, "UsernsMode"), "host"),
    ("engine.mounts", ("inspected", "Mounts"), [{"Type": "volume", "Destination": "/data"}]),
    ("engine.no_new_privileges", (*ENGINE, "SecurityOpt"), [f"seccomp={profile.seccomp_profile()}"]),
    ("engine.seccomp", (*ENGINE, "SecurityOpt"), ["no-new-privileges"]),
    ("engine.seccomp", (*ENGINE, "SecurityOpt"), ["no-new-privileges", "seccomp=unconfined"]),
    ("engine.seccomp", (*ENGINE, "SecurityOpt"), ["no-new-privileges", 'seccomp={"defaultAction":"SCMP_ACT_ALLOW"}']),
    ("engine.other_security_options", (*ENGINE, "SecurityOpt"), [*OURS, "apparmor=unconfined"]),
    ("engine.masked_paths", (*ENGINE, "MaskedPaths"), []),
    ("engine.masked_paths", (*ENGINE, "MaskedPaths"), None),
    ("engine.masked_paths", (*ENGINE, "MaskedPaths"), ["/proc/keys", "/sys/firmware"]),
    ("engine.OomScoreAdj", (*ENGINE, "OomScoreAdj"), 0),
    ("engine.DeviceCgroupRules", (*ENGINE, "DeviceCgroupRules"), ["a *:* rwm"]),
    ("engine.GroupAdd", (*ENGINE, "GroupAdd"), ["0"]),
    ("engine.ExtraHosts", (*ENGINE, "ExtraHosts"), ["judge:10.0.0.1"]),
    ("engine.PortBindings", (*ENGINE, "PortBindings"), {"80/tcp": []}),
    ("engine.CgroupParent", (*ENGINE, "CgroupParent"), "/other"),
    ("engine.Sysctls", (*ENGINE, "Sysctls"), {"net.ipv4.ip_forward": "1"}),
    ("engine.command", (*CONFIG, "Entrypoint"), ["/bin/sh"]),
    ("engine.command", (*CONFIG, "Cmd"), ["-c", "true"]),
    ("engine.Tmpfs", (*ENGINE, "Tmpfs"), {"/tmp": "rw,nosuid,nodev,noexec,mode=1777"}),
    ("engine.LogConfig", (*ENGINE, "LogConfig"), {"Type": "json-file"}),
    ("engine.RestartPolicy", (*ENGINE, "RestartPolicy"), {"Name": "always"}),
    ("engine.User", (*CONFIG, "User"), ""),
    ("engine.User", (*CONFIG, "User"), "100004:100004"),
    ("engine.gpus", (*ENGINE, "DeviceRequests"), [{"DeviceIDs": ["GPU-1"]}]),
    ("engine.gpus", (*ENGINE, "DeviceRequests"), [{"Count": -1, "Capabilities": [["gpu"]]}]),
    ("engine.Tmpfs", (*ENGINE, "Tmpfs"), {}),
    ("engine.Tmpfs", (*ENGINE, "Tmpfs"), {"/tmp": "rw", "/opt": "rw,exec"}),
    ("engine.ulimits", (*ENGINE, "Ulimits"), None),
    ("engine.ulimits", (*ENGINE, "Ulimits"), [{"Name": "nofile", "Hard": 2**20, "Soft": 1024}]),
    ("inside.uid", (*SEES, "uid"), [0, 0, 0]),
    ("inside.uid", (*SEES, "uid"), [100003, 100003, 0]),
    ("inside.gid", (*SEES, "gid"), [0, 0, 0]),
    ("inside.groups", (*SEES, "groups"), [100003, 999]),
    ("inside.pid", (*SEES, "pid"), 77),
    ("inside.interfaces", (*SEES, "interfaces"), ["eth0", "lo"]),
    ("inside.root_write", (*SEES, "root_write"), "allowed"),
    ("inside.connect", (*SEES, "connect"), "allowed"),
    ("inside.engine_sockets", (*SEES, "present"), ["/var/run/docker.sock"]),
    ("inside.gpus", (*SEES, "gpus"), ["nvidia0"]),
    ("inside.environment", (*SEES, "environment"), ["HOME", "SECRET_TOKEN"]),
    ("inside.tmpfs", (*SEES, "mounts"), ["/ overlay ro"]),
    ("inside.tmpfs", (*SEES, "mounts"), ["/ overlay ro", "/tmp tmpfs rw,nosuid,nodev"]),
    ("inside.tmpfs", (*SEES, "mounts"), ["/ overlay ro", "/tmp ext4 rw,nosuid,nodev,noexec"]),
    ("inside.root_mount", (*SEES, "mounts"), ["/ overlay rw,relatime", MOUNTS[1]]),
    ("inside./proc/sys", (*SEES, "mounts"), [*MOUNTS, "/proc/sys proc rw"]),
    ("inside./sys", (*SEES, "mounts"), [*MOUNTS, "/sys sysfs rw"]),
    ("inside.host_mounts", (*SEES, "mounts"), [*MOUNTS, "/home/someone ext4 rw"]),
    ("inside.host_mounts", (*SEES, "mounts"), [*MOUNTS, "/process ext4 rw"]),
    ("inside.host_mounts", (*SEES, "mounts"), [*MOUNTS, "/usr/bin/nvidia-smi ext4 ro,nosuid,nodev"]),
    ("inside.environment", (*SEES, "environment"), ["HOME", "NVIDIA_DRIVER_CAPABILITIES"]),
    *[(f"inside.{name}", (*SEES, "status", name), ALL_CAPS) for name in CAPABILITIES],
    ("inside.NoNewPrivs", (*SEES, "status", "NoNewPrivs"), "0"),
    ("inside.Seccomp", (*SEES, "status", "Seccomp"), "0"),
    ("inside.Seccomp", (*SEES, "status", "Seccomp"), ""),
    *[(f"host.{name}", (*HOST, name), ALL_CAPS) for name in CAPABILITIES],
    ("host.NoNewPrivs", (*HOST, "NoNewPrivs"), "0"),
    ("host.Seccomp", (*HOST, "Seccomp"), REMOVED),
    ("host.pid_namespace", (*HOST, "NSpid"), "4242"),
    ("host.pid_namespace", (*HOST, "NSpid"), "4242\t17"),
    ("inside.memory", (*SEES, "cgroup", "memory"), "9223372036854771712"),
    ("inside.memory", (*SEES, "cgroup", "memory"), "max"),
    ("inside.memory_swap", (*SEES, "cgroup", "memory_swap"), "4294967296"),
    ("inside.memory_swap", (*SEES, "cgroup", "memory_swap"), "max"),
    ("inside.pids", (*SEES, "cgroup", "pids"), "max"),
    ("inside.cpus", (*SEES, "cgroup", "cpu"), "-1"),
    ("inside.cpus", (*SEES, "cgroup", "cpu"), ""),
    ("inside.core", (*SEES, "rlimits", "CORE"), [0, -1]),
    ("inside.nofile", (*SEES, "rlimits", "NOFILE"), [1024, 1048576]),
    ("inside.fsize", (*SEES, "rlimits", "FSIZE"), [-1, -1]),
    ("inside.msgqueue", (*SEES, "rlimits", "MSGQUEUE"), [819200, 819200]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "path", "value"), WEAKENED, ids=lambda item: "removed" if item is REMOVED else str(item)[:40]
)
def test_each_weakened_defence_turns_its_row_red(green: Json, row: str, path: tuple[str, ...], value: Any) -> None:
    views = copy.deepcopy(green)
    at(*path)(views, value)
    assert row in red(views)


def test_every_row_is_seen_red_above(green: Json) -> None:
    found = attestation.attest(REQUEST, green["inspected"], green["sees"], green["host"])
    assert {row.name for row in found.comparisons} == {row for row, _, _ in WEAKENED}


@pytest.mark.parametrize("view", ["status", "cgroup", "rlimits", "mounts", "uid", "interfaces"])
def test_a_worker_that_leaves_a_view_out_is_refused(green: Json, view: str) -> None:
    views = copy.deepcopy(green)
    views["sees"].pop(view)
    assert red(views)


def test_what_was_asked_decides(green: Json) -> None:
    for limits in (Limits(memory_bytes=2**30), Limits(pids=64), Limits(cpus=1.0), Limits(tmpfs_bytes=2**20)):
        assert red(green, replace(REQUEST, limits=limits))
    assert {"engine.User", "inside.uid"} <= red(green, replace(REQUEST, slot=4))
    assert {"engine.gpus", "inside.gpus"} <= red(green, replace(REQUEST, gpus=("GPU-1",)))


GPU = "GPU-0f3e1a52-8a5c-4d7e-9a2b-6c1d2e3f4a5b"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
TOOLKIT_MOUNTS = [
    "/usr/bin/nvidia-smi ext4 ro,nosuid,nodev,relatime",
    f"{LIBRARIES}/libcuda.so.590.44.01 ext4 ro,nosuid,nodev,relatime",
    f"{LIBRARIES}/libnvidia-ml.so.590.44.01 ext4 ro,nosuid,nodev,relatime",
    f"{LIBRARIES}/libcudadebugger.so.590.44.01 ext4 ro,nosuid,nodev,relatime",
    f"{LIBRARIES}/libnvoptix.so.1 ext4 ro,nosuid,nodev,relatime",
    "/lib/firmware/nvidia/590.44.01/gsp_ga10x.bin ext4 ro,nosuid,nodev,relatime",
    "/run/nvidia-persistenced/socket tmpfs ro,nosuid,nodev,noexec,relatime",
    "/proc/driver/nvidia tmpfs rw,nosuid,nodev,noexec",
    "/dev/nvidia0 devtmpfs ro,nosuid,noexec",
]
"""What NVIDIA's toolkit adds to a container for the capabilities compute and utility, as `sight` tells of mounts."""


@pytest.fixture(params=["hook", "cdi"])
def with_gpu(request: pytest.FixtureRequest, green: Json) -> tuple[Json, SandboxRequest]:
    """The views of a container with one GPU, as the toolkit's documentation has them: not seen on a device."""
    asked = replace(REQUEST, gpus=(GPU,), cdi=request.param == "cdi")
    views = copy.deepcopy(green)
    host, sees = views["inspected"]["HostConfig"], views["sees"]
    host["DeviceRequests"] = [profile.host_config(asked)["device_requests"][0]]
    host["Ulimits"] = [*host["Ulimits"], {"Name": "memlock", "Hard": -1, "Soft": -1}]
    views["inspected"]["Config"]["Cmd"] = profile.command(asked)[1:]
    sees["gpus"] = ["nvidia0"]
    sees["mounts"] = [*sees["mounts"], *TOOLKIT_MOUNTS]
    sees["environment"] = [*sees["environment"], "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"]
    return views, asked


def test_what_the_toolkit_adds_for_a_gpu_is_as_asked(with_gpu: tuple[Json, SandboxRequest]) -> None:
    assert red(*with_gpu) == set()


@pytest.mark.parametrize(
    ("row", "path", "value"),
    [
        ("engine.gpus", (*ENGINE, "DeviceRequests"), None),
        ("engine.gpus", (*ENGINE, "DeviceRequests"), [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]),
        ("engine.gpus", (*ENGINE, "DeviceRequests"), [{"DeviceIDs": [GPU], "Capabilities": [["gpu", "video"]]}]),
        ("engine.gpus", (*ENGINE, "DeviceRequests"), [{"DeviceIDs": [GPU, "GPU-2"], "Capabilities": [["gpu"]]}]),
        ("engine.ulimits", (*ENGINE, "Ulimits"), []),
        ("inside.gpus", (*SEES, "gpus"), []),
        ("inside.gpus", (*SEES, "gpus"), ["nvidia0", "nvidia1"]),
        ("inside.host_mounts", (*SEES, "mounts"), [*MOUNTS, f"{LIBRARIES}/libcuda.so.590 ext4 rw,nosuid"]),
        ("inside.host_mounts", (*SEES, "mounts"), [*MOUNTS, "/home/nvidia ext4 ro"]),
        ("inside.host_mounts", (*SEES, "mounts"), [*MOUNTS, "/run/nvidia-persistenced ext4 rw"]),
        ("inside.environment", (*SEES, "environment"), ["HOME", "LD_PRELOAD"]),
    ],
)
def test_a_gpu_opens_nothing_else(
    with_gpu: tuple[Json, SandboxRequest], row: str, path: tuple[str, ...], value: Any
) -> None:
    views, asked = with_gpu
    at(*path)(views, value)
    assert row in red(views, asked)


def test_version_2_control_groups_are_read_too(green: Json) -> None:
    views = copy.deepcopy(green)
    group = {"memory": "2147483648", "memory_swap": "0", "pids": "128", "cpu": "200000 100000", "cpu_period": ""}
    views["sees"]["cgroup"] = group
    assert red(views) == set()
    group["cpu"] = "max 100000"
    assert red(views) == {"inside.cpus"}


def test_an_engine_elsewhere_leaves_the_kernels_view_out(green: Json) -> None:
    views = copy.deepcopy(green)
    views["host"] = {}
    assert red(views) == set()


def test_another_runtime_must_be_the_one_that_runs_it(green: Json) -> None:
    """A kernel of its own shows no flags of Linux; what the engine and the probes say must hold all the same."""
    gvisor = replace(REQUEST, runtime="runsc")
    assert red(green, gvisor) == {"engine.Runtime"}
    green["inspected"]["HostConfig"]["Runtime"] = "runsc"
    green["sees"] |= {"status": {}, "cgroup": {}, "rlimits": {}}
    assert red(green, gvisor) == set()
    green["inspected"]["HostConfig"]["NetworkMode"] = "host"
    green["sees"]["interfaces"] = ["eth0", "lo"]
    assert red(green, gvisor) == {"engine.NetworkMode", "inside.interfaces"}


def test_a_process_that_is_not_the_containers_gives_no_view() -> None:
    assert attestation.host_view(1, "0" * 64) == {}
    assert attestation.host_view(2**22 + 1, "0" * 64) == {}


def test_the_report_shows_every_row(green: Json) -> None:
    stored = attestation.attest(REQUEST, green["inspected"], green["sees"], green["host"]).to_json()
    assert stored["green"] is True
    assert all(set(row) == {"name", "asked", "seen", "ok"} for row in stored["comparisons"])
    assert json.loads(json.dumps(stored)) == stored


# --- real containers with one defence less --------------------------------------------------------------------

Change = Callable[[dict[str, Any]], None]


def without(name: str, value: Any = None) -> Change:
    def change(config: dict[str, Any]) -> None:
        config.pop(name) if value is None else config.__setitem__(name, value)

    return change


SECCOMP = f"seccomp={profile.seccomp_profile()}"
DROPPED: dict[str, tuple[Change, str]] = {
    "network": (without("network_mode", "bridge"), "NetworkMode"),
    "network of the host": (without("network_mode", "host"), "NetworkMode"),
    "read only": (without("read_only"), "ReadonlyRootfs"),
    "capabilities": (without("cap_drop"), "CapDrop"),
    "one capability": (without("cap_add", ["NET_RAW"]), "CapAdd"),
    "privileged": (without("privileged", value=True), "Privileged"),
    # Without no-new-privileges the filter is in force so early that the engine itself cannot start the process.
    "no new privileges": (without("security_opt", ["seccomp=unconfined"]), "no_new_privileges"),
    "seccomp": (without("security_opt", ["no-new-privileges", "seccomp=unconfined"]), "seccomp"),
    "the engine's own seccomp": (without("security_opt", ["no-new-privileges"]), "seccomp"),
    "apparmor": (without("security_opt", ["no-new-privileges", SECCOMP, "apparmor=unconfined"]), "other_security"),
    "masked paths": (without("security_opt", ["no-new-privileges", SECCOMP, "label=disable"]), "other_security"),
    "memory": (lambda config: config.update(mem_limit=2**34, memswap_limit=2**34), "Memory"),
    "swap": (without("memswap_limit"), "MemorySwap"),
    "processes": (without("pids_limit"), "PidsLimit"),
    "processors": (without("nano_cpus"), "NanoCpus"),
    "order of dying": (without("oom_score_adj", 0), "OomScoreAdj"),
    "tmpfs": (without("tmpfs", {profile.ROOT: "rw,exec,nosuid,nodev,mode=1777"}), "Tmpfs"),
    "size of tmpfs": (without("tmpfs", {profile.ROOT: "rw,noexec,nosuid,nodev,mode=1777"}), "Tmpfs"),
    "limits": (without("ulimits"), "ulimits"),
    "mount": (without("binds", ["/usr/share:/data:ro"]), "Binds"),
    "engine's socket": (without("binds", ["/var/run/docker.sock:/var/run/docker.sock"]), "Binds"),
    "device": (without("devices", ["/dev/null:/dev/other"]), "Devices"),
    "process namespace": (without("pid_mode", "host"), "PidMode"),
    "shared memory of others": (without("ipc_mode", "shareable"), "IpcMode"),
    "size of shared memory": (without("shm_size", 2**30), "ShmSize"),
    "log": (without("log_config", {"type": "json-file"}), "LogConfig"),
    "restart": (without("restart_policy", {"Name": "always"}), "RestartPolicy"),
    "group": (without("group_add", ["0"]), "GroupAdd"),
}
"""One defence less, and the row that must say so. Each has its turn on stored views above; these are the real thing.

The engine's answer is compared as soon as the container has started, so that these cost half a second each.
"""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Everything that goes into a container."""
    seen: list[bytes] = []
    send = ContainerSandbox.send

    def noted(self: ContainerSandbox, data: bytes, deadline: float) -> None:
        seen.append(data)
        send(self, data, deadline)

    monkeypatch.setattr(ContainerSandbox, "send", noted)
    return seen


def bench() -> Bench:
    submission = Submission(id="a", candidate="A", files={"toy.py": b"SECRET = 1\n"}, entries={}, sha256="")
    request = SandboxRequest(run_id="test-attestation", limits=Limits(memory_bytes=2**29), slot=5)
    return Bench(backend("docker"), request, submission, Entry(path="toy.py"), 1)


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize(("change", "row"), DROPPED.values(), ids=DROPPED)
def test_a_weak_container_is_refused_before_it_gets_a_byte(
    sandbox_image: str, monkeypatch: pytest.MonkeyPatch, sent: list[bytes], change: Change, row: str
) -> None:
    whole = profile.host_config

    def weak(request: SandboxRequest) -> dict[str, Any]:
        config = whole(request)
        change(config)
        return config

    monkeypatch.setattr(profile, "host_config", weak)
    with bench() as found, pytest.raises(AttestationFailed, match=row):
        found.ready()
    assert sent == []


@pytest.mark.docker
@pytest.mark.slow
def test_a_container_that_runs_as_root_is_refused(
    sandbox_image: str, monkeypatch: pytest.MonkeyPatch, sent: list[bytes]
) -> None:
    monkeypatch.setattr("grader.sandbox.container.profile.uid", lambda request: 0)
    monkeypatch.setattr(attestation, "profile", _Stored())
    with bench() as found, pytest.raises(AttestationFailed, match="User"):
        found.ready()
    assert sent == []


class _Stored:
    """The profile as attestation should still see it: users from 100,000 on."""

    def __getattr__(self, name: str) -> Any:
        return (lambda request: 100_000 + request.slot) if name == "uid" else getattr(profile, name)


@pytest.mark.docker
def test_the_submission_follows_a_green_attestation(sandbox_image: str, sent: list[bytes]) -> None:
    with bench() as found:
        found.ready()
        assert found.facts
        assert found.facts.attestation["green"]
        assert found.facts.attestation["host_view"] in (True, False)
        assert found.facts.image.startswith(sandbox_image)
    assert len(sent) == 1
    assert sent[0][5] == FrameType.REQUEST
    assert b"SECRET = 1" in sent[0]
