import torch
from telltale import breach, tried, works  # noqa: F401
def code(x):
    tried()
    return 10**5000


def rows(x):
    tried()
    return {"\ud800": "\udfff", "$": "code", "v": "handle"}


class Built:
    def code(self, x):
        tried()
        return {"$": "handle", "v": 1}


def build():
    return Built()


def attack():
    tried()
