"""Fetch the wheels of the sandbox image on the host, because the image is built without a network.

The host's own pip configuration (indexes, mirrors, find-links, proxies) applies; no host name is written here.
A complete download is kept in the cache under a key of everything it depends on, so a rebuild fetches nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

from grader.config import cache_folder
from grader.errors import SandboxUnavailable
from grader.sandbox.hostcommand import Progress, run_command

IMAGE_PYTHON = "3.11"
"""Python of Debian bookworm, on which both bases stand."""

_GLIBC_MINORS = range(36, 16, -1)
"""manylinux tags that the image's glibc (bookworm: 2.36) satisfies, newest first; 2.17 is manylinux2014."""
_DOWNLOAD_TIMEOUT_S = 3600.0
"""The CUDA build is about 3 GB: at 1 MB/s that is 50 minutes."""


def fetch_wheels(
    requirements: Path,
    constraints: Path,
    *,
    machine: str,
    index_url: str | None,
    cache: Path | None,
    progress: Progress,
) -> Path:
    """The folder with all wheels for Python 3.11 on Linux `machine` ("x86_64" or "aarch64").

    `index_url` is searched in addition to pip's configured indexes. Raises SandboxUnavailable when pip is
    missing or fails.
    """
    root = cache or default_cache()
    folder = root / _key(requirements, constraints, machine, index_url)
    if folder.is_dir():
        progress(f"wheels: from {folder}")
        return folder
    if importlib.util.find_spec("pip") is None:
        raise SandboxUnavailable("this Python has no pip to fetch the image's wheels with", hint="run: make setup")
    root.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".partial-", dir=root))
    try:
        run_command(
            _pip_download(requirements, constraints, machine, index_url, scratch),
            progress=progress,
            timeout_s=_DOWNLOAD_TIMEOUT_S,
            what="pip download",
            hint="check the index that pip uses, or name another with --index-url",
        )
        _publish(scratch, folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def default_cache() -> Path:
    """`$XDG_CACHE_HOME/grader/wheels`, by default `~/.cache/grader/wheels`."""
    return cache_folder() / "wheels"


def platform_tags(machine: str) -> list[str]:
    """All wheel tags that the image accepts, so that the choice does not depend on the host's own glibc."""
    legacy = ["manylinux2014"] + (["manylinux2010", "manylinux1"] if machine == "x86_64" else [])
    return [f"{tag}_{machine}" for tag in [f"manylinux_2_{minor}" for minor in _GLIBC_MINORS] + legacy]


def _key(requirements: Path, constraints: Path, machine: str, index_url: str | None) -> str:
    digest = hashlib.sha256()
    for part in (requirements.read_bytes(), constraints.read_bytes(), machine.encode(), (index_url or "").encode()):
        digest.update(hashlib.sha256(part).digest())
    return f"{machine}-{digest.hexdigest()[:12]}"


def _pip_download(
    requirements: Path, constraints: Path, machine: str, index_url: str | None, target: Path
) -> list[str]:
    argv = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    argv += ["--progress-bar", "off", "--only-binary=:all:", "--dest", str(target)]
    argv += ["--implementation", "cp", "--python-version", IMAGE_PYTHON]
    for abi in ("cp311", "abi3", "none"):
        argv += ["--abi", abi]
    for tag in platform_tags(machine):
        argv += ["--platform", tag]
    if index_url:
        argv += ["--extra-index-url", index_url]
    return [*argv, "--requirement", str(requirements), "--constraint", str(constraints)]


def _publish(scratch: Path, folder: Path) -> None:
    """Rename into place; another build that was quicker with the same key has made the same folder."""
    scratch.chmod(0o755)
    try:
        scratch.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
