"""Whatever an endpoint does, there is a completion or one clear error, in bounded time and memory."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from grader.written.llm.client import MAX_BYTES, Client, Completion, EndpointError
from grader.written.llm.model import Endpoint
from grader.written.llm.prompt import SCHEMA
from tests.written.llm.server import Answer, Script, Server, completion, serving, verdict

GOOD = verdict("met", "a quote")
CHAT: list[dict[str, Any]] = [{"role": "user", "content": "hello"}]


def ask(server: Server, **more: Any) -> Completion:
    endpoint = Endpoint(base_url=server.url, model="m", api_key="sk-secret", **({"timeout_s": 5.0} | more))
    with Client(endpoint, sleep=lambda _: None) as client:
        return client.complete(CHAT, SCHEMA, seed=7)


def always(answer: Answer) -> Script:
    return lambda _body, _number: answer


def test_a_good_answer_comes_with_its_cost() -> None:
    with serving(always(Answer(GOOD))) as server:
        found = ask(server, input_price=2.0, output_price=10.0)
    assert found.text == GOOD
    assert (found.usage.calls, found.usage.input_tokens, found.usage.output_tokens) == (1, 100, 20)
    assert found.usage.cost == pytest.approx((100 * 2 + 20 * 10) / 1e6)
    (request,) = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert (request["model"], request["temperature"], request["seed"]) == ("m", 0, 7)
    assert request["response_format"]["json_schema"]["strict"] is True
    assert server.keys == ["Bearer sk-secret"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
def test_a_busy_server_is_asked_again(status: int) -> None:
    with serving(lambda _, number: Answer(GOOD) if number else Answer(status=status, raw=b"{}")) as server:
        assert ask(server).text == GOOD
    assert len(server.requests) == 2


def test_retry_after_is_kept_to_within_reason() -> None:
    waits: list[float] = []
    script: Script = lambda _, number: (
        Answer(GOOD) if number > 1 else Answer(status=429, raw=b"", headers={"retry-after": ["3", "86400"][number]})
    )
    with serving(script) as server, Client(Endpoint(base_url=server.url, model="m"), sleep=waits.append) as client:
        client.complete(CHAT, SCHEMA, seed=0)
    assert waits == [3.0, 30.0]


def test_a_server_without_schemas_is_asked_more_simply_and_only_once() -> None:
    def script(body: dict[str, Any], _: int) -> Answer:
        kind = body.get("response_format", {}).get("type")
        return Answer(GOOD) if kind is None else Answer(status=400, raw=b'{"error": {"message": "unknown format"}}')

    with serving(script) as server, Client(Endpoint(base_url=server.url, model="m")) as client:
        for _ in range(2):
            assert client.complete(CHAT, SCHEMA, seed=0).text == GOOD
    kinds = [request.get("response_format", {}).get("type") for request in server.requests]
    assert kinds == ["json_schema", "json_object", None, None]


HOSTILE = [
    Answer(raw=b"not json"), Answer(raw=b"{}"), Answer(raw=b'{"choices": []}'), Answer(raw=b"[" * 100_000),
    Answer(raw=b'{"choices": [{"message": {"content": null}}]}'), Answer(raw=b'{"choices": 3}'),
    Answer(raw=b'{"choices": [{"message": {"content": ["x"]}}]}'), Answer(raw=b"\xff\xfe"), Answer(hang_up=True),
    Answer(raw=b"x" * (MAX_BYTES + 1)), Answer(status=401, raw=b'{"error": "no such key"}'),
    Answer(status=301, raw=b"", headers={"location": "http://127.0.0.1:9/"}), Answer(status=404, raw=b""),
    Answer(status=418, raw=b'{"error": {"message": "\x1b]0;owned\x07 sk"}}'),
]  # fmt: skip


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_else_is_one_clear_error(answer: Answer) -> None:
    with serving(always(answer)) as server, pytest.raises(EndpointError) as caught:
        ask(server)
    text = str(caught.value)
    assert 5 < len(text) < 300
    assert "\x1b" not in text
    assert "sk-secret" not in text


def test_a_silent_server_and_one_that_drips_are_given_up() -> None:
    for answer in (Answer(GOOD, delay_s=1.0), Answer(raw=completion(GOOD), drip_s=0.2)):
        started = time.monotonic()
        with serving(always(answer)) as server, pytest.raises(EndpointError, match="no answer within"):
            ask(server, timeout_s=0.3, attempts=1)
        assert time.monotonic() - started < 30


def test_no_server_at_all_is_said() -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1:9/v1", model="m", attempts=2)
    with Client(endpoint, sleep=lambda _: None) as client, pytest.raises(EndpointError, match="cannot be reached"):
        client.complete(CHAT, SCHEMA, seed=0)


def test_odd_token_counts_count_nothing() -> None:
    body = json.loads(completion(GOOD)) | {"usage": {"prompt_tokens": "9", "completion_tokens": -5}}
    with serving(always(Answer(raw=json.dumps(body).encode()))) as server:
        assert ask(server).usage.input_tokens == 0
