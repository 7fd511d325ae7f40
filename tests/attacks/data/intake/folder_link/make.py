"""Makes the submission: a repository cannot hold it."""

def make(into):
    folder = into / "sub"
    folder.mkdir()
    (folder / "vault.py").write_text("def code(x): return 7")
    (folder / "helper.py").symlink_to("/etc/passwd")
    return folder
