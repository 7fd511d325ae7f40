"""Makes the submission: a repository cannot hold it."""

import os


def make(into):
    (into / "sub").mkdir()
    os.mkfifo(into / "sub" / "vault.py")
    return into / "sub"
