"""The notebook's kernel: ipykernel in a fork of the warm worker, so that torch is not imported again.

Cells run as in Jupyter but for what wants a shell or the network, which is noted and left out. After the last cell the
kernel forks the nursery (see `nursery`): a process without its threads and sockets that keeps the namespace.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import torch
from ipykernel.compiler import XCachingCompiler
from ipykernel.iostream import OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQDisplayPublisher, ZMQInteractiveShell
from traitlets import DottedObjectName, Type
from traitlets.config import Config

from grader.worker import prepare, verbs
from grader.worker.child import Plan, become_session
from grader.worker.nursery import orphan, tend
from grader.worker.session import Session

MAX_NOTES = 20
CELL_TEXT = 64 * 1024
"""Characters of output that are kept of one cell."""
FLOODED = 77
"""Exit code of a kernel whose cells printed more than the limit."""
SHELL_MAGICS = frozenset(
    "pip conda mamba micromamba uv sx system ! !! bash sh script cmd perl ruby pypy python2".split()
)
"""Magics that start a shell, an installer or another interpreter."""
RUNNING_MAGICS = frozenset("time timeit run prun".split())
"""Magics that execute the candidate's own code: what that raises is the cell's failure."""


@dataclass(frozen=True)
class Order:
    """What a kernel is started for."""

    plan: Plan
    entry: Path
    numbers: tuple[int, ...]
    """The numbers of the code cells that will be executed, in order."""
    seed: int
    connection_file: Path
    plots: bool
    """True where the notebook mentions matplotlib: its figures are then shown in it, as in Jupyter."""


class CellCompiler(XCachingCompiler):  # type: ignore[misc]  # ipykernel has no complete types
    """Names the code of a cell for the notebook and the cell, so that a traceback says both."""

    name = "notebook"

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:  # noqa: ARG002 - the base's signature
        """See CachingCompiler."""
        return CellCompiler.name


class NotebookShell(ZMQInteractiveShell):  # type: ignore[misc]  # as above
    """Leaves out what wants a shell or the network; a magic that is unknown here breaks no cell."""

    notes: tuple[str, ...] = ()

    def note(self, text: str) -> None:
        """Remembers, and shows in the notebook, what was left out."""
        line = text.partition("\n")[0][:120]
        NotebookShell.notes = (*self.notes, line)[:MAX_NOTES]
        print(f"[{line}]", file=sys.stderr)  # noqa: T201 - the cell's own output

    def system(self, cmd: str) -> None:
        """`!command`."""
        self.note(f"not run: !{cmd.strip()}")

    system_raw = system_piped = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:  # noqa: ARG002, FBT001, FBT002 - as the base
        """`x = !command`."""
        self.note(f"not run: !{cmd.strip()}")
        return [] if split else ""

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """`%name line`."""
        if magic_name in SHELL_MAGICS:
            return self.note(f"not run: %{magic_name} {line}".rstrip())
        if self.find_line_magic(magic_name) is None:
            return self.note(f"not run: %{magic_name} is not known here")
        try:
            return super().run_line_magic(magic_name, line, _stack_depth=_stack_depth + 1)
        except Exception as error:
            if magic_name in RUNNING_MAGICS:
                raise
            return self.note(f"not run: %{magic_name} ({type(error).__name__})")

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """`%%name line`; the Python below one that is unknown here still runs."""
        if magic_name in SHELL_MAGICS:
            return self.note(f"not run: %%{magic_name}")
        if self.find_cell_magic(magic_name) is None and self.find_line_magic(magic_name) is None:
            self.note(f"%%{magic_name} is not known here; the lines below it were run")
            code = compile(self.transform_cell(cell), CellCompiler.name, "exec")
            exec(code, self.user_ns)  # noqa: S102 - executing the candidate's cell is what a kernel is for
            return None
        return super().run_cell_magic(magic_name, line, cell)

    def ask_exit(self) -> None:
        """`exit` and `quit` fail their cell; Jupyter would end the kernel."""
        raise SystemExit


class CellStream(OutStream):  # type: ignore[misc]  # as above
    """A stream that sends the beginning of what a cell prints, and ends the kernel at a flood."""

    cell_text = 0
    left = 0

    def write(self, string: str) -> int | None:
        """See OutStream."""
        size = len(string)
        CellStream.cell_text += size
        CellStream.left -= size
        if CellStream.left < 0:
            os._exit(FLOODED)
        if CellStream.cell_text - size > CELL_TEXT:
            return size
        return super().write(string[: 2 * CELL_TEXT])  # type: ignore[no-any-return]  # as above


class NotebookKernel(IPythonKernel):  # type: ignore[misc]  # as above
    """An IPython kernel that knows which cell it executes and can hand its state over."""

    shell_class = Type(NotebookShell)
    compiler_class = Type(CellCompiler)
    order: Order
    cells: Iterator[int]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shell_handlers["hand_over"] = self.hand_over

    async def do_execute(  # noqa: PLR0913 - the base's signature
        self, code: str, silent: bool, store_history: bool = True, user_expressions: Any = None,  # noqa: FBT001, FBT002
        allow_stdin: bool = False, *, cell_meta: Any = None, cell_id: Any = None,  # noqa: FBT001, FBT002
    ) -> dict[str, Any]:  # fmt: skip
        """See IPythonKernel; the reply has the notes of this cell."""
        NotebookShell.notes = ()
        CellStream.cell_text = 0
        CellCompiler.name = f"{self.order.entry}[cell {next(self.cells, 0)}]"
        reply = await super().do_execute(
            code, silent, store_history, user_expressions, allow_stdin, cell_meta=cell_meta, cell_id=cell_id
        )
        return {**reply, "notes": list(NotebookShell.notes)}

    def hand_over(self, *_: Any) -> None:
        """Forks the nursery."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # forking with threads: the copy uses nothing that they hold
            try:
                orphan(lambda: become_nursery(self.order, self.shell.user_ns, set(self.shell.user_ns_hidden)))
            finally:
                if self.order.plan.nursery is not None:
                    self.order.plan.nursery.close()  # where no nursery was born, the server need not wait for it


