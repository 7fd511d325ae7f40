"""The sandbox image: what goes into it, what it is called, and building it.

The tag is a hash of all inputs (recipe, packages, worker sources), so an image that is older than the code can
never be used by mistake, and one that is not is never built again. Nothing from a submission, a task or a
reference solution is an input. The build has no network.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from grader.errors import SandboxUnavailable
from grader.sandbox import base_image
from grader.sandbox.hostcommand import Progress
from grader.sandbox.wheels import fetch_wheels

if TYPE_CHECKING:
    from docker.models.images import Image as EngineImage

    from docker import DockerClient

REPOSITORY = "grader-sandbox"
LABEL_INPUTS = "grader.inputs"
LABEL_BASE = "grader.base"
LABEL_BASE_DIGEST = "grader.base.digest"
BUILD_COMMAND = "grader image build"

_PACKAGE = Path(__file__).resolve().parents[1]
_DOCKER = _PACKAGE.parent / "docker"
_RECIPE_FILES = ("Dockerfile", "constraints.txt", "trim.sh", "strip.sh")
_STEP_TIMEOUT_S = 1800
"""Longest silence of one build step; installing and compiling the CUDA packages takes some minutes."""
_TAIL_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A sandbox image that the engine has and that matches this version of the code."""

    tag: str
    id: str
    """The engine's id: a digest of the image's configuration and layers."""
    inputs_sha256: str
    base: str = ""
    """Name of the base it was built on; both bases are allowed for one tag."""


def image_tag(*, gpu: bool = False) -> str:
    """`grader-sandbox:<cpu|gpu>-<first 12 hex digits of the inputs' SHA-256>`."""
    return f"{REPOSITORY}:{_kind(gpu=gpu)}-{inputs_sha256(gpu=gpu)[:12]}"


