"""Engines that a drill may break: a second one of its own, and a line to the usual one that can be slowed; small disks.

The second engine has its own socket, data, containerd and containers: nothing of the usual one is touched. It makes no
bridge and no firewall rule; our containers have no network anyway.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

import docker

CHUNK = 65536
START_S = 120.0
IMAGE_BYTES = 4 * 1024**3
"""The image twice: the engine keeps what is sent before it takes it apart."""


class Engine:
    """A Docker engine of our own. Its folder has a short path, because that of a socket has at most 107 bytes.

    It lies in memory where there is enough: an image is copied and removed several times as fast.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="engine-", dir="/tmp"))
        if psutil.virtual_memory().available > 2 * IMAGE_BYTES:
            size = f"size={IMAGE_BYTES}"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(self._folder)], check=True)
        self.host = f"unix://{self._folder}/sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        paths = [f"--{name}={self._folder / name}" for name in ("data-root", "exec-root", "pidfile")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["dockerd", f"--host={self.host}", "--bridge=none", "--iptables=false", *paths],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the second engine does not come up"
            time.sleep(0.1)

    def _answers(self) -> bool:
        with contextlib.suppress(docker.errors.DockerException, OSError), contextlib.closing(self._client()) as client:
            return bool(client.ping())
        return False

    def _client(self) -> docker.DockerClient:
        return docker.DockerClient(base_url=self.host, timeout=300, version="1.41")

    def load(self, tag: str) -> None:
        """Copies an image from the usual engine."""
        with contextlib.closing(docker.from_env(timeout=300)) as usual, contextlib.closing(self._client()) as ours:
            ours.images.load(usual.images.get(tag).save(named=True))  # type: ignore[arg-type]  # chunks are sent as they come

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it: SIGTERM as an administrator does, SIGKILL as a crash. A crash leaves the containers running."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None
        if number is signal.SIGKILL:
            # Its containerd ends with it, or a moment later; one that nobody waits for would be taken for running.
            child = self._folder / "exec-root/containerd/containerd.pid"
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(child.read_text()), number)
            child.unlink(missing_ok=True)

    def containers(self) -> list[str]:
        """What it has."""
        with contextlib.closing(self._client()) as client:
            return [str(row["Id"]) for row in client.api.containers(all=True)]

    def remove(self) -> None:
        """Ends it for good, with all that it had."""
        self.stop()
        mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
        for place in reversed([path for path in mounted if Path(path).is_relative_to(self._folder)]):
            subprocess.run(["umount", "--lazy", place], check=True)
        shutil.rmtree(self._folder)


class SlowLine:
    """A socket in front of an engine's, which passes everything on after a while, or nothing any more."""

    def __init__(self, path: Path, target: str, delay_s: float) -> None:
        self.host, self._target, self.delay_s = f"unix://{path}", target, delay_s
        self.stalled = threading.Event()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen(64)
        self._ends: list[socket.socket] = [self._server]
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def _run(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.socket(socket.AF_UNIX)
                self._ends += [near, far]
                far.connect(self._target)
                self._run(self._pass, near, far)
                self._run(self._pass, far, near)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                time.sleep(self.delay_s)
                while self.stalled.is_set():
                    time.sleep(0.05)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends all connections and takes no more."""
        self.stalled.clear()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for end in self._ends:
            end.close()


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of that size at `folder`."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
