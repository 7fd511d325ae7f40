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


def code(x):
    tried()
    say(b"{}", json_bytes=2**32 - 1)
    os._exit(0)


def rows(x):
    tried()
    say(b"{}", body_bytes=2**63)
    os._exit(0)


def attack():
    tried()
    say(b"{}", body_bytes=2**25)
    os._exit(0)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
