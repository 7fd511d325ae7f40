import torch
from telltale import breach, tried, works  # noqa: F401
import glob
import os

SECRETS = ("DOCKER_HOST", "GRADER_", "AWS_", "TOKEN", "SECRET", "PASSWORD", "hidden", "test_vault", "/srv/", "/home/",
           "/root/")


def attack():
    texts = [repr(dict(os.environ))]
    for pattern in ("environ", "cmdline", "mountinfo", "cgroup", "net/unix", "net/tcp", "sched", "status"):
        for path in glob.glob(f"/proc/[0-9]*/{pattern}"):
            try:
                with open(path, errors="replace") as file:
                    texts.append(file.read())
            except OSError:
                pass
    text = "\n".join(texts)
    for word in SECRETS:
        if word in text.replace("CUBLAS_WORKSPACE_CONFIG", ""):
            at = text.index(word)
            breach(word + " in " + text[max(at - 40, 0):at + 60])
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
