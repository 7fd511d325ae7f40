"""Makes the submission: a repository cannot hold it."""

import os


def make(into):
    (into / "sub").mkdir()
    (into / "secret").write_text("CANARY-OF-THE-HOST")
    os.link(into / "secret", into / "sub" / "vault.py")
    return into / "sub"
