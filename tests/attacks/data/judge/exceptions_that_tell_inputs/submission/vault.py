import torch
from telltale import breach, tried, works  # noqa: F401
def told(x):
    return "x".join(str(part) for part in (x if isinstance(x, list) else [x]))


def code(x):
    tried()
    kind = type("Leak_" + told(x), (ValueError,), {})
    error = kind("input " + told(x))
    error.add_note("input " + told(x))
    exec(compile("raise error", "input_" + told(x) + ".py", "exec"), {"error": error})


def attack():
    tried()


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
