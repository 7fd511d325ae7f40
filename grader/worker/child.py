"""The life of a forked session, from the fork to its end. It keeps its own socket and the capture pipe, no more."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch

from grader.worker import prepare
from grader.worker.session import Session, serve


@dataclass(frozen=True)
class Plan:
    """What a session is given."""

    root: Path
    threads: int
    files: Mapping[str, bytes]
    max_body: int
    output_bytes: int = 0
    nursery: socket.socket | None = None
    """For the session that executes a notebook: where the process that keeps its state is asked for copies."""


def become_session(
    sock: socket.socket,
    printed: int,
    plan: Plan,
    forget: Callable[[], None],
    copied: Callable[[], Session] | None = None,
) -> NoReturn:
    """Turns this freshly forked process into a session; `forget` closes what belongs to its maker.

    `copied` gives the session of a process that holds an executed notebook already; its working folder stays.
    """
    status = 1
    try:
        os.setsid()
        prepare.soften_child()
        os.dup2(printed, 1)
        os.dup2(printed, 2)
        os.close(printed)
        forget()
        _reopen_streams()
        _enter(plan, stay=copied is not None)
        serve(sock, copied() if copied else _session(plan, sock))
        status = 0
    finally:
        os._exit(status)


def _session(plan: Plan, sock: socket.socket) -> Session:
    root = plan.root / "submission"
    if plan.nursery is None:
        return Session(root=root, files=plan.files, max_body=plan.max_body)
    from grader.worker.runner import Runner

    return Runner(root=root, files=plan.files, max_body=plan.max_body, plan=plan, sock=sock)


def _reopen_streams() -> None:
    """Text streams of the child's own, by lines, that no odd character can break."""
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - lives as long as the process
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", 1, "utf-8", "replace", closefd=False)  # type: ignore[misc]  # ours to set
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", 1, "utf-8", "replace", closefd=False)  # type: ignore[misc]  # ours to set


def _enter(plan: Plan, *, stay: bool) -> None:
    """Its folders, and its number of threads."""
    submission, scratch = plan.root / "submission", plan.root / "tmp"
    for folder in (submission, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(scratch)  # the server's imports have looked it up already
    if not stay:
        os.chdir(submission)
    if plan.threads > 1 and plan.nursery is None:  # several threads before a fork would hang the forked
        torch.set_num_threads(plan.threads)
