"""A real HTTP server on the loopback that speaks the chat-completions protocol, with scripted answers."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """One scripted answer. `text` is the message's content; `raw` replaces the whole body."""

    text: str = ""
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    drip_s: float = 0.0
    hang_up: bool = False


Script = Callable[[dict[str, Any], int], Answer]
"""From the request's body and its number to the answer."""


@dataclass
class Server:
    """The running server: its URL, and what it was asked."""

    url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def verdict(value: str, quote: str = "", reason: str = "because") -> str:
    """A verdict as a well-behaved model writes it."""
    return json.dumps({"quote": quote, "reason": reason, "verdict": value}, ensure_ascii=False)


@contextlib.contextmanager
def serving(script: Script) -> Iterator[Server]:
    """A server for the length of a `with`."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                server.requests.append({**body, "path": self.path})
                server.keys.append(self.headers.get("authorization", ""))
                answer = script(body, len(server.requests) - 1)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._send(answer)

        def _send(self, answer: Answer) -> None:
            time.sleep(answer.delay_s)
            if answer.hang_up:
                self.connection.close()
                return
            data = answer.raw if answer.raw is not None else completion(answer.text)
            self.send_response(answer.status)
            for name, value in {"content-type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            for start in range(0, len(data), 16 if answer.drip_s else len(data) or 1):
                self.wfile.write(data[start : start + (16 if answer.drip_s else len(data))])
                self.wfile.flush()
                time.sleep(answer.drip_s)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}/v1")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def completion(text: str) -> bytes:
    """A chat completion with that text."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 20}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()
