"""Makes the submission: a repository cannot hold it."""

def make(into):
    path = into / "vault.py"
    path.write_bytes(b"x = [" + b"1," * (25 * 2**20) + b"]")
    return path
