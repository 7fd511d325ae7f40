"""`python -I -m grader.judge.server`: forks judges, so that no judge has to import what all of them need.

Each message on the socket (the descriptor in the first argument) asks for one judge: its folder for temporary files,
and with it its standard input, the descriptor for its events, and its log. The answer is the judge's process id. The
second argument is the process that asks; when it ends, its end of the socket closes, and so does this server; judges
end by themselves. The server never sees a job: that comes to the judge alone, over its standard input.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import tempfile
from types import FrameType
from typing import Final

MAX_MESSAGE: Final = 64 * 1024
PRELOADED: Final = (
    "_pytest.assertion.rewrite",
    "docker",
    "grader.judge",
    "grader.judge.__main__",
    "grader.judge.maths",
    "grader.judge.pictures",
    "safetensors.numpy",
)
"""What judges import sooner or later."""


def main() -> None:
    """Serves until the other end closes."""
    asker = int(sys.argv[2])
    with socket.socket(fileno=int(sys.argv[1])) as line:
        signal.signal(signal.SIGCHLD, _wait_for_children)
        _preload()
        while True:
            message, descriptors, _, _ = socket.recv_fds(line, MAX_MESSAGE, 3)
            if not message:
                return
            pid = os.fork()
            if pid == 0:
                line.close()
                _become_judge(os.fsdecode(message), descriptors, asker)
            for descriptor in descriptors:
                os.close(descriptor)
            line.send(str(pid).encode())


def _preload() -> None:
    """Imports what judges need, and keeps the collector from touching it, so that they share its memory."""
    from _pytest.config import default_plugins

    from grader.judge.__main__ import UNUSED_PLUGINS
    from grader.sandbox import BACKENDS

    plugins = (f"_pytest.{name}" for name in default_plugins if name not in UNUSED_PLUGINS)
    for name in (*PRELOADED, *BACKENDS.values(), *plugins):
        with contextlib.suppress(ImportError):  # the judge that needs it will say what is missing
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _wait_for_children(_number: int, _frame: FrameType | None) -> None:
    """Takes the ends of judges: who asked for them watches by other means."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _become_judge(folder: str, descriptors: list[int], asker: int) -> None:
    """Never returns: the judge that a new interpreter would have been, from here on."""
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        stdin, events, log = descriptors
        for source, target in ((stdin, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.close(stdin)
        os.close(log)
        os.environ["TMPDIR"] = folder
        tempfile.tempdir = None
        from grader.judge.__main__ import judge

        judge(events, asker)
        code = 0
    except BaseException:  # noqa: BLE001 - as an interpreter would: the last line of the log is what is told
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
