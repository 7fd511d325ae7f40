"""A forked child that holds the candidate's code and answers one call after the other.

It owns nothing but its end of a socket pair to the fork server. Whatever the candidate's code does to
this process, it can only spoil or invent its own answers: the server wraps them, the judge checks them.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import socket
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from grader.worker import verbs
from grader.worker.loading import CannotLoad, load_entry, write_files
from grader.worker.tensors import Kept, Objects, Packer, TooLarge, unpack_values
from grader.worker.values import Unpackable
from grader.worker.wire import (
    HEADER,
    Frame,
    FrameType,
    ProtocolError,
    check_keys,
    decode_frame,
    decode_header,
    encode_frame,
)

MAX_MESSAGE = 2048
MAX_TRACEBACK = 8192
MAX_FRAMES = 12
GPU_MEMORY = "torch.OutOfMemoryError"
"""Class of what is raised where a device's memory is used up; the one name that is not a built-in's."""
_GPU_MEMORY_TEXTS = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""Of torch's errors that have no class of their own."""

Action = Callable[[Any, dict[str, Any], Any], Any]


@dataclass
class Session:
    """The state of one child: where its files lie and what it has built."""

    root: Path
    files: Mapping[str, bytes]
    max_body: int
    namespace: dict[str, Any] = field(default_factory=dict)
    objects: Objects = field(default_factory=Objects)

    def answer(self, frame: Frame) -> bytes:
        """The reply to one request, whatever the candidate's code does short of ending the process."""
        packer = Packer(self.objects, self.max_body)
        try:
            value = self._perform(frame)
            node = packer.node(value)
            return _reply(frame, "ok", value=node, body=packer.body())
        except (CannotLoad, verbs.NotAvailable) as error:
            return _reply(frame, "invalid", error=_plain(error))
        except (TooLarge, Unpackable, ProtocolError) as error:
            status = "output_limit" if isinstance(error, TooLarge) else "invalid"
            return _reply(frame, status, error=_plain(error))
        except BaseException as error:  # noqa: BLE001 - the border of the candidate's code: SystemExit is data too
            return _reply(frame, "raised", error=self._describe(error))
        finally:
            _flush()

    def _perform(self, frame: Frame) -> Any:
        head = frame.head
        action = self.actions().get(str(head.get("verb")))
        if action is None:
            raise ProtocolError("unknown verb")
        arguments = check_keys(head.get("arguments"), required=(), optional=_ARGUMENTS)
        values = unpack_values(head.get("value"), frame.body, self.objects)
        verbs.seed_everything(int(head.get("seed", 0)))
        return action(self, arguments, values)

    def actions(self) -> Mapping[str, Action]:
        """What this session can be asked, by verb."""
        return _VERBS

    def _describe(self, error: BaseException) -> dict[str, str]:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if f.filename and self._is_own(f.filename)][-MAX_FRAMES:]
        location = f"{os.path.relpath(own[-1].filename, self.root)}:{own[-1].lineno}" if own else ""
        lines = [f"{os.path.relpath(f.filename, self.root)}:{f.lineno} in {f.name}: {f.line}" for f in own]
        return {
            "class": GPU_MEMORY if _is_gpu_memory(error) else _builtin_class(type(error)),
            "message": _text(error)[:MAX_MESSAGE],
            "location": _clean(location)[:256],
            "traceback": _clean("\n".join(lines))[:MAX_TRACEBACK],
        }

    def _is_own(self, filename: str) -> bool:
        """True for a submitted file, and for a notebook's cell: "transformer.ipynb[cell 3]"."""
        return os.path.relpath(filename, self.root).partition("[cell ")[0] in self.files

    # --- verbs ------------------------------------------------------------------------------------

    def load(self, arguments: dict[str, Any], _values: Any) -> Any:
        """Writes the files and executes the entry; names the functions that it defines."""
        if not self.namespace:  # a notebook's copy has been executed already
            write_files(self.root, self.files)
            self.namespace = load_entry(self.root, str(arguments["entry"])).__dict__
        names = [name for name, value in self.namespace.items() if callable(value) and len(name) < 128]
        return [name for name in names if not name.startswith("__")][:512]

    def call(self, arguments: dict[str, Any], values: Any) -> Any:
        """Calls a function of the entry file."""
        return verbs.function(self.namespace, str(arguments["name"]))(*values[0], **values[1])

    def keep(self, arguments: dict[str, Any], values: Any) -> Any:
        """Calls a function of the entry file; its result stays here whole, be it a dict, a tuple or a number."""
        result = self.call(arguments, values)
        return None if result is None else Kept(result)

    def method(self, arguments: dict[str, Any], values: Any) -> Any:
        """Calls an object or one of its methods; forward passes keep no graph."""
        target = self.objects.get(arguments["handle"])
        with torch.no_grad():
            return verbs.method(target, str(arguments["name"]))(*values[0], **values[1])

    def mode(self, arguments: dict[str, Any], values: Any) -> None:
        """Training or evaluation mode."""
        verbs.set_mode(self.objects.get(arguments["handle"]), training=values is True)

    def parameters(self, arguments: dict[str, Any], _values: Any) -> Any:
        """Parameter counts."""
        return verbs.parameters(self.objects.get(arguments["handle"]))

    def state(self, arguments: dict[str, Any], _values: Any) -> Any:
        """The state dict's tensors."""
        return verbs.state(self.objects.get(arguments["handle"]))

    def load_state(self, arguments: dict[str, Any], _values: Any) -> None:
        """State dict round trip into another object."""
        verbs.load_state(self.objects.get(arguments["handle"]), self.objects.get(arguments["source"]))

    def gradient(self, arguments: dict[str, Any], values: Any) -> Any:
        """One backward pass through a fixed loss."""
        target = self.objects.get(arguments["handle"])
        return verbs.gradient(target, list(values[0]), str(arguments["name"]), values[1])

    def drop(self, arguments: dict[str, Any], _values: Any) -> None:
        """Forgets an object."""
        self.objects.drop(arguments["handle"])


