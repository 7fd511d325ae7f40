"""A driver without a device: a program called `nvidia-smi` on PATH that prints documents in the form of the real one.

The form (elements, their order, "N/A", units) is that of what drivers 535 and 590 print for an A100 with MIG and for
two A5000, cut down to the parts around those that are read. What is printed can be changed while a test runs.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

A, B = "GPU-0f3e1a52-8a5c-4d7e-9a2b-6c1d2e3f4a5b", "GPU-77aa51c0-1b2c-4d3e-8f90-a1b2c3d4e5f6"
SLICES = ("MIG-2b1f5a9e-3c4d-5e6f-8a7b-9c0d1e2f3a4b", "MIG-9d8c7b6a-5f4e-5d3c-b2a1-0f9e8d7c6b5a")


def process(pid: int, kind: str = "C", instance: str = "N/A") -> str:
    """One process on a device."""
    return f"""
			<process_info>
				<gpu_instance_id>{instance}</gpu_instance_id>
				<compute_instance_id>{"0" if instance != "N/A" else "N/A"}</compute_instance_id>
				<pid>{pid}</pid>
				<type>{kind}</type>
				<process_name>python</process_name>
				<used_memory>22 MiB</used_memory>
			</process_info>"""


def part(index: int, instance: int, used: int) -> str:
    """One slice of a GPU in MIG mode."""
    return f"""
			<mig_device>
				<index>{index}</index>
				<gpu_instance_id>{instance}</gpu_instance_id>
				<compute_instance_id>0</compute_instance_id>
				<fb_memory_usage>
					<total>19968 MiB</total>
					<reserved>0 MiB</reserved>
					<used>{used} MiB</used>
					<free>{19968 - used} MiB</free>
				</fb_memory_usage>
				<bar1_memory_usage>
					<total>32767 MiB</total>
					<used>0 MiB</used>
					<free>32767 MiB</free>
				</bar1_memory_usage>
			</mig_device>"""


def gpu(uuid: str, *, used: int = 4, parts: Sequence[str] = (), processes: Sequence[str] = ()) -> str:
    """One GPU."""
    mode = "Enabled" if parts else "N/A"
    return f"""
	<gpu id="00000000:81:00.0">
		<product_name>NVIDIA RTX A5000</product_name>
		<product_brand>NVIDIA RTX</product_brand>
		<mig_mode>
			<current_mig>{mode}</current_mig>
			<pending_mig>{mode}</pending_mig>
		</mig_mode>
		<mig_devices>{
        "".join(parts)
        or '''
			None
		'''
    }</mig_devices>
		<serial>0123456789012</serial>
		<uuid>{uuid}</uuid>
		<minor_number>1</minor_number>
		<fan_speed>30 %</fan_speed>
		<fb_memory_usage>
			<total>24564 MiB</total>
			<reserved>450 MiB</reserved>
			<used>{used} MiB</used>
			<free>{24564 - used} MiB</free>
		</fb_memory_usage>
		<bar1_memory_usage>
			<total>256 MiB</total>
			<used>5 MiB</used>
			<free>251 MiB</free>
		</bar1_memory_usage>
		<compute_mode>Default</compute_mode>
		<processes>{"".join(processes)}
		</processes>
	</gpu>"""


def document(*gpus: str) -> str:
    """What `nvidia-smi -q -x` prints."""
    return f"""<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v13.dtd">
<nvidia_smi_log>
	<timestamp>Tue Dec 30 09:46:54 2025</timestamp>
	<driver_version>590.44.01</driver_version>
	<cuda_version>13.1</cuda_version>
	<attached_gpus>{len(gpus)}</attached_gpus>{"".join(gpus)}
</nvidia_smi_log>
"""


LISTING = f"""GPU 0: NVIDIA RTX A5000 (UUID: {A})
  MIG 1g.20gb     Device  0: (UUID: {SLICES[0]})
  MIG 1g.20gb     Device  1: (UUID: {SLICES[1]})
GPU 1: NVIDIA RTX A5000 (UUID: {B})
"""


@dataclass(frozen=True, slots=True)
class Driver:
    """The program and what it prints."""

    folder: Path

    def script(self, body: str) -> None:
        """Makes the program a shell script."""
        path = self.folder / "nvidia-smi"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def has(self, *gpus: str, listing: str = "") -> None:
        """From now on it prints those GPUs: whole at any moment, as another process may be reading."""
        for name, text in (("document", document(*gpus)), ("listing", listing)):
            fresh = self.folder / f"{name}.new"
            fresh.write_text(text)
            fresh.replace(self.folder / name)
        if not (self.folder / "nvidia-smi").exists():
            here = shlex.quote(str(self.folder))
            self.script(
                f'case "$*" in -L) cat {here}/listing;; '
                f"*-l*) while cat {here}/document; do sleep 0.2; done;; *) cat {here}/document;; esac"
            )


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """No driver yet, and nothing of this machine's."""
    folder = tmp_path / "driver"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return Driver(folder)
