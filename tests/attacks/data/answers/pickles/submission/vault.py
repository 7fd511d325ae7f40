import torch
from telltale import breach, tried, works  # noqa: F401
import io
import pickle

import numpy as np


class Bomb:
    def __reduce__(self):
        return (exec, ("open('/tmp/vault-attack-unpickled', 'w').close()",))


def rows(x):
    tried()
    buffer = io.BytesIO()
    torch.save({"x": Bomb()}, buffer)
    return np.array([Bomb(), buffer.getvalue()], dtype=object)


def code(x):
    tried()
    return pickle.dumps(Bomb())


def attack():
    tried()


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