_ARGUMENTS = ("entry", "name", "handle", "source", "cell")
_VERBS: Mapping[str, Action] = {
    "load": Session.load,
    "call": Session.call,
    "keep": Session.keep,
    "method": Session.method,
    "mode": Session.mode,
    "parameters": Session.parameters,
    "state": Session.state,
    "load_state": Session.load_state,
    "gradient": Session.gradient,
    "drop": Session.drop,
}


def _reply(frame: Frame, status: str, *, value: Any = None, error: Any = None, body: bytes = b"") -> bytes:
    try:
        head = {"status": status, "value": value, "error": error}
        return encode_frame(FrameType.REPLY, frame.request_id, head, body)
    except ProtocolError:
        problem = _plain(TooLarge("the answer is larger than one frame may be"))
        head = {"status": "output_limit", "value": None, "error": problem}
        return encode_frame(FrameType.REPLY, frame.request_id, head)


def _plain(error: Exception) -> dict[str, str]:
    return {"class": "", "message": _clean(str(error))[:MAX_MESSAGE], "location": "", "traceback": ""}


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the candidate's code may have put anything in their place
            stream.flush()


def _builtin_class(kind: type[BaseException]) -> str:
    """The nearest built-in ancestor: a candidate's own class names are nobody's business."""
    for ancestor in kind.__mro__:
        if getattr(builtins, ancestor.__name__, None) is ancestor:
            return str(ancestor.__name__)
    return "BaseException"


def _is_gpu_memory(error: BaseException) -> bool:
    """True where the device, not the container, had no memory left, as torch says it."""
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(part in _text(error) for part in _GPU_MEMORY_TEXTS)


def _text(error: BaseException) -> str:
    try:
        return _clean(str(error))
    except BaseException:  # noqa: BLE001 - a candidate's __str__ may do anything
        return "(its message cannot be printed)"


def _clean(text: str) -> str:
    return text[:65536].encode("utf-8", "replace").decode("utf-8")


def serve(sock: socket.socket, session: Session) -> None:
    """Answers requests until the server closes the socket."""
    while True:
        raw = _read(sock, HEADER.size)
        if not raw:
            return
        header = decode_header(raw, max_body=session.max_body)
        frame = decode_frame(header, _read(sock, header.json_bytes), _read(sock, header.body_bytes))
        sock.sendall(session.answer(frame))


def _read(sock: socket.socket, size: int) -> bytes:
    chunks = bytearray()
    while len(chunks) < size:
        chunk = sock.recv(min(size - len(chunks), 1024**2))
        if not chunk:
            return b""
        chunks += chunk
    return bytes(chunks)
