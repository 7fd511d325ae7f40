"""Makes the submission: a repository cannot hold it."""

import io
import zipfile


def make(into):
    path = into / "sub.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vault.py", "def code(x): return 7\n")
        archive.writestr("..\\..\\x.py", "x")
    return path
