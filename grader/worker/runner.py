"""Executes a notebook with nbclient, one cell for each request, and records what a person may look at later.

The judge asks cell by cell, so each has its own limit on the judge's clocks, and what hangs has a number. Nothing of
a check exists yet while a notebook runs: hidden inputs never reach the kernel's recorded outputs.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import v4

from grader.worker.child import Plan
from grader.worker.kernel import CELL_TEXT, FLOODED, Order, become_kernel
from grader.worker.loading import CannotLoad, write_files
from grader.worker.notebook import Cell, read_notebook
from grader.worker.session import Action, Session

START_S = 60
CELL_OUTPUTS = 40
RECORD_TEXT = 768 * 1024
"""Bytes of all sources and outputs together, as JSON: one frame carries them."""
SOURCE_TEXT = 32 * 1024
PICTURES = 64
PICTURE_BYTES = 1024**2


class ForkedKernel(KernelProvisionerBase):  # type: ignore[misc]  # jupyter_client has no complete types
    """A kernel that is a fork of this process, started before there was any thread or socket to inherit."""

    pid = 0
    ended: int | None = None

    @property
    def has_process(self) -> bool:
        """See KernelProvisionerBase."""
        return self.ended is None

    async def poll(self) -> int | None:
        """See KernelProvisionerBase."""
        if self.ended is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)  # noqa: ASYNC222 - it does not wait
            except ChildProcessError:  # a cell waited for us
                self.ended = -1
            else:
                self.ended = os.waitstatus_to_exitcode(status) if pid else None
        return self.ended

    async def wait(self) -> int | None:
        """See KernelProvisionerBase."""
        while await self.poll() is None:  # noqa: ASYNC110 - no event tells of a process that ended
            await asyncio.sleep(0.01)
        return self.ended

    async def send_signal(self, signum: int) -> None:
        """See KernelProvisionerBase."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signum)

    async def kill(self, restart: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - the base's signature
        """See KernelProvisionerBase."""
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - the base's signature
        """See KernelProvisionerBase."""
        await self.kill(restart)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """See KernelProvisionerBase: no command line is needed."""
        return {**kwargs, "cmd": []}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:  # noqa: ARG002 - the base's signature
        """It runs already."""
        self.connection_info = self.parent.get_connection_info()
        return dict(self.connection_info)

    async def cleanup(self, restart: bool = False) -> None:  # noqa: FBT001, FBT002 - the base's signature
        """Nothing to do: what is left ends with the session."""


class Recorder(NotebookClient):  # type: ignore[misc]  # nbclient has no complete types
    """An nbclient that keeps plain text and PNG pictures below caps, and no widget."""

    kept = 0
    reply: Mapping[str, Any] = {}

    def begin(self) -> None:
        """Before a cell."""
        self.kept, self.reply = 0, {}

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """See NotebookClient."""
        kind = str(msg.get("msg_type", ""))
        if kind.startswith("comm"):
            return None
        if kind in ("stream", "display_data", "execute_result", "update_display_data"):
            msg["content"] = content = _shrunk(msg["content"])
            text = content.get("text", "") or content.get("data", {}).get("text/plain", "")
            self.kept += len(text)
            if self.kept > CELL_TEXT and kind == "stream":
                if self.kept - len(text) > CELL_TEXT:
                    return None
                content["text"] = text[: CELL_TEXT - (self.kept - len(text))] + "\n[... the rest is left out ...]\n"
            if len(cell.outputs) >= CELL_OUTPUTS and kind != "stream":
                return None
            content.setdefault("metadata", {})
        return super().process_message(msg, cell, cell_index)


def _shrunk(original: Any) -> dict[str, Any]:
    """A message's content with text and one picture at most."""
    content = dict(original)
    if "data" in content:
        data = content["data"] if isinstance(content["data"], dict) else {}
        plain, png = data.get("text/plain"), data.get("image/png")
        content["data"] = {"text/plain": plain[:SOURCE_TEXT] if isinstance(plain, str) else ""}
        if isinstance(png, str) and len(png) < PICTURE_BYTES * 4 // 3:
            content["data"]["image/png"] = png
        content["metadata"] = {}
    if not isinstance(content.get("text", ""), str):
        content["text"] = ""
    return content


@dataclass
class Runner(Session):
    """The session that executes a notebook. Its verbs: notebook, cell, finish."""

    plan: Plan | None = None
    sock: socket.socket | None = None
    cells: list[Cell] = field(default_factory=list)

    def actions(self) -> Mapping[str, Action]:
        """See Session."""
        return {"notebook": Runner.start, "cell": Runner.cell, "finish": Runner.finish}

    def start(self, arguments: dict[str, Any], values: Any) -> list[list[Any]]:
        """Reads the notebook and starts its kernel: [kind, source, number or 0 if not to be executed] of each cell."""
        write_files(self.root, self.files)
        entry = self.root / str(arguments["entry"])
        self.cells = read_notebook(entry)
        numbers = tuple(cell.number for cell in self.cells if cell.runs)
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._private_folders()
        manager = AsyncKernelManager(transport="ipc", connection_file=str(self._folder / "kernel.json"))
        spec = KernelSpec(argv=["python"], language="python", display_name="grader")
        manager._kernel_spec = spec  # noqa: SLF001 - as its own kernels do; none is looked up on the disk
        manager.write_connection_file()
        plots = any(b"matplotlib" in content for content in self.files.values())
        if self.plan is None:
            raise CannotLoad("no kernel")
        order = Order(self.plan, entry, numbers, int(values), self._folder / "kernel.json", plots)
        kernel = ForkedKernel(kernel_id="notebook", kernel_spec=spec, parent=manager)
        kernel.pid = self._fork(order)
        manager.provisioner = kernel
        nodes = [v4.new_code_cell(c.source) if c.kind == "code" else v4.new_raw_cell(c.source) for c in self.cells]
        self._client = Recorder(
            v4.new_notebook(cells=nodes), km=manager, timeout=None, allow_errors=True, startup_timeout=START_S,
            store_widget_state=False, record_timing=False,
        )  # fmt: skip
        self._run(self._connect())
        self._left, self._pictures, self._picture_bytes = RECORD_TEXT, PICTURES, self.max_body // 2
        return [[c.kind, self._text(c.source[:SOURCE_TEXT]), c.number if c.runs else 0] for c in self.cells]

    async def _connect(self) -> None:
        await self._client.async_start_new_kernel()
        await self._client.async_start_new_kernel_client()

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def _private_folders(self) -> None:
        """Jupyter's and IPython's settings are nobody's here; a socket's path must be short."""
        folder = tempfile.mkdtemp(prefix="k")
        if len(folder) > 80:
            folder = tempfile.mkdtemp(prefix="grader-", dir="/tmp")
        self._folder = Path(folder)
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            os.environ[name] = str(self._folder / name.lower())

    def _fork(self, order: Order) -> int:
        pid = os.fork()
        if pid == 0:
            if self.sock is not None:
                self.sock.close()
            become_kernel(order)
        if order.plan.nursery is not None:
            order.plan.nursery.close()
        return pid

    def cell(self, arguments: dict[str, Any], _values: Any) -> dict[str, Any]:
        """Executes one cell: how it ended ("ok", "error", "dead", "flood"), with what error, and what was left out.

        Its outputs go with that, so that they are kept whatever a later cell does.
        """
        index = next(i for i, cell in enumerate(self.cells) if cell.number == arguments["cell"])
        self._client.begin()
        reply: dict[str, Any] = {}
        self._client.on_cell_executed = lambda **facts: reply.update(facts["execute_reply"]["content"])
        try:
            self._run(self._client.async_execute_cell(self._client.nb.cells[index], index, store_history=True))
        except DeadKernelError:
            flooded = self._client.km.provisioner.ended == FLOODED
            status = "flood" if flooded else "dead"
            return {"status": status, "error": "", "message": "", "notes": [], "outputs": self._outputs(index)}
        failed = reply.get("status") == "error"
        return {
            "status": "error" if failed else "ok",
            "error": str(reply.get("ename", ""))[:64] if failed else "",
            "message": str(reply.get("evalue", ""))[:300] if failed else "",
            "notes": [str(note)[:160] for note in reply.get("notes", [])][:20],
            "outputs": self._outputs(index),
        }

    def finish(self, _arguments: dict[str, Any], _values: Any) -> None:
        """After the last cell: the kernel hands its state over."""
        self._run(self._send(self._client.kc))

    async def _send(self, client: Any) -> None:
        client.shell_channel.send(client.session.msg("hand_over", {}))
        await asyncio.sleep(0.05)

    def _outputs(self, index: int) -> list[Any]:
        """What the cell at `index` put out, as [kind, text or picture], below the caps of the whole notebook."""
        return [part for output in self._client.nb.cells[index].get("outputs", []) for part in self._output(output)]

    def _text(self, text: str) -> str:
        text = text.encode("utf-8", "replace").decode("utf-8")
        self._left -= len(json.dumps(text))
        return text if self._left > 0 else "[left out: the notebook is too long]" * (self._left > -(1 << 30))

    def _output(self, output: Any) -> list[list[Any]]:
        kind = output.get("output_type")
        if kind == "stream":
            return [
                ["stderr" if output.get("name") == "stderr" else "stdout", self._text(output["text"][:SOURCE_TEXT])]
            ]
        if kind == "error":
            trace = "\n".join(str(line) for line in output.get("traceback", []))
            return [["error", self._text(trace[-SOURCE_TEXT:])]]
        data = output.get("data", {})
        picture = self._picture(data.get("image/png", ""))
        return [["png", picture]] if picture is not None else [["text", self._text(data.get("text/plain", ""))]]

    def _picture(self, text: str) -> np.ndarray[Any, Any] | None:
        with contextlib.suppress(ValueError):
            raw = base64.b64decode(text)
            if raw and self._pictures and len(raw) <= self._picture_bytes:
                self._pictures -= 1
                self._picture_bytes -= len(raw)
                return np.frombuffer(raw, dtype=np.uint8)
        return None
