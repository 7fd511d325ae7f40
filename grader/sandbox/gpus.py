"""Which GPUs this machine has, and which of them a setting names. Only looks; `leases` gives them out.

Devices are named by UUID: an index means another device once one is missing or MIG is on. A GPU in MIG mode is not a
device here, its slices are. Asked is `nvidia-smi`, a process that can be given up when the driver hangs; a library in
this process could not.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from grader.errors import SandboxUnavailable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PROGRAM: Final = "nvidia-smi"
QUERY: Final = ("-q", "-x")
TIMEOUT_S = 20.0
MIB: Final = 1024**2
_SLICE: Final = re.compile(r"\s+MIG\s+(\S+)\s+Device\s+(\d+):\s+\(UUID:\s+(\S+)\)")
_WHOLE: Final = re.compile(r"GPU\s+\d+:.*\(UUID:\s+(\S+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One device that can be given to a job, as the driver describes it now."""

    index: int
    """Of the GPU, in the driver's order; slices of one GPU share it."""
    uuid: str
    name: str
    driver: str
    cuda: str = ""
    """Newest CUDA version that the driver supports."""
    total_bytes: int = 0
    used_bytes: int = 0
    parent: str = ""
    """UUID of the GPU that this is a MIG slice of; "" for a whole GPU."""
    slice_name: str = ""
    """Of a slice, as the driver's document knows it: UUID of the GPU and number of the slice."""
    users: tuple[int, ...] = ()
    """Processes that compute on it, as far as this process may see them."""

    @property
    def shown(self) -> str:
        """For messages: "GPU 0 (NVIDIA H100, GPU-8f...)"."""
        return f"GPU {self.index} ({self.name}, {self.uuid})"


def list_gpus() -> list[Gpu]:
    """The devices of this machine; none where there is no working driver. Raises SandboxUnavailable if it hangs."""
    found = parse(_ask(*QUERY))
    if any(gpu.parent for gpu in found):  # the document does not name slices
        return _with_slices(found, _ask("-L"))
    return found


def _ask(*arguments: str) -> str:
    program = shutil.which(PROGRAM)
    if program is None:
        return ""
    try:
        done = subprocess.run([program, *arguments], capture_output=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        message = f"{PROGRAM} does not answer within {TIMEOUT_S:g} s"
        raise SandboxUnavailable(message, hint="the GPU driver needs attention, or use `--gpus none`") from error
    return done.stdout.decode("utf-8", "replace")


def parse(document: str) -> list[Gpu]:
    """The devices of what `nvidia-smi -q -x` prints; none where it is no such document ("No devices were found").

    Slices have no UUID there.
    """
    from xml.etree import ElementTree as ET

    try:
        root = ET.fromstring(document[document.index("<?xml") :])  # noqa: S314 -- the driver's, not a candidate's
    except (ValueError, ET.ParseError):
        return []
    found = []
    for index, row in enumerate(root.iter("gpu")):
        gpu = _whole(index, row, _text(root, "driver_version"), _text(root, "cuda_version"))
        found += _slices(gpu, row) if _text(row, "mig_mode/current_mig") == "Enabled" else [gpu]
    return found


def _whole(index: int, row: Element, driver: str, cuda: str) -> Gpu:
    return Gpu(
        index=index,
        uuid=_text(row, "uuid"),
        name=_text(row, "product_name"),
        driver=driver,
        cuda=cuda,
        total_bytes=_bytes(row, "fb_memory_usage/total"),
        used_bytes=_bytes(row, "fb_memory_usage/used"),
        users=_users(row, ""),
    )


def _slices(gpu: Gpu, row: Element) -> list[Gpu]:
    return [
        Gpu(
            index=gpu.index,
            uuid="",
            slice_name=f"{gpu.uuid}:{_text(part, 'index')}",
            name=gpu.name,
            driver=gpu.driver,
            cuda=gpu.cuda,
            total_bytes=_bytes(part, "fb_memory_usage/total"),
            used_bytes=_bytes(part, "fb_memory_usage/used"),
            parent=gpu.uuid,
            users=_users(row, _text(part, "gpu_instance_id")),
        )
        for part in row.iterfind("mig_devices/mig_device")
    ]


def _users(row: Element, instance: str) -> tuple[int, ...]:
    """Processes of type C on the GPU, or on that instance of it; what only draws (G) does not count."""
    found = [
        _text(process, "pid")
        for process in row.iterfind("processes/process_info")
        if _text(process, "type") == "C" and (not instance or _text(process, "gpu_instance_id") == instance)
    ]
    return tuple(int(pid) for pid in found if pid.isdigit())


def _text(row: Element, path: str) -> str:
    return (row.findtext(path) or "").strip()


def _bytes(row: Element, path: str) -> int:
    """For example "81920 MiB"; 0 for "N/A"."""
    number, _, unit = _text(row, path).partition(" ")
    return int(number) * MIB if number.isdigit() and unit == "MiB" else 0


def _with_slices(found: Sequence[Gpu], listing: str) -> list[Gpu]:
    """The devices, slices with the UUID and profile that `nvidia-smi -L` gives them; without one it cannot be used."""
    known: dict[str, tuple[str, str]] = {}
    parent = ""
    for line in listing.splitlines():
        if whole := _WHOLE.match(line):
            parent = whole[1]
        elif part := _SLICE.match(line):
            known[f"{parent}:{part[2]}"] = (f"MIG {part[1]}", part[3])
    result = [gpu for gpu in found if not gpu.parent]
    for gpu in found:
        if gpu.slice_name in known:
            profile, uuid = known[gpu.slice_name]
            result.append(replace(gpu, name=f"{gpu.name} {profile}", uuid=uuid))
    return sorted(result, key=lambda gpu: gpu.index)


def select(asked: str, found: Sequence[Gpu]) -> list[Gpu]:
    """Those that a setting names: all for `auto` and `all`, else by index or UUID; an index means all of its slices.

    Raises SandboxUnavailable where one is not there.
    """
    if asked in ("auto", "all"):
        return list(found)
    chosen: dict[str, Gpu] = {}
    for name in asked.split(","):
        fitting = [gpu for gpu in found if name in (gpu.uuid, str(gpu.index))]
        if not fitting:
            known = ", ".join(f"{gpu.index} ({gpu.uuid})" for gpu in found)
            raise SandboxUnavailable(f"there is no GPU {name}", hint=f"this machine has: {known}")
        chosen |= {gpu.uuid: gpu for gpu in fitting}
    return list(chosen.values())
