"""The sandbox image: its name follows its inputs, it holds nothing that it should not, building fails in one line."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import docker
from docker import DockerClient
from grader.errors import SandboxUnavailable
from grader.sandbox import base_image, hostcommand, image, wheels

SECRETS = ("tasks", "reference", "candidates", "hidden", "tests")

LOOK_INSIDE = r"""
import importlib.util, json, os, pathlib, shutil, stat, sys
site = pathlib.Path("/opt/sandbox/lib/python3.11/site-packages")
marked = []
for folder, _, names in os.walk("/"):
    if folder.startswith(("/proc", "/sys", "/dev")):
        continue
    for path in (folder, *(os.path.join(folder, name) for name in names)):
        mode = os.lstat(path).st_mode
        if mode & 0o6000 and not stat.S_ISLNK(mode):
            marked.append(path)
print(json.dumps({
    "setuid": marked,
    "tools": [name for name in ("gcc", "g++", "cc", "ld", "make", "pip", "pip3", "git", "curl") if shutil.which(name)],
    "modules": [name for name in ("pip", "setuptools", "sklearn") if importlib.util.find_spec(name)],
    "grader": sorted(str(p.relative_to(site)) for p in (site / "grader").rglob("*.py")),
    "without_bytecode": [
        str(p) for name in ("grader", "numpy", "torch/nn") for p in (site / name).rglob("*.py")
        if not pathlib.Path(importlib.util.cache_from_source(str(p))).exists()
    ],
    "version": list(sys.version_info[:2]),
    "uid": os.getuid(),
    "wheels": os.path.exists("/wheels"),
}))
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all inputs that a test may change."""
    shutil.copytree(image._PACKAGE / "worker", tmp_path / "grader" / "worker")
    shutil.copy(image._PACKAGE / "__init__.py", tmp_path / "grader")
    shutil.copytree(image._DOCKER, tmp_path / "docker")
    monkeypatch.setattr(image, "_PACKAGE", tmp_path / "grader")
    monkeypatch.setattr(image, "_DOCKER", tmp_path / "docker")
    return tmp_path


def test_the_tag_names_kind_and_inputs() -> None:
    assert re.fullmatch(r"grader-sandbox:cpu-[0-9a-f]{12}", image.image_tag())
    assert re.fullmatch(r"grader-sandbox:gpu-[0-9a-f]{12}", image.image_tag(gpu=True))
    assert image.image_tag().endswith(image.inputs_sha256()[:12])


@pytest.mark.parametrize(
    "name",
    [
        "docker/Dockerfile",
        "docker/requirements.txt",
        "docker/constraints.txt",
        "docker/trim.sh",
        "docker/strip.sh",
        "grader/__init__.py",
        "grader/worker/__init__.py",
    ],
)
def test_every_input_changes_the_tag(checkout: Path, name: str) -> None:
    before = image.image_tag()
    with (checkout / name).open("a", encoding="utf-8") as file:
        file.write("\n")
    assert image.image_tag() != before


def test_a_new_worker_module_changes_the_tag_and_byte_code_does_not(checkout: Path) -> None:
    before = image.image_tag()
    (checkout / "grader/worker/extra.pyc").write_bytes(b"x")
    assert image.image_tag() == before
    (checkout / "grader/worker/extra.py").write_text("")
    assert image.image_tag() != before


def test_the_recipe_of_the_base_changes_the_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    before = image.image_tag(), base_image.bootstrap_tag()
    monkeypatch.setattr(base_image, "PACKAGES", "python3")
    assert image.image_tag() != before[0]
    assert base_image.bootstrap_tag() != before[1]


def test_the_build_context_holds_the_worker_and_nothing_secret(tmp_path: Path) -> None:
    (tmp_path / "one.whl").write_bytes(b"wheel")
    target = io.BytesIO()
    image._write_context(target, image._context_files(gpu=False), tmp_path)
    with tarfile.open(fileobj=target) as archive:
        members = archive.getmembers()
    names = [member.name for member in members]
    assert {"Dockerfile", "requirements.txt", "grader/worker/__main__.py", "wheels/one.whl"} <= set(names)
    assert not [name for name in names if any(secret in Path(name).parts for secret in SECRETS)]
    assert {(member.mtime, member.uid, member.gid, member.mode) for member in members} == {(0, 0, 0, 0o644)}


def test_all_packages_are_pinned() -> None:
    pins = {}
    for name in ("requirements.txt", "requirements-gpu.txt", "constraints.txt"):
        lines = (image._DOCKER / name).read_text(encoding="utf-8").splitlines()
        pins[name] = dict(re.split("={2,3}", line) for line in lines if line and not line.startswith("#"))
    assert pins["requirements.txt"] == pins["requirements-gpu.txt"]
    assert not set(pins["requirements.txt"]) & set(pins["constraints.txt"])
    assert not [name for name in pins["requirements.txt"] | pins["constraints.txt"] if "scikit" in name]


def test_outside_a_checkout_the_reason_is_said(checkout: Path) -> None:
    shutil.rmtree(checkout / "docker")
    with pytest.raises(SandboxUnavailable, match="recipe") as caught:
        image.image_tag()
    assert caught.value.hint


def test_wheels_are_chosen_for_the_image_not_for_the_host() -> None:
    assert wheels.platform_tags("x86_64")[0] == "manylinux_2_36_x86_64"
    assert "manylinux2014_aarch64" in wheels.platform_tags("aarch64")
    assert not [tag for tag in wheels.platform_tags("aarch64") if "x86_64" in tag or "manylinux1_" in tag]


def test_a_complete_download_is_not_repeated(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("a-package-that-does-not-exist==1.0\n")
    folder = tmp_path / "cache" / wheels._key(pins, pins, "x86_64", None)
    folder.mkdir(parents=True)
    lines: list[str] = []
    found = wheels.fetch_wheels(
        pins, pins, machine="x86_64", index_url=None, cache=tmp_path / "cache", progress=lines.append
    )
    assert found == folder
    assert len(lines) == 1


def test_a_failed_download_leaves_nothing_that_looks_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    pins = tmp_path / "requirements.txt"
    pins.write_text("a-package-that-does-not-exist==1.0\n")
    with pytest.raises(SandboxUnavailable, match="pip download failed"):
        wheels.fetch_wheels(pins, pins, machine="x86_64", index_url=None, cache=tmp_path / "c", progress=lambda _: None)
    assert list((tmp_path / "c").iterdir()) == []


def test_a_command_that_fails_is_quoted_with_its_last_lines() -> None:
    lines: list[str] = []
    program = "print('first'); print('no space left'); raise SystemExit(3)"
    with pytest.raises(SandboxUnavailable, match=r"tool failed with status 3: first \| no space left"):
        hostcommand.run_command(
            [sys.executable, "-c", program], progress=lines.append, timeout_s=60, what="tool", hint="free some"
        )
    assert lines == ["first", "no space left"]


def test_a_command_that_hangs_is_ended_with_its_children() -> None:
    program = "import subprocess; subprocess.run(['sleep', '600'])"
    with pytest.raises(SandboxUnavailable, match="did not finish"):
        hostcommand.run_command(
            [sys.executable, "-c", program], progress=lambda _: None, timeout_s=0.5, what="tool", hint=""
        )


def test_a_command_that_is_missing_is_named() -> None:
    with pytest.raises(SandboxUnavailable, match="debootstrap cannot start"):
        hostcommand.run_command(
            ["/nowhere/debootstrap"], progress=lambda _: None, timeout_s=5, what="debootstrap", hint=""
        )


def test_a_pull_without_any_answer_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_image, "_PULL_SILENCE_S", 0.2)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen()
        client = docker.DockerClient(base_url=f"unix://{tmp_path}/s", version="1.41", timeout=1)
        assert "no answer" in base_image._pull(client, "python:3.11-slim-bookworm", lambda _: None)


@pytest.mark.parametrize("missing", ["debootstrap", "unshare"])
def test_bootstrapping_without_its_tools_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None if name == missing else f"/usr/bin/{name}")
    with pytest.raises(SandboxUnavailable, match=missing) as caught:
        base_image._require_tools(os.uname().machine)
    assert "apt-get install" in caught.value.hint


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerClient]:
    try:
        client = docker.from_env(timeout=120)
    except docker.errors.DockerException:
        pytest.skip("no Docker engine answers")
    yield client
    client.close()


@pytest.mark.docker
def test_an_image_of_this_version_is_built_once(engine: DockerClient) -> None:
    built = image.build_image(engine, progress=lambda _: None)
    lines: list[str] = []
    again = image.build_image(engine, progress=lines.append)
    assert again == built == image.find_image(engine)
    assert lines == [f"{built.tag} is up to date"]
    assert built.inputs_sha256 == image.inputs_sha256()


@pytest.mark.docker
def test_a_changed_worker_makes_the_image_another_version(engine: DockerClient, checkout: Path) -> None:
    image.build_image(engine, progress=lambda _: None)
    (checkout / "grader/worker/__init__.py").write_text("changed = True\n")
    with pytest.raises(SandboxUnavailable, match="another version") as caught:
        image.find_image(engine)
    assert caught.value.hint == "run: grader image build"


@pytest.mark.docker
def test_a_missing_image_says_how_to_build_it(engine: DockerClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image, "REPOSITORY", "grader-sandbox-nobody-built")
    with pytest.raises(SandboxUnavailable, match="is missing") as caught:
        image.find_image(engine, gpu=True)
    assert caught.value.hint == "run: grader image build --gpu"


@pytest.mark.docker
def test_the_image_holds_what_it_should_and_no_more(engine: DockerClient) -> None:
    tag = image.build_image(engine, progress=lambda _: None).tag
    output = engine.containers.run(
        tag, entrypoint=["/opt/sandbox/bin/python", "-I", "-c", LOOK_INSIDE], remove=True, network_mode="none"
    )
    found = json.loads(output)
    grader_files = sorted(name for name in image._context_files(gpu=False) if name.startswith("grader/"))
    assert found.pop("grader") == [name for name in grader_files if name.endswith(".py")]
    assert found == {
        "setuid": [],
        "tools": [],
        "modules": [],
        "without_bytecode": [],
        "version": [3, 11],
        "uid": 65534,
        "wheels": False,
    }
