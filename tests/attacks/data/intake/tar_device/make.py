"""Makes the submission: a repository cannot hold it."""

import io
import tarfile


def make(into):
    path = into / "sub.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("vault.py"))
        info = tarfile.TarInfo("disk.py")
        info.type, info.devmajor, info.devminor = tarfile.BLKTYPE, 8, 0
        archive.addfile(info)
    return path
