"""Makes the submission: a repository cannot hold it."""

def make(into):
    (into / "sub").symlink_to("/etc")
    return into / "sub"
