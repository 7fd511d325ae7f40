"""The system-call profile: what people's programs need works inside the full sandbox, what attacks need does not."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import docker
from docker import DockerClient
from grader.model import Limits
from grader.sandbox import image, profile
from grader.sandbox.protocol import SandboxRequest
from tests.sandbox.programs import PROGRAMS

RUN_S = 120

LAUNCH = """
import subprocess, sys
# Candidate code is never PID 1: that is the fork server.
sys.exit(subprocess.run([sys.executable, "-I", "-X", "utf8", "-B", "-c", *sys.argv[1:]]).returncode)
"""

FORBIDDEN = {
    # The call's number on x86_64, on aarch64, and its arguments.
    "ptrace": (101, 117, (16, 1)),
    "process_vm_readv": (310, 270, ()),
    "process_vm_writev": (311, 271, ()),
    "pidfd_getfd": (438, 438, ()),
    "pidfd_send_signal": (424, 424, ()),
    "kcmp": (312, 272, (1, 1)),
    "process_madvise": (440, 440, ()),
    "io_uring_setup": (425, 425, (1,)),
    "io_uring_enter": (426, 426, ()),
    "io_uring_register": (427, 427, ()),
    "userfaultfd": (323, 282, (1,)),
    "bpf": (321, 280, ()),
    "perf_event_open": (298, 241, ()),
    "keyctl": (250, 219, ()),
    "add_key": (248, 217, ()),
    "request_key": (249, 218, ()),
    "mount": (165, 40, ()),
    "umount2": (166, 39, ()),
    "move_mount": (429, 429, ()),
    "fsopen": (430, 430, ()),
    "open_tree": (428, 428, ()),
    "pivot_root": (155, 41, ()),
    "chroot": (161, 51, ()),
    "unshare": (272, 97, (0x10000000,)),
    "setns": (308, 268, ()),
    "clone into a user namespace": (56, 220, (0x10000000 | 17,)),
    "clone with the parent's parent": (56, 220, (0x8000 | 17,)),
    "clone3": (435, 435, ()),
    "kexec_load": (246, 104, ()),
    "init_module": (175, 105, ()),
    "name_to_handle_at": (303, 264, ()),
    "open_by_handle_at": (304, 265, ()),
    "memfd_secret": (447, 447, ()),
    "vmsplice": (278, 75, ()),
    "personality without address randomisation": (135, 92, (0x40000,)),
    "sched_setattr": (314, 274, (1,)),
    "sched_setscheduler real-time": (144, 119, (0, 1)),
    "mbind": (237, 235, ()),
    "mlockall": (151, 230, (1,)),
    "mknodat": (259, 33, ()),
    "mq_open": (240, 180, ()),
    "msgget": (68, 186, ()),
    "shmget": (29, 194, ()),
    "quotactl": (179, 60, ()),
    "syslog": (103, 116, (3,)),
    "prlimit64 of PID 1": (302, 261, (1, 0)),
    "setpriority of PID 1": (141, 140, (0, 1, 19)),
    "sched_setaffinity of PID 1": (203, 122, (1, 8)),
    "kill PID 1": (62, 129, (1, 0)),
    "kill PID 1 by a wider number": (62, 129, (0x500000001, 0)),
    "tgkill PID 1": (234, 131, (1, 1, 0)),
    "tkill": (200, 130, (1, 0)),
    "rt_sigqueueinfo": (129, 138, (1, 0)),
    "socket AF_INET": (41, 198, (2, 1, 0)),
    "socket AF_INET6": (41, 198, (10, 1, 0)),
    "socket AF_VSOCK": (41, 198, (40, 1, 0)),
    "socket AF_ALG": (41, 198, (38, 5, 0)),
    "socket AF_PACKET": (41, 198, (17, 3, 0)),
    "socket AF_NETLINK netfilter": (41, 198, (16, 3, 12)),
}

CALLS = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
found = {}
for name, number, arguments in json.loads(sys.argv[1]):
    ctypes.set_errno(0)
    result = libc.syscall(*(ctypes.c_long(value) for value in (number, *arguments)))
    found[name] = [result, ctypes.get_errno()]
print(json.dumps(found))
"""

I386_CALL = """
import ctypes, mmap, os

child = os.fork()
if child == 0:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    os._exit(0)
assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
"""

