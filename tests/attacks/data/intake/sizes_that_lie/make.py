"""Makes the submission: a repository cannot hold it."""

import struct
import zipfile


def make(into):
    path = into / "sub.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vault.py", b"x = 1\n" * 200_000)
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(signature)
        data[start + at:start + at + 4] = struct.pack("<I", 10)
    path.write_bytes(bytes(data))
    return path
