"""Makes the submission: a repository cannot hold it."""

import struct
import zipfile


def make(into):
    path = into / "sub.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.py", bytes(2**20))
        archive.writestr("b.py", bytes(2**20))
    data = bytearray(path.read_bytes())
    last = data.rindex(b"PK\x01\x02")
    data[last + 42:last + 46] = struct.pack("<I", 0)
    path.write_bytes(bytes(data))
    return path
