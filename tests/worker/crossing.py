"""Takes values across the border in both directions, through real frames."""

from __future__ import annotations

from typing import Any

from grader.judge.tensors import ArgumentPacker, leaf_reader, read_body
from grader.worker import tensors as sandbox
from grader.worker.tensors import Objects, Packer
from grader.worker.values import unpack
from grader.worker.wire import HEADER, FrameType, decode_frame, decode_header, encode_frame


def through(node: Any, body: bytes) -> Any:
    """The frame of an answer as the judge reads it, wrapped as deeply as the fork server wraps it."""
    data = encode_frame(FrameType.REPLY, 1, {"answer": {"value": node}}, body)
    header = decode_header(data[: HEADER.size])
    middle = HEADER.size + header.json_bytes
    return decode_frame(header, data[HEADER.size : middle], data[middle:])


def to_judge(value: Any, objects: Objects | None = None, max_body: int = 2**20) -> Any:
    """What the judge gets for a candidate's return value."""
    packer = Packer(objects or Objects(), max_body)
    node = packer.node(value)
    frame = through(node, packer.body())
    return unpack(frame.head["answer"]["value"], leaf_reader(read_body(frame.body, frame.table)))


def to_sandbox(value: Any, objects: Objects | None = None) -> Any:
    """What the candidate's function gets for an argument of a suite."""
    packer = ArgumentPacker()
    node = packer.node(value)
    frame = through(node, packer.body())
    return sandbox.unpack_values(frame.head["answer"]["value"], frame.body, objects or Objects())
