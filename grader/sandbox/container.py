"""The isolating backend: one fresh Docker container for each task of each submission.

We own the whole life through the engine's API: create, attach before start, start, close the attach socket
before killing (a kill hangs while an attached client does not read: moby issue 41827), remove. The worker's
standard output carries frames, its standard error the worker's own log; the candidate has neither.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import Any, Final

from grader.errors import AttestationFailed, SandboxUnavailable
from grader.model import Json, SandboxFacts
from grader.sandbox import attestation, cgroup, profile, reaper
from grader.sandbox.attached import Attached
from grader.sandbox.image import find_image
from grader.sandbox.passthrough import fitted
from grader.sandbox.protocol import Attestation, Ending, SandboxClosed, SandboxRequest, Usage

API_TIMEOUT_S: Final = 20
SLOW_S: Final = 5.0
"""An engine that takes longer to say how a container is may have kept our frames as long."""
KILLED: Final = 128 + signal.SIGKILL


def connect() -> Any:
    """A client of the engine that the environment names. Raises SandboxUnavailable."""
    from docker.errors import DockerException

    import docker

    client = None
    try:
        client = docker.from_env(timeout=API_TIMEOUT_S)
        client.ping()
    except (DockerException, OSError) as error:
        if client is not None:
            client.close()
        raise SandboxUnavailable(
            "no Docker engine answers", hint="start Docker and look at `grader doctor`, or use `--backend process`"
        ) from error
    return client


class ContainerSandbox:
    """One started container with its attach socket."""

    def __init__(self, client: Any, request: SandboxRequest) -> None:
        self._client, self._request = client, fitted(client, request)
        self._usage = Usage()
        self._attached: Attached | None = None
        self._meter: cgroup.Meter | None = None
        request = self._request
        self._image = request.image or find_image(client, gpu=bool(request.gpus)).tag
        self._id = self._create()
        try:
            self._attached = Attached(client, self._id)
            client.api.start(self._id)
            self._inspected: Json = client.api.inspect_container(self._id)
            _require_green(attestation.attest_engine(request, self._inspected))
            self._meter = cgroup.find_meter(client.api, self._id, self._inspected["State"]["Pid"])
        except BaseException as error:  # an interrupt too: nobody else knows of the container yet
            self.close()
            if not isinstance(error, Exception):
                raise
            raise _unavailable(error) from error

    def _create(self) -> str:
        request, api = self._request, self._client.api
        user = profile.uid(request)
        deadline = time.time() + request.deadline_s
        try:
            created = api.create_container(
                self._image,
                command=profile.command(request)[1:],
                entrypoint=profile.command(request)[:1],
                user=f"{user}:{user}",
                working_dir=profile.ROOT,
                stop_signal="SIGKILL",
                hostname=profile.HOSTNAME,
                environment=profile.environment(request),
                stdin_open=True,
                network_disabled=True,
                labels=profile.labels(request, reaper.owner(), deadline, reaper.until(request.deadline_s)),
                host_config=api.create_host_config(**profile.host_config(request)),
            )
        except Exception as error:
            raise _unavailable(error) from error
        return str(created["Id"])

    def send(self, data: bytes, deadline: float) -> None:
        """See Sandbox."""
        self._line().send(data, deadline)

    def receive(self, timeout_s: float) -> bytes:
        """See Sandbox."""
        return self._line().receive(timeout_s)

    def log(self) -> str:
        """See Sandbox."""
        return self._attached.log() if self._attached else ""

    def _line(self) -> Attached:
        if self._attached is None:
            raise SandboxClosed("closed")
        return self._attached

    def usage(self) -> Usage:
        """See Sandbox; the last reading once the container is gone."""
        with contextlib.suppress(Exception):  # the group disappears with its last process
            if self._meter is not None:
                self._usage = self._meter.read()
        return self._usage

    def ending(self) -> Ending:
        """See Sandbox: out of memory and exits are the candidate's; a kill from outside or a lost engine are ours."""
        asked = time.monotonic()
        try:
            state = self._client.api.inspect_container(self._id)["State"]
        except Exception as error:  # noqa: BLE001 - whatever the client raises: the engine does not answer for it
            return Ending(reason="down", detail=f"the engine lost the container: {type(error).__name__}")
        if state.get("Running") and time.monotonic() - asked > SLOW_S:
            return Ending(reason="down", detail="the engine answers too slowly")
        if state.get("Running"):
            return Ending(reason="exited", detail="the worker closed its stream")
        killed = state.get("ExitCode") == KILLED
        if killed and state.get("OOMKilled") and not self._usage.host_kills:  # alone it says: some process was killed
            return Ending(reason="memory")
        if killed and (self._usage.host_kills or self._kill_is_recorded() or self._had_memory_left()):
            return Ending(reason="down", detail="the container was killed from outside")
        last = self.log().strip().splitlines()[-1:] or [""]
        return Ending(reason="exited", detail=f"the worker ended with {state.get('ExitCode')} {last[0]}".strip())

    def _kill_is_recorded(self) -> bool:
        """The engine's own record of a kill that we did not send, up to now by the engine's own clock."""
        filters = {"container": self._id, "event": ["kill", "stop"]}
        with contextlib.suppress(Exception):
            now = self._client.info()["SystemTime"]
            return any(True for _ in self._client.api.events(since=1, until=now, filters=filters, decode=True))
        return True

    def _had_memory_left(self) -> bool:
        """No kernel kills process 1 of a group that is far from its limit, and nobody inside can: it was the host."""
        usage = self._usage
        return 0 < usage.peak_bytes < self._request.limits.memory_bytes / 2 and not usage.oom_kills

    def outside(self) -> Json:
        """See Sandbox."""
        return self._inspected

    def facts(self, hello: Json) -> SandboxFacts:
        """See Sandbox. Inspects again: what counts is the container as it runs now."""
        try:
            self._inspected = self._client.api.inspect_container(self._id)
            engine = self._client.version()
        except Exception as error:
            raise _unavailable(error) from error
        host = attestation.host_view(self._inspected["State"]["Pid"], self._id)
        result = attestation.attest(self._request, self._inspected, hello["sees"], host)
        _require_green(result)
        stored = result.to_json() | {"inside": hello["sees"], "engine": _engine_facts(engine), "host_view": bool(host)}
        return SandboxFacts(
            backend="docker",
            isolated=True,
            image=f"{self._image}@{self._inspected['Image']}",
            attestation=stored,
            versions=hello["versions"] | {"engine": str(engine.get("Version", ""))},
            gpu={"devices": list(self._request.gpus)} if self._request.gpus else None,
        )

    def close(self) -> None:
        """See Sandbox: socket first, then SIGKILL, then remove; the host's pid is the last resort."""
        self._detach()
        try:
            self._client.api.remove_container(self._id, force=True, v=True)
        except Exception:  # noqa: BLE001 - gone already, or an engine in trouble: kill what can be killed
            self._kill_host_process()
        with contextlib.suppress(Exception):
            self._client.close()

    def _detach(self) -> None:
        if self._attached is not None:
            self._attached.close()
            self._client.close()

    def _kill_host_process(self) -> None:
        pid = (getattr(self, "_inspected", None) or {}).get("State", {}).get("Pid", 0)
        if pid and attestation.host_view(pid, self._id):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        reaper.reap(self._client, run_id=self._request.run_id)


