"""The image that the sandbox image starts from: pulled from a registry, or bootstrapped from packages.

Both are Debian bookworm with Python 3.11. A pull that cannot work must fail in seconds, not minutes: many grading
machines have no way to a registry, but have a mirror of their distribution.
"""

from __future__ import annotations

import hashlib
import os
import queue
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import SandboxUnavailable
from grader.sandbox.hostcommand import Progress, run_command

if TYPE_CHECKING:
    from docker import DockerClient

REGISTRY_BASE = "python:3.11-slim-bookworm"
BOOTSTRAP = "bootstrap"
SUITE = "bookworm"
PACKAGES = "python3,python3-venv,ca-certificates"
_UNUSED = ("var/cache/apt", "var/lib/apt/lists", "var/log", "usr/share/doc", "usr/share/man", "usr/share/locale")
_ENV = ("ENV PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8", 'CMD ["/bin/sh"]')

_PULL_SILENCE_S = 30.0
"""The engine itself gives a registry 15 s to answer; after twice that without a word nobody will."""
_PULL_TOTAL_S = 900.0
_BOOTSTRAP_TIMEOUT_S = 1800.0
_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}
_DEBIAN_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base image that the engine has."""

    name: str
    digest: str
    """Registry digest where there is one, else the image's id."""


def recipe() -> bytes:
    """Everything that decides what a bootstrapped base holds, and the name of the registry's base."""
    return repr((REGISTRY_BASE, SUITE, PACKAGES, _UNUSED, _ENV)).encode()


def bootstrap_tag() -> str:
    """Name of the bootstrapped base, new whenever the recipe changes."""
    return f"grader-base:{SUITE}-{hashlib.sha256(recipe()).hexdigest()[:12]}"


def engine_machine(client: DockerClient) -> str:
    """The engine's processor as wheels name it. Raises SandboxUnavailable for one that is not supported."""
    name = str(client.version().get("Arch", ""))
    if name not in _MACHINES:
        raise SandboxUnavailable(f"the engine runs on {name or 'an unknown processor'}; supported: amd64, arm64")
    return _MACHINES[name]


def ensure_base(client: DockerClient, base: str | None, progress: Progress) -> Base:
    """The base to build on; what the engine already has is used first.

    `base`: None tries the registry and then bootstraps; "bootstrap" never asks a registry; any other name is an
    image of the engine or a registry. Raises SandboxUnavailable where none of that works.
    """
    if base not in (None, BOOTSTRAP):
        return _named(client, base, progress)
    present = _present(client, bootstrap_tag()) or (_present(client, REGISTRY_BASE) if base is None else None)
    if present:
        progress(f"base image: {present.name}")
        return present
    if base is None:
        problem = _pull(client, REGISTRY_BASE, progress)
        if not problem:
            return _require(client, REGISTRY_BASE)
        progress(f"{REGISTRY_BASE} cannot be pulled ({problem}): bootstrapping a base from the distribution's packages")
    _bootstrap(client, progress)
    return _require(client, bootstrap_tag())


def _named(client: DockerClient, name: str | None, progress: Progress) -> Base:
    assert name is not None
    present = _present(client, name)
    if present:
        return present
    problem = _pull(client, name, progress)
    if problem:
        raise SandboxUnavailable(f"the base image {name} cannot be pulled: {problem}", hint=f"try --base {BOOTSTRAP}")
    return _require(client, name)


def _present(client: DockerClient, name: str) -> Base | None:
    from docker.errors import ImageNotFound

    try:
        image = client.images.get(name)
    except ImageNotFound:
        return None
    digests = image.attrs.get("RepoDigests") or [image.id]
    return Base(name=name, digest=str(digests[0]))


def _require(client: DockerClient, name: str) -> Base:
    base = _present(client, name)
    if base is None:
        raise SandboxUnavailable(f"the engine does not have {name} although it was just made")
    return base


