"""A judge's end of a scripted sandbox, for the tests of `grader.judge.link`."""

from __future__ import annotations

from typing import Any

import pytest

from grader.judge.faults import CandidateFault
from grader.judge.link import Link
from grader.model import Limits
from tests.fakes import Script, ScriptedSandbox

LIMITS = Limits(wall_slack_s=0.02, wall_factor=0.001, memory_bytes=100 * 1024**2, blob_bytes=4096)
CANCEL = {"verb": "close", "session": 1}
ASK = {"verb": "session", "session": 1, "request": {}}


def link_to(script: Script, **facts: Any) -> tuple[Link, ScriptedSandbox]:
    """A link whose sandbox has said hello."""
    sandbox = ScriptedSandbox(script, **facts)
    link = Link(sandbox, LIMITS)
    link.hello()
    return link, sandbox


def fault_of(link: Link, *, cancel: dict[str, Any] | None = None, cpu_s: float = 1.0) -> CandidateFault:
    """The fault that the next request ends with."""
    with pytest.raises(CandidateFault) as caught:
        link.request(ASK, cpu_s=cpu_s, cancel=cancel)
    return caught.value
