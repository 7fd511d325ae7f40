"""Makes the submission: a repository cannot hold it."""

def make(into):
    path = into / "vault.ipynb"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    return path
