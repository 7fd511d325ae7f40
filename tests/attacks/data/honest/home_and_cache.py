import json
import os
from pathlib import Path


def main():
    folder = Path.home() / ".cache" / "mine"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"pid": os.getpid()}))
    assert json.loads((folder / "config.json").read_text())["pid"] == os.getpid()