class NotebookApp(IPKernelApp):  # type: ignore[misc]  # as above
    """The kernel's application, which tells nobody how to connect to it."""

    outstream_class = DottedObjectName("grader.worker.kernel.CellStream")

    def log_connection_info(self) -> None:
        """See IPKernelApp."""


def become_kernel(order: Order) -> NoReturn:
    """Turns this freshly forked process into the kernel of `order`; never returns."""
    try:
        prepare.prctl(prepare.PR_SET_PDEATHSIG, 9)
        _enter(order)
        config = Config()
        config.HistoryManager.enabled = False
        config.IPKernelApp.exec_PYTHONSTARTUP = False
        NotebookKernel.order, NotebookKernel.cells = order, iter(order.numbers)
        CellStream.left = order.plan.output_bytes
        app = NotebookApp.instance(
            kernel_class=NotebookKernel, connection_file=str(order.connection_file), transport="ipc", config=config
        )
        with _no_output(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a network port for the prints of child processes
            app.initialize([])
        app.shell.user_ns["__file__"] = str(order.entry)
        if order.plots:
            with contextlib.suppress(Exception):  # without matplotlib the candidate's own import will say so
                app.shell.enable_matplotlib("inline")
        verbs.seed_everything(order.seed)
        app.start()
    finally:
        os._exit(1)


def _enter(order: Order) -> None:
    folder = order.entry.parent
    for item in (str(order.plan.root / "submission"), str(folder)):
        if item not in sys.path:
            sys.path.insert(0, item)
    os.chdir(folder)
    os.environ.pop("MPLBACKEND", None)  # the kernel's own shows figures in the notebook


@contextlib.contextmanager
def _no_output() -> Iterator[None]:
    """Silence about connection files and ports that cannot be had."""
    import logging

    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def become_nursery(order: Order, namespace: dict[str, Any], hidden: set[str]) -> NoReturn:
    """Turns this fork of the kernel into the process that keeps the notebook's state."""
    prepare.soften_child()
    os.setsid()
    _leave_jupyter()
    defined = {name: value for name, value in namespace.items() if name not in hidden}
    gc.freeze()
    # Cells that used several threads: their pool did not come along, and would be waited for.
    threads = order.plan.threads if torch.get_num_threads() == 1 else 1
    torch.set_num_threads(1)
    base, submission = order.plan.root.parent, order.plan.root / "submission"

    def bear(number: int, sock: socket.socket, printed: int) -> NoReturn:
        plan = replace(order.plan, root=base / f"s{number}", nursery=None, threads=threads)
        session = Session(submission, order.plan.files, order.plan.max_body, namespace=defined)
        become_session(sock, printed, plan, lambda: None, copied=lambda: session)

    if order.plan.nursery is None:
        os._exit(1)
    tend(order.plan.nursery, bear)


def _leave_jupyter() -> None:
    """Whatever would send a message to the client prints instead: the sockets and threads stayed in the kernel."""
    asyncio._set_running_loop(None)  # noqa: SLF001 - there is no other way out of a loop that was forked
    asyncio.set_event_loop(None)
    for stream in (sys.stdout, sys.stderr):  # ipykernel keeps bound methods in the instances
        getattr(stream, "__dict__", {}).pop("write", None)
    CellStream.write = _print_text  # type: ignore[method-assign, assignment]  # the class serves no other process
    CellStream.flush = lambda _self: None
    ZMQDisplayPublisher.publish = _print_plain
    ZMQDisplayPublisher.clear_output = lambda _self, wait=False: None  # noqa: ARG005
    sys.displayhook, sys.excepthook = sys.__displayhook__, sys.__excepthook__
    os.environ["MPLBACKEND"] = "agg"
    if "matplotlib.pyplot" in sys.modules:
        with contextlib.suppress(Exception):
            sys.modules["matplotlib.pyplot"].switch_backend("agg")


def _print_text(stream: Any, text: str) -> int:
    """OutStream.write, for whoever kept the kernel's stream (a logging handler)."""
    target = sys.__stderr__ if stream.name == "stderr" else sys.__stdout__
    return target.write(text) if target else 0


def _print_plain(_self: Any, data: Any, *_: Any, **__: Any) -> None:
    """ZMQDisplayPublisher.publish."""
    print(data.get("text/plain", "") if isinstance(data, dict) else "")  # noqa: T201 - the candidate's own output
