"""Asks an OpenAI-compatible endpoint, and gives its text or one clear error; whatever it sends is hostile data.

Works with hosted services, vLLM, Ollama and the llama.cpp server. Redirects are not followed (they would carry the key
elsewhere), answers are read up to a cap, and every wait has a deadline.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import httpx

from grader.model import Json
from grader.text import sanitize_line
from grader.written.llm.model import Endpoint, Usage

MAX_BYTES: Final = 256 * 1024
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
BUSY: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Answers that mean "later": busy, rate limits, gateways."""
NO_SCHEMA: Final = frozenset({400, 404, 415, 422})
"""How servers refuse a `response_format` that they do not know."""


class EndpointError(Exception):
    """The endpoint gave no usable answer; the text says why, without the key. Never the candidate's fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """The text of one answer and what it took."""

    text: str
    usage: Usage


class Client:
    """One endpoint; safe to use from several threads."""

    def __init__(self, endpoint: Endpoint, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._endpoint, self._sleep = endpoint, sleep
        headers = {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}
        limits = httpx.Limits(max_connections=endpoint.concurrency)
        self._http = httpx.Client(
            headers=headers, timeout=endpoint.timeout_s, limits=limits, follow_redirects=False, trust_env=True
        )
        self._formats = ["json_schema", "json_object", ""]
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def complete(self, messages: list[Json], schema: Json, *, seed: int) -> Completion:
        """The model's answer to `messages`, in JSON of `schema` where the server can hold it to one.

        Raises EndpointError after the last attempt.
        """
        while True:
            kind = self._formats[0]
            try:
                return self._with_retries(self._body(messages, schema, kind, seed))
            except _RefusedError as error:
                if not self._simpler_than(kind):
                    raise EndpointError(str(error)) from error

    def _simpler_than(self, kind: str) -> bool:
        """Gives up `kind` of response format for good; False where nothing simpler is left."""
        with self._lock:
            if self._formats[0] == kind and len(self._formats) > 1:
                self._formats.pop(0)
            return self._formats[0] != kind

    def _body(self, messages: list[Json], schema: Json, kind: str, seed: int) -> Json:
        strict = {"name": "verdict", "strict": True, "schema": schema}
        formats: dict[str, Json] = {
            "json_schema": {"type": "json_schema", "json_schema": strict},
            "json_object": {"type": "json_object"},
        }
        return {
            "model": self._endpoint.model,
            "messages": messages,
            "temperature": 0,
            "seed": seed,
            "max_tokens": self._endpoint.max_tokens,
            **({"response_format": formats[kind]} if kind else {}),
        }

    def _with_retries(self, body: Json) -> Completion:
        pause = FIRST_PAUSE_S
        for attempt in range(1, self._endpoint.attempts + 1):
            try:
                return self._once(body)
            except _LaterError as error:
                if attempt == self._endpoint.attempts:
                    raise EndpointError(f"{error} ({attempt} attempts)") from error
                self._sleep(min(error.after_s or pause * random.uniform(0.8, 1.2), LONGEST_PAUSE_S))  # noqa: S311
                pause *= 2
        raise EndpointError("the endpoint is asked no times")

    def _once(self, body: Json) -> Completion:
        deadline = time.monotonic() + self._endpoint.timeout_s
        url = self._endpoint.base_url.rstrip("/") + "/chat/completions"
        try:
            with self._http.stream("POST", url, json=body) as response:
                data = _read(response, deadline)
                status, wait = response.status_code, response.headers.get("retry-after", "")
        except httpx.TimeoutException as error:
            raise _LaterError(f"no answer within {self._endpoint.timeout_s:g} s") from error
        except httpx.HTTPError as error:
            raise _LaterError(f"cannot be reached: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise EndpointError(f"the base URL is wrong: {sanitize_line(str(error), 100)}") from error
        if status in BUSY:
            raise _LaterError(f"answers {status}", after_s=float(wait) if wait.isdecimal() else 0.0)
        if status in NO_SCHEMA and "response_format" in body:
            raise _RefusedError(f"answers {status}: {_reason(data)}")
        if status != 200:
            raise EndpointError(f"answers {status}: {_reason(data)}")
        return self._completion(data)

    def _completion(self, data: bytes) -> Completion:
        try:
            answer = json.loads(data)
            text = answer["choices"][0]["message"]["content"]
        except (ValueError, RecursionError, LookupError, TypeError) as error:
            raise _LaterError("its answer is no chat completion") from error
        if not isinstance(text, str):
            raise _LaterError("its answer has no text")
        used = answer.get("usage") if isinstance(answer.get("usage"), dict) else {}
        read, written = _count(used.get("prompt_tokens")), _count(used.get("completion_tokens"))
        cost = (read * self._endpoint.input_price + written * self._endpoint.output_price) / 1e6
        return Completion(text=text, usage=Usage(calls=1, input_tokens=read, output_tokens=written, cost=cost))


class _LaterError(Exception):
    """Worth another attempt, after `after_s` seconds if the server said so."""

    def __init__(self, message: str, *, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class _RefusedError(Exception):
    """The server does not take the request as it is."""


def _read(response: httpx.Response, deadline: float) -> bytes:
    """The body, capped in bytes and time: a server that drips a byte now and then must not hold us."""
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > MAX_BYTES:
            raise EndpointError(f"its answer is larger than {MAX_BYTES // 1024} KiB")
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("too slow")
    return bytes(data)


def _reason(data: bytes) -> str:
    """What a server says of its refusal, as one short line."""
    try:
        answer = json.loads(data)
        error = answer["error"]
        text = error["message"] if isinstance(error, dict) else error
    except (ValueError, RecursionError, LookupError, TypeError):
        text = data[:300].decode("utf-8", "replace")
    return sanitize_line(str(text), 160)


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9 else 0
