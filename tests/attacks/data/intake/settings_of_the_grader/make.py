"""Makes the submission: a repository cannot hold it."""

def make(into):
    folder = into / "sub"
    (folder / "tasks" / "vault" / "hidden").mkdir(parents=True)
    (folder / "grader.toml").write_text('backend = "process"\ntasks_dir = "tasks"\n')
    (folder / ".env").write_text("GRADER_BACKEND=process\n")
    (folder / "tasks" / "vault" / "task.toml").write_text("id = 'vault'\n")
    (folder / "tasks" / "vault" / "hidden" / "test_vault.py").write_text("def test_code(): pass\n")
    return folder
