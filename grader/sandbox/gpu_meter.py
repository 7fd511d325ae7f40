"""The peak of a device's memory while a job runs, by the driver's account: nothing that a candidate says counts.

One `nvidia-smi` prints its document again and again; starting it for each sample would cost a slot's core.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import IO, Final

from grader.sandbox.gpus import PROGRAM, QUERY, Gpu, parse

SAMPLE_S: Final = 1
_END: Final = b"</nvidia_smi_log>"
_DOCUMENT_BYTES: Final = 4 * 1024**2
_STOP_S: Final = 5.0


@contextlib.contextmanager
def metered(device: Gpu) -> Iterator[Callable[[], int]]:
    """Samples once a second; gives a function that says the peak so far, less what was in use before, in bytes."""
    program = shutil.which(PROGRAM)
    meter = _Meter(device)
    if program is None:
        yield meter.peak
        return
    command = [program, *QUERY, "-i", device.parent or device.uuid, "-l", str(SAMPLE_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        thread = threading.Thread(target=meter.follow, args=(process.stdout,), name="gpu-meter", daemon=True)
        thread.start()
        try:
            yield meter.peak
        finally:
            process.kill()
            thread.join(_STOP_S)


class _Meter:
    """The largest figure of the documents so far."""

    def __init__(self, device: Gpu) -> None:
        self._device = device
        self._most = 0

    def peak(self) -> int:
        """In bytes."""
        return self._most

    def follow(self, stream: IO[bytes]) -> None:
        """Reads documents until the stream ends."""
        text = bytearray()
        for line in stream:
            text += line
            if _END in line:
                self._take(text.decode("utf-8", "replace"))
            if _END in line or len(text) > _DOCUMENT_BYTES:
                text.clear()

    def _take(self, document: str) -> None:
        for gpu in parse(document):
            if (gpu.slice_name or gpu.uuid) == (self._device.slice_name or self._device.uuid):
                self._most = max(self._most, gpu.used_bytes - self._device.used_bytes)
