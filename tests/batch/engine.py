"""A Docker engine of a test's own, which it may stop and kill while other tests use the machine's."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

START_S = 60.0
STOP_S = 60.0


@dataclass
class Engine:
    """An engine with its own socket, images and containers, without a network."""

    root: Path
    """Images and state; on a file system that the engine's storage driver can use."""
    run: Path
    """Sockets; a short path, as the kernel takes 107 bytes."""
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def host(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.run}/docker.sock"

    def start(self) -> None:
        """Starts it and waits until it answers. Raises AssertionError with its last words where it does not."""
        # Without the machine's own settings: they may name another root or socket.
        settings = self.run / "daemon.json"
        settings.write_text("{}")
        options = {
            "host": self.host, "config-file": settings, "data-root": self.root, "exec-root": self.run / "exec",
            "pidfile": self.run / "pid", "bridge": "none", "iptables": "false", "ip-masq": "false",
        }  # fmt: skip
        command = ["dockerd", *(f"--{name}={value}" for name, value in options.items())]
        with (self.run / "log").open("ab") as log:
            # A group of its own: an interrupt at the terminal is for the tests.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while not self.answers():
            assert self.process.poll() is None, self.last_words()
            assert time.monotonic() < deadline, self.last_words()
            time.sleep(0.1)

    def answers(self) -> bool:
        """True where a client is served."""
        return self.docker("version").returncode == 0

    def docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What the Docker command says to these words here."""
        return subprocess.run(["docker", "--host", self.host, *words], capture_output=True, text=True, check=False)

    def copy_image(self, tag: str) -> None:
        """Takes an image over from the machine's engine."""
        with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "--host", self.host, "load", "--quiet"], stdin=saved.stdout, check=True)
        assert saved.returncode == 0

    def containers(self) -> list[str]:
        """Names of all containers, also of those that ended."""
        return self.docker("ps", "--all", "--format", "{{.Names}}").stdout.split()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it with this signal: in order, or as the kernel would."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=STOP_S)
        if number is signal.SIGKILL:  # its child may outlive it; the next engine would wait for a child that is ending
            child = self.run / "exec/containerd/containerd.pid"
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(child.read_text()), number)
            child.unlink(missing_ok=True)

    def last_words(self) -> str:
        """The end of its log."""
        return (self.run / "log").read_text(encoding="utf-8", errors="replace")[-2000:]


def mounts_below(folder: Path) -> list[str]:
    """What an engine that was killed left mounted there, the deepest first."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    return sorted((point for point in points if Path(point).is_relative_to(folder)), reverse=True)


def is_possible() -> bool:
    """True where the engine's own program is, and this user may start it."""
    return shutil.which("dockerd") is not None and hasattr(os, "geteuid") and os.geteuid() == 0


@contextlib.contextmanager
def own_engine() -> Iterator[Engine]:
    """A running engine, gone with everything that it held in the end."""
    beside = subprocess.run(
        ["docker", "info", "--format", "{{.DockerRootDir}}"], capture_output=True, text=True, check=True
    ).stdout.strip()
    with (
        tempfile.TemporaryDirectory(prefix="grader-engine-", dir=Path(beside).parent) as root,
        tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as run,
    ):
        engine = Engine(Path(root), Path(run))
        engine.start()
        try:
            yield engine
        finally:
            for name in engine.containers():
                engine.docker("rm", "--force", name)
            engine.stop()
            for folder in mounts_below(engine.root) + mounts_below(engine.run):
                subprocess.run(["umount", "--lazy", folder], check=True)