def inputs_sha256(*, gpu: bool = False) -> str:
    """SHA-256 over everything that decides what the image does. Raises SandboxUnavailable outside a checkout."""
    digest = hashlib.sha256(_kind(gpu=gpu).encode() + base_image.recipe())
    for name, content in sorted(_context_files(gpu=gpu).items()):
        digest.update(f"\n{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def find_image(client: DockerClient, *, gpu: bool = False) -> Image:
    """The image of this version. Raises SandboxUnavailable where the engine has none, or only another version's."""
    tag, wanted = image_tag(gpu=gpu), inputs_sha256(gpu=gpu)
    with _engine_errors("look for the sandbox image"):
        found = _lookup(client, tag)
        if found is not None and (found.labels or {}).get(LABEL_INPUTS) == wanted:
            return _described(found, tag)
        others = _other_versions(client, _kind(gpu=gpu))
    command = BUILD_COMMAND + (" --gpu" if gpu else "")
    if others:
        raise SandboxUnavailable(f"the sandbox image {others[0]} is of another version", hint=f"run: {command}")
    raise SandboxUnavailable(f"the sandbox image {tag} is missing", hint=f"run: {command}")


def image_id(client: DockerClient, name: str | None, *, gpu: bool = False) -> str:
    """The engine's id of the image called `name`, or of this version's. Raises SandboxUnavailable where it has none."""
    if name is None:
        return find_image(client, gpu=gpu).id
    with _engine_errors("look for the sandbox image"):
        found = _lookup(client, name)
    if found is None:
        raise SandboxUnavailable(f"the engine has no image {name!r}", hint=f"run: {BUILD_COMMAND}")
    return str(found.id)


def pull_image(client: DockerClient, name: str) -> str:
    """The engine's id of the image with that digest (`NAME@sha256:...`), pulled where it is missing.

    Raises SandboxUnavailable where it cannot be had.
    """
    with _engine_errors("pull the sandbox image"):
        found = _lookup(client, name) or client.images.pull(name)
    return str(found.id)


def build_image(  # noqa: PLR0913 -- one option of `grader image build` each
    client: DockerClient,
    *,
    gpu: bool = False,
    base: str | None = None,
    progress: Progress,
    force: bool = False,
    wheels: Path | None = None,
    index_url: str | None = None,
) -> Image:
    """Build the image where its inputs changed (or `force`), else give the one that is there.

    `base`: None pulls the registry's base and bootstraps one where that fails; "bootstrap" never pulls; any other
    value is the name of an image. `wheels`: cache folder for downloads. `index_url`: a package index searched in
    addition to pip's own configuration. Raises SandboxUnavailable with the last lines of what failed.
    """
    tag, wanted = image_tag(gpu=gpu), inputs_sha256(gpu=gpu)
    with _engine_errors("build the sandbox image"):
        present = None if force else _lookup(client, tag)
        if present is not None and (present.labels or {}).get(LABEL_INPUTS) == wanted:
            progress(f"{tag} is up to date")
            return _described(present, tag)
        foundation = base_image.ensure_base(client, base, progress)
        folder = fetch_wheels(
            _requirements(gpu=gpu),
            _DOCKER / "constraints.txt",
            machine=base_image.engine_machine(client),
            index_url=index_url,
            cache=wheels,
            progress=progress,
        )
        labels = {LABEL_INPUTS: wanted, LABEL_BASE: foundation.name, LABEL_BASE_DIGEST: foundation.digest}
        with tempfile.TemporaryFile() as context:
            _write_context(context, _context_files(gpu=gpu), folder)
            _follow(_start_build(client, tag, context, labels, force=force), progress)
    return find_image(client, gpu=gpu)


def _kind(*, gpu: bool) -> str:
    return "gpu" if gpu else "cpu"


def _requirements(*, gpu: bool) -> Path:
    return _DOCKER / ("requirements-gpu.txt" if gpu else "requirements.txt")


def _context_files(*, gpu: bool) -> dict[str, bytes]:
    """Name in the build context -> content, for all inputs but the wheels (their names and versions are inputs)."""
    if not (_DOCKER / "Dockerfile").is_file():
        raise SandboxUnavailable(
            f"the image's recipe is not at {_DOCKER}", hint="install grader from a checkout: make setup"
        )
    files = {name: (_DOCKER / name).read_bytes() for name in _RECIPE_FILES}
    files["requirements.txt"] = _requirements(gpu=gpu).read_bytes()
    files["grader/__init__.py"] = (_PACKAGE / "__init__.py").read_bytes()
    for path in sorted((_PACKAGE / "worker").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            files[f"grader/{path.relative_to(_PACKAGE).as_posix()}"] = path.read_bytes()
    return files


def _lookup(client: DockerClient, tag: str) -> EngineImage | None:
    from docker.errors import ImageNotFound

    try:
        return client.images.get(tag)
    except ImageNotFound:
        return None


def _other_versions(client: DockerClient, kind: str) -> list[str]:
    prefix = f"{REPOSITORY}:{kind}-"
    tags = [tag for image in client.images.list(name=REPOSITORY) for tag in image.tags]
    return sorted(tag for tag in tags if tag.startswith(prefix))


def _described(image: EngineImage, tag: str) -> Image:
    labels = image.labels or {}
    return Image(tag=tag, id=str(image.id), inputs_sha256=labels.get(LABEL_INPUTS, ""), base=labels.get(LABEL_BASE, ""))


def _start_build(
    client: DockerClient, tag: str, context: IO[bytes], labels: dict[str, str], *, force: bool
) -> Iterator[dict[str, Any]]:
    events: Iterator[dict[str, Any]] = client.api.build(
        fileobj=context,
        custom_context=True,
        tag=tag,
        buildargs={"BASE": labels[LABEL_BASE]},
        labels=labels,
        network_mode="none",
        nocache=force,
        rm=True,
        forcerm=True,
        decode=True,
        timeout=_STEP_TIMEOUT_S,
    )
    return events


def _follow(events: Iterator[dict[str, Any]], progress: Progress) -> None:
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    for event in events:
        if "error" in event:
            raise SandboxUnavailable(
                f"the sandbox image cannot be built: {event['error']}: {' | '.join(tail)}",
                hint=f"run: {BUILD_COMMAND} --force",
            )
        for line in str(event.get("stream", "")).splitlines():
            if line.strip():
                tail.append(line.strip())
                progress(line.strip())


def _write_context(target: IO[bytes], files: dict[str, bytes], wheels: Path) -> None:
    """A tar of the context. Owners and times are constant, so that equal inputs hit the engine's build cache."""
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, content in sorted(files.items()):
            archive.addfile(_member(name, len(content)), io.BytesIO(content))
        for path in sorted(wheels.glob("*.whl")):
            with path.open("rb") as stream:
                archive.addfile(_member(f"wheels/{path.name}", path.stat().st_size), stream)
    target.seek(0)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o644
    return member


@contextmanager
def _engine_errors(what: str) -> Iterator[None]:
    """Turn the SDK's and the transport's exceptions into one line with what to do."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except (DockerException, RequestException) as error:
        raise SandboxUnavailable(f"cannot {what}: {error}", hint="run: grader doctor") from error