def _require_green(result: Attestation) -> None:
    if not result.green:
        wrong = [f"{c.name}: asked {c.asked}, seen {c.seen}" for c in result.comparisons if not c.ok]
        raise AttestationFailed(
            f"the sandbox is not isolated as asked: {'; '.join(wrong[:3])}",
            hint="nothing was sent to it; look at `grader doctor`",
        )


def _engine_facts(version: Json) -> Json:
    parts = {part.get("Name", "?"): part.get("Version", "?") for part in version.get("Components", [])}
    return {"version": version.get("Version", ""), "kernel": version.get("KernelVersion", ""), "components": parts}


def _unavailable(error: Exception) -> SandboxUnavailable:
    if isinstance(error, SandboxUnavailable):
        return error
    text = getattr(error, "explanation", None) or str(error) or type(error).__name__
    hint = "look at `grader doctor`"
    if "could not select device driver" in text:
        hint = "the engine has no GPU runtime: install the NVIDIA container toolkit, or use `--gpus none`"
    elif "nvidia" in text.lower() or "cdi" in text.lower():
        hint = "the NVIDIA container toolkit or the driver is at fault: look at `nvidia-smi` and `grader doctor`"
    return SandboxUnavailable(f"the engine refuses the sandbox: {str(text)[:300]}", hint=hint)


class ContainerBackend:
    """Starts containers on the engine that the environment names."""

    name = "docker"
    isolated = True

    def start(self, request: SandboxRequest) -> ContainerSandbox:
        """See Backend; removes first what runs that are gone left behind."""
        client = connect()
        try:
            reaper.reap(client)
            return ContainerSandbox(client, request)
        except BaseException:
            client.close()
            raise

    def reap(self, run_id: str = "") -> int:
        """See Backend."""
        with contextlib.closing(connect()) as client:
            return reaper.reap(client) + (reaper.reap(client, run_id=run_id) if run_id else 0)


BACKEND = ContainerBackend()
