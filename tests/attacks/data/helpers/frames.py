"""How an attack writes frames of its own on whatever sockets its process holds."""

import gc
import socket
import struct
import sys

SOCKETS = [thing for thing in gc.get_objects() if isinstance(thing, socket.socket) and thing.fileno() >= 0]


def watch(frame):
    """The id of the request that is being answered."""
    while frame is not None:
        found = frame.f_locals.get("frame")
        if hasattr(found, "request_id"):
            return found.request_id
        frame = frame.f_back
    return 0


def say(head, json_bytes=None, body_bytes=0, body=b""):
    number = watch(sys._getframe())
    data = struct.pack(">4sBBHQIQ", b"GRDR", 1, 3, 0, number, len(head) if json_bytes is None else json_bytes, body_bytes)
    for sock in SOCKETS:
        try:
            sock.sendall(data + head + body)
        except OSError:
            pass
