import torch
from frames import say
from telltale import breach, tried, works  # noqa: F401
import os


ANSWER = b'{"status": "ok", "value": 1, "error": null, "status": "ok"}'


def code(x):
    tried()
    say(ANSWER)
    os._exit(0)


def rows(x):
    tried()
    say(b'{"status": "ok", "value": ' + b"[" * 100_000 + b"]" * 100_000 + b', "error": null}')
    os._exit(0)


def attack():
    tried()
    say(b'{"status": "ok", "value": [' + b"{}," * 300_000 + b'{}], "error": null}')
    os._exit(0)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