Run = Callable[..., str]


def rules(name: str) -> list[dict[str, Any]]:
    document = json.loads(profile.seccomp_profile())
    return [rule for rule in document["syscalls"] if name in rule["names"] and rule["action"] == "SCMP_ACT_ALLOW"]


def allows(name: str, *arguments: int) -> bool:
    """What the profile decides about a call, by libseccomp's rules: conditions of a rule all hold, any rule does."""
    return any(all(_holds(condition, arguments) for condition in rule.get("args", [])) for rule in rules(name))


def _holds(condition: dict[str, Any], arguments: tuple[int, ...]) -> bool:
    value = arguments[condition["index"]] & 0xFFFFFFFFFFFFFFFF
    if condition["op"] == "SCMP_CMP_MASKED_EQ":
        return bool(value & condition["value"] == condition["valueTwo"])
    assert condition["op"] == "SCMP_CMP_EQ"
    return bool(value == condition["value"])


@pytest.mark.parametrize("call", ["kill", "tgkill", "sched_setaffinity"])
def test_every_process_but_the_first_may_be_named(call: str) -> None:
    assert not allows(call, 1)
    assert not allows(call, 0x100000001)
    for pid in (0, 2, 3, 4, 5, 128, 4194304, -1, -2, -300):
        assert allows(call, pid), pid


def test_no_call_is_listed_twice_without_conditions() -> None:
    document = json.loads(profile.seccomp_profile())
    free = [name for rule in document["syscalls"] if not rule.get("args") for name in rule["names"]]
    conditional = {name for rule in document["syscalls"] if rule.get("args") for name in rule["names"]}
    assert len(free) == len(set(free))
    assert not conditional & set(free)


def test_threads_and_forks_pass_the_filter_of_clone_flags() -> None:
    pthread_create = 0x3D0F00
    fork = 0x1200011
    posix_spawn = 0x4111
    assert all(allows("clone", flags) for flags in (pthread_create, fork, posix_spawn))
    for bit in (0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert not allows("clone", fork | bit)


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerClient]:
    try:
        client = docker.from_env(timeout=RUN_S + 30)
    except docker.errors.DockerException:
        pytest.skip("no Docker engine answers")
    yield client
    client.close()


@pytest.fixture(scope="module")
def run(engine: DockerClient) -> Run:
    """Runs a program as a child of PID 1 in a container with the whole profile; gives what it printed."""
    tag = image.build_image(engine, progress=print).tag
    request = SandboxRequest(run_id="test-seccomp", limits=Limits(threads=2))
    config = profile.host_config(request) | {"log_config": {"type": "json-file"}}  # "none" keeps nothing to read
    user = profile.uid(request)

    def start(program: str, *arguments: str) -> str:
        created = engine.api.create_container(
            tag,
            entrypoint=[*profile.command(request)[:1], "-I", "-c", LAUNCH],
            command=[program, *arguments],
            user=f"{user}:{user}",
            working_dir=profile.ROOT,
            environment=profile.environment(request),
            labels={"grader.test": "seccomp"},
            host_config=engine.api.create_host_config(**config),
        )
        container = engine.containers.get(created["Id"])
        try:
            container.start()
            status = container.wait(timeout=RUN_S)["StatusCode"]
            output = container.logs().decode(errors="replace")
        finally:
            container.remove(force=True)
        assert status == 0, output
        return output

    return start


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_honest_program_works_in_the_sandbox(run: Run, name: str) -> None:
    assert run(PROGRAMS[name]).rstrip().endswith("done")


@pytest.mark.docker
def test_forbidden_calls_are_refused(run: Run) -> None:
    column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    table = [(name, *(row[column], row[2])) for name, row in FORBIDDEN.items()]
    found = json.loads(run(CALLS, json.dumps(table)))
    eperm, enosys = 1, 38
    allowed = {name: answer for name, answer in found.items() if answer[0] != -1 or answer[1] not in (eperm, enosys)}
    assert allowed == {}
    assert found["clone3"][1] == enosys  # the C library then falls back to clone; EPERM would end every thread


@pytest.mark.docker
@pytest.mark.skipif(platform.machine() != "x86_64", reason="int 0x80 is an instruction of x86")
def test_calls_of_32_bit_programs_end_the_process(run: Run) -> None:
    run(I386_CALL)