def _pull(client: DockerClient, name: str, progress: Progress) -> str:
    """Pull `name`; gives "" or why it failed. The SDK sets no time limit on a pull, hence the thread."""
    events: queue.Queue[dict[str, Any] | None] = queue.Queue()
    threading.Thread(target=_pump, args=(client, name, events), daemon=True).start()
    progress(f"pulling {name}")
    deadline = time.monotonic() + _PULL_TOTAL_S
    while time.monotonic() < deadline:
        try:
            event = events.get(timeout=_PULL_SILENCE_S)
        except queue.Empty:
            return f"no answer for {_PULL_SILENCE_S:.0f} s"
        if event is None:
            return ""
        if "error" in event:
            return str(event["error"])
    return f"not done after {_PULL_TOTAL_S:.0f} s"


def _pump(client: DockerClient, name: str, events: queue.Queue[dict[str, Any] | None]) -> None:
    repository, _, tag = name.partition(":")
    try:
        for event in client.api.pull(repository, tag=tag or "latest", stream=True, decode=True):
            events.put(event)
        events.put(None)
    except Exception as error:  # noqa: BLE001 -- border of a thread: whatever went wrong is the reason shown
        events.put({"error": str(getattr(error, "explanation", None) or error)})


def _bootstrap(client: DockerClient, progress: Progress) -> None:
    machine = engine_machine(client)
    _require_tools(machine)
    with tempfile.TemporaryDirectory(prefix="grader-base-") as scratch:
        root = Path(scratch) / "root"
        run_command(
            # A mount namespace of its own: mounts that debootstrap leaves behind when it is killed go with it.
            ["unshare", "--mount", *_debootstrap(machine), str(root)],
            progress=progress,
            timeout_s=_BOOTSTRAP_TIMEOUT_S,
            what="debootstrap",
            hint="a Debian mirror must be reachable",
        )
        _import(client, root, Path(scratch) / "base.tar", progress)


def _debootstrap(machine: str) -> list[str]:
    arch = f"--arch={_DEBIAN_NAMES[machine]}"
    return ["debootstrap", arch, "--variant=minbase", f"--include={PACKAGES}", SUITE]


def _require_tools(machine: str) -> None:
    if os.uname().machine != machine:
        raise SandboxUnavailable(f"a base for {machine} cannot be bootstrapped on {os.uname().machine}")
    missing = [tool for tool in ("debootstrap", "unshare", "tar") if shutil.which(tool) is None]
    if missing:
        raise SandboxUnavailable(
            f"no base image: it cannot be pulled, and {', '.join(missing)} is missing to bootstrap one",
            hint="as root, run: apt-get install -y debootstrap && grader image build",
        )
    if os.geteuid() != 0:
        raise SandboxUnavailable(
            "no base image: it cannot be pulled, and only root can bootstrap one", hint="run: sudo grader image build"
        )


def _import(client: DockerClient, root: Path, archive: Path, progress: Progress) -> None:
    for folder in _UNUSED:
        for entry in (root / folder).iterdir() if (root / folder).is_dir() else ():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for path in root.rglob("*"):
        if not path.is_symlink() and path.lstat().st_mode & 0o6000:
            path.chmod(path.lstat().st_mode & 0o1777)
    progress(f"importing {bootstrap_tag()}")
    # Contents of dev/ and proc/ belong to the machine that made them; the engine mounts its own.
    argv = ["tar", "--numeric-owner", "--exclude=./dev/*", "--exclude=./proc/*", "--exclude=./sys/*"]
    run_command(
        [*argv, "-C", str(root), "-cf", str(archive), "."],
        progress=progress,
        timeout_s=_BOOTSTRAP_TIMEOUT_S,
        what="tar",
        hint="the folder for temporary files needs 1 GB",
    )
    repository, _, tag = bootstrap_tag().partition(":")
    client.api.import_image(src=str(archive), repository=repository, tag=tag, changes=list(_ENV))
