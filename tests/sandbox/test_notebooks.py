# ruff: noqa: E501 - cells in one line each
"""Notebooks in both backends: what is executed, what later checks see of it, and how hostile ones end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from grader.judge import notebook as run_module
from grader.judge.faults import CandidateFault
from grader.model import Outcome
from tests.notebooks import cell, notebook
from tests.sandbox.rig import FILES, Rig

MAGICS = (
    "%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n%load_ext no_such_extension\n%no_such_magic\nreached = [1]",
    "!pip install torch\nlisting = !ls\n%pip install einops\n%conda install x\nreached.append(2)",
    "%%bash\necho never; touch /tmp/never",
    "%%time\nreached.append(4)\ntotal = sum(range(3))",
    "%%no_such_cell_magic with arguments\nreached.append(5)",
    "%%capture said\nprint('hidden')",
    "pip install tqdm",
    "%time reached.append(7)",
    "%%writefile written_here.py\nVALUE = 8",
    "import written_here\nreached.append(written_here.VALUE)",
    "import asyncio\nawait asyncio.sleep(0)\nreached.append(10)",
    "import os\ndef facts():\n    return [reached, listing, __file__, os.getcwd(), os.path.exists('/tmp/never')]",
)
TOOLS = (
    "import matplotlib.pyplot as plt\nfrom tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass",
    "plt.plot([1, 2]); plt.show()",
    "import logging, sys\nlogging.getLogger('mine').addHandler(logging.StreamHandler(sys.stdout))\nkept = sys.stdout",
    """def use():
    import asyncio
    from IPython.display import display
    async def three(): return 3
    for _ in tqdm(range(3)): pass
    plt.plot([1, 2]); plt.show(); plt.close("all")
    logging.getLogger("mine").warning("logged"); kept.write("kept\\n"); kept.flush(); display("shown"); print("printed")
    get_ipython().system("ls")
    return asyncio.run(three())""",
)
STATE = (
    "import threading, time, subprocess, sys\ncount = [0]\nrng = __import__('numpy').random.default_rng(0)",
    "threading.Thread(target=lambda: time.sleep(1e6), daemon=True).start()",
    "children = [subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1e6)']) for _ in range(2)]",
    "import os\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1e6)",
    "def count_up():\n    count[0] += 1\n    return count[0]",
    "def draw():\n    return float(rng.random())",
    "import glob\ndef others():\n    return sum(b'time.sleep(1e6)' in open(p, 'rb').read() for p in glob.glob('/proc/[0-9]*/cmdline'))",
    "def pids():\n    return [p.pid for p in children]",
    "import torch\ntorch.set_num_threads(2)\ntorch.ones(300, 300) @ torch.ones(300, 300)\n(torch.ones(10**6) + 1).sum()",
    "def multiply():\n    return float((torch.ones(400, 400) @ torch.ones(400, 400)).sum() + (torch.ones(10**6) + 1).sum())",
    "def hang():\n    while True: pass",
    "def leave():\n    os._exit(3)",
)
NOTEBOOKS: dict[str, bytes] = {
    "magics.ipynb": notebook(*MAGICS),
    "tools.ipynb": notebook(*TOOLS),
    "state.ipynb": notebook(*STATE),
    "fails.ipynb": notebook(
        cell("# A title", "markdown"),
        "def f():\n    return 1",
        "",
        "1 / 0",
        "raise SystemExit",
        "exit()",
        "x = input()",
        "def g():\n\n    raise KeyError('g')",
        "class Odd(Exception): pass\nraise Odd('\x1b[31mred')",
    ),
    "old.ipynb": json.dumps(
        {
            "nbformat": 3,
            "nbformat_minor": 0,
            "metadata": {},
            "worksheets": [
                {
                    "metadata": {},
                    "cells": [
                        {"cell_type": "heading", "level": 1, "source": ["Title"]},
                        {
                            "cell_type": "code",
                            "language": "python",
                            "input": ["def f():\n", "    return 3"],
                            "outputs": [],
                        },
                    ],
                }
            ],
        }
    ).encode(),
    "lines.ipynb": notebook({**cell(""), "source": ["def f():\n", "    return 4\n"]}, nbformat_minor=0),
    "stored.ipynb": notebook(
        cell("def f():\n    return 5", outputs="all passed", execution_count={"a": []}, metadata=7),
        metadata={"kernelspec": {"name": "no_such_kernel"}, "widgets": [], "signature": "x"},
    ),
    "helper.ipynb": notebook("from tools_of_mine import VALUE\ndef f():\n    return VALUE"),
    "tools_of_mine.py": b"VALUE = 6\n",
    "text.ipynb": b"print('no json')",
    "list.ipynb": b"[]",
    "nul.ipynb": b"\0" * 100,
    "deep.ipynb": b'{"cells": ' + b"[" * 100_000,
    "types.ipynb": b'{"cells": [{"cell_type": "code", "source": {"a": 1}}], "nbformat": "four"}',
    "cells.ipynb": b'{"cells": {"a": 1}}',
    "prose.ipynb": notebook(cell("only words", "markdown")),
    "blank.ipynb": notebook("", " \n"),
    "many.ipynb": notebook(*["x = 1"] * 10_000),
    "hangs.ipynb": notebook("print('before')", "while True: pass", "def f(): return 1"),
    "sleeps.ipynb": notebook("import time", "time.sleep(1e6)"),
    "ignores.ipynb": notebook("while True:\n    try:\n        while True: pass\n    except BaseException: pass"),
    "exits.ipynb": notebook("import os\nprint('before')", "", "os._exit(0)"),
    "parent.ipynb": notebook(
        "import os, signal", "os.kill(os.getppid(), signal.SIGKILL)", "import time; time.sleep(9)"
    ),
    "memory.ipynb": notebook("x = 1", "x = [bytearray(2**26) for _ in range(100)]"),
    "floods.ipynb": notebook("x = 1", "while True: print('x' * 4096)"),
    "descriptor.ipynb": notebook("import os\nwhile True: os.write(1, b'x' * 4096)"),
    "bomb.ipynb": notebook("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"),
    "prints.ipynb": notebook("print('x' * 500_000)", "for i in range(3000): print(i, flush=True)", "def f(): return 7"),
    "shows.ipynb": notebook(
        "from IPython.display import HTML, SVG, Javascript, Markdown, display\nimport base64\n"
        "display(HTML('<script>alert(1)</script>'), Javascript('alert(2)'), Markdown('[x](javascript:alert(3))'))",
        "display({'image/png': base64.b64encode(b'\\x89PNG\\r\\n\\x1a\\nno picture').decode()}, raw=True)",
        "display({'text/plain': ['wrong', 'type'], 'image/png': 7, 'application/x': {}}, raw=True)",
        "display({'text/html': 'x' * 5_000_000, 'image/svg+xml': '<svg onload=\"alert(4)\"/>'}, raw=True)",
        "from PIL import Image\ndisplay(Image.new('RGB', (8, 8), 'red'))",
        "print('\\x1b]52;c;aGk=\\x07\\x1b[31mred\\u202e')\n'plain'",
        cell(
            "<script>alert(5)</script> ![](http://track.example/x.png)",
            "markdown",
            attachments={"a": {"image/png": "x"}},
        ),
        "def f(): return 8",
    ),
    "shadows.ipynb": notebook(
        "import grader.worker.session as s, builtins, json, os\ns.Session.answer = lambda self, frame: os._exit(5)",
        "builtins.compile = None; json.dumps = None",
        "def f(): return 9",
    ),
    "refuses.ipynb": notebook("import os\nos.fork = None", "def f(): return 10"),
}


@pytest.fixture(scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "docker":
        request.getfixturevalue("sandbox_image")
    with Rig(request.param, f"test-notebooks-{os.getpid()}", {**FILES, **NOTEBOOKS}) as found:
        found.ready()
        yield found


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "NOTEBOOK_CELL_CPU_S", 2.0)
    monkeypatch.setattr(run_module, "NOTEBOOK_CPU_S", 8.0)


def _value(rig: Rig, entry: str, name: str = "f") -> Any:
    with rig.opened(entry) as candidate:
        return candidate.call(name)._value


def _notes(rig: Rig) -> list[str]:
    assert rig.notebook
    return rig.notebook.notes


def _ends(rig: Rig, entry: str) -> CandidateFault:
    """How the execution of a notebook ends; see `_ended`."""
    return _ended(rig, entry)[0]


def _ended(rig: Rig, entry: str) -> tuple[CandidateFault, bytes | None]:
    """(how the execution of a notebook ends, what is kept of it); the second check is told the same, at once.

    Another notebook works after it.
    """
    with pytest.raises(CandidateFault) as caught, rig.opened(entry):
        pass
    started = time.monotonic()
    with pytest.raises(CandidateFault) as again, rig.opened(entry):
        pass
    assert (again.value.outcome, again.value.message) == (caught.value.outcome, caught.value.message)
    assert time.monotonic() - started < 10  # the kernel alone takes longer, its limit far longer
    assert rig.notebook
    kept = rig.notebook.executed
    rig.take_output()
    assert _value(rig, "lines.ipynb") == 4
    return caught.value, kept


def test_what_wants_a_shell_is_noted_and_other_magics_break_nothing(rig: Rig) -> None:
    reached, listing, file, folder, never = _value(rig, "magics.ipynb", "facts")
    assert reached == [1, 2, 4, 5, 7, 8, 10]
    assert listing == []
    assert file.endswith("/magics.ipynb")
    assert os.path.realpath(folder) == os.path.realpath(os.path.dirname(file))  # noqa: PTH120
    assert never is False
    notes = "\n".join(_notes(rig))
    for line in (
        "code cell 1: not run: %no_such_magic is not known here", "code cell 1: not run: %load_ext (ModuleNotFound",
        "code cell 2: not run: !pip install torch", "code cell 2: not run: !ls", "code cell 2: not run: %pip install einops",
        "code cell 7: not run: %pip install tqdm", "code cell 2: not run: %conda install x", "code cell 3: not run: %%bash",
        "code cell 5: %%no_such_cell_magic is not known here",
    ):  # fmt: skip
        assert line in notes
    assert "raised" not in notes


def test_functions_may_use_what_notebooks_use(rig: Rig) -> None:
    rig.take_output()
    assert _value(rig, "tools.ipynb", "use") == 3
    output = rig.take_output()
    for word in ("100%", "logged", "kept", "shown", "printed"):
        assert word in output
    assert _notes(rig) == []


def test_each_check_starts_from_the_state_after_the_last_cell(rig: Rig) -> None:
    assert [_value(rig, "state.ipynb", "count_up") for _ in range(3)] == [1, 1, 1]
    draws = {_value(rig, "state.ipynb", "draw") for _ in range(2)}
    assert draws == {np.random.default_rng(0).random()}
    with rig.opened("state.ipynb") as first, rig.opened("state.ipynb") as second:
        assert [first.call("count_up").integer(), first.call("count_up").integer()] == [1, 2]
        assert second.call("count_up").integer() == 1


def test_what_a_notebook_left_running_is_gone_before_the_first_check(rig: Rig) -> None:
    assert _value(rig, "state.ipynb", "others") == 0
    if rig.name == "process":
        for pid in _value(rig, "state.ipynb", "pids"):
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


def test_threads_of_a_cell_do_not_hang_a_check(rig: Rig) -> None:
    assert _value(rig, "state.ipynb", "multiply") == 400**3 + 2 * 10**6


def test_a_check_that_hangs_or_ends_touches_no_other(rig: Rig) -> None:
    rig.entry = "state.ipynb"
    try:
        with rig.opened() as bystander:
            for name, outcome in (("hang", Outcome.TIMEOUT), ("leave", Outcome.CRASHED)):
                with pytest.raises(CandidateFault) as caught:
                    rig.call(name, cpu_s=0.5)
                assert caught.value.outcome is outcome
            assert bystander.call("count_up").integer() == 1
    finally:
        rig.entry = "candidate.py"


def test_a_failing_cell_stops_no_other_and_is_named(rig: Rig) -> None:
    assert _value(rig, "fails.ipynb") == 1
    notes = _notes(rig)
    assert notes[0] == "code cell 3 raised ZeroDivisionError: division by zero"
    assert [note.split(":")[0] for note in notes[1:4]] == [
        "code cell 4 raised SystemExit", "code cell 5 raised SystemExit", "code cell 6 raised StdinNotImplementedError",
    ]  # fmt: skip
    assert notes[4] == "code cell 8 raised Odd: red"
    with rig.opened("fails.ipynb") as candidate:
        with pytest.raises(CandidateFault, match=r"no function missing in the entry file \(code cell 3 raised Zero"):
            candidate.call("missing")
        with pytest.raises(CandidateFault) as caught:
            candidate.call("g")
    assert (caught.value.exception, caught.value.location) == ("KeyError", "fails.ipynb[cell 7]:3")


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("old.ipynb", 3),
        ("lines.ipynb", 4),
        ("stored.ipynb", 5),
        ("helper.ipynb", 6),
        ("prints.ipynb", 7),
        ("refuses.ipynb", None),
    ],
)
def test_every_form_of_a_notebook_is_read(
    rig: Rig, entry: str, value: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "NOTEBOOK_CELL_CPU_S", 20.0)  # three thousand prints took more than 2 s once
    monkeypatch.setattr(run_module, "NOTEBOOK_CPU_S", 60.0)
    if value is None:
        fault = _ends(rig, entry)
        assert (fault.outcome, fault.message) == (
            Outcome.CRASHED, "the notebook's kernel did not keep its state after the last cell",
        )  # fmt: skip
    else:
        assert _value(rig, entry) == value


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("text.ipynb", "not JSON"),
        ("list.ipynb", "no list of cells"),
        ("nul.ipynb", "not JSON"),
        ("deep.ipynb", "not JSON"),
        ("types.ipynb", "its cell 1 has no type or no source text"),
        ("cells.ipynb", "no list of cells"),
        ("prose.ipynb", "has no code cells"),
        ("blank.ipynb", "has no code cells"),
        ("many.ipynb", "has 10000 cells, at most"),
        ("absent.ipynb", "cannot be read"),
    ],
)
def test_what_is_no_notebook_is_invalid_with_a_line(rig: Rig, entry: str, said: str) -> None:
    fault, kept = _ended(rig, entry)
    assert fault.outcome is Outcome.INVALID
    assert said in fault.message
    assert kept is None


@pytest.mark.parametrize(
    ("entry", "outcome", "said"),
    [
        ("hangs.ipynb", Outcome.TIMEOUT, "code cell 2: the cell used more than its 2 s of CPU time"),
        ("sleeps.ipynb", Outcome.TIMEOUT, "code cell 2: the cell hung"),
        ("ignores.ipynb", Outcome.TIMEOUT, "code cell 1: the cell used more"),
        ("exits.ipynb", Outcome.CRASHED, "code cell 3 ended the notebook's kernel"),
        ("parent.ipynb", Outcome.CRASHED, "code cell 2"),
        ("memory.ipynb", Outcome.MEMORY, "code cell 2"),
        ("floods.ipynb", Outcome.OUTPUT_LIMIT, "code cell 2 printed more than the output limit"),
    ],
)
def test_a_cell_that_ends_the_notebook_is_named(rig: Rig, entry: str, outcome: Outcome, said: str) -> None:
    fault, kept = _ended(rig, entry)
    assert fault.outcome is outcome
    assert said in fault.message
    assert kept
    cells = json.loads(kept)["cells"]
    assert [item["source"] for item in cells] == [item["source"] for item in json.loads(NOTEBOOKS[entry])["cells"]]
    shown = [[output["text"] for output in item["outputs"]] for item in cells]
    number = int(said.split("cell ")[1][0])
    assert shown[number - 1][-1] == run_module.ENDED
    assert not any(shown[number:])
    assert entry not in ("hangs.ipynb", "exits.ipynb") or shown[0] == ["before\n"]


def test_a_flood_on_the_descriptor_ends_like_one_of_prints(rig: Rig) -> None:
    assert _ends(rig, "descriptor.ipynb").outcome in (Outcome.OUTPUT_LIMIT, Outcome.TIMEOUT)


def test_all_cells_together_have_a_limit(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "NOTEBOOK_CPU_S", 0.0)
    with pytest.raises(CandidateFault, match="code cell 1 was not reached") as caught, rig.opened("magics.ipynb"):
        pass
    assert caught.value.outcome is Outcome.TIMEOUT
    assert rig.notebook
    assert rig.notebook.executed
    assert not any(item["outputs"] for item in json.loads(rig.notebook.executed)["cells"])


@pytest.mark.docker
@pytest.mark.parametrize("fresh", ["docker"], indirect=True)  # without a container processes are the whole user's
def test_a_fork_bomb_in_a_cell_ends_soon(fresh: Rig) -> None:
    fresh._submission = type(fresh._submission)(id="a", candidate="A", files=NOTEBOOKS, entries={}, sha256="")
    fresh.hello().kill()
    started = time.monotonic()
    with pytest.raises(CandidateFault) as caught, fresh.opened("bomb.ipynb"):
        pass
    assert caught.value.outcome in (Outcome.TIMEOUT, Outcome.CRASHED)
    assert time.monotonic() - started < 30
    assert _value(fresh, "lines.ipynb") == 4


def test_code_that_replaces_our_own_spoils_its_own_answers_only(rig: Rig) -> None:
    with pytest.raises(CandidateFault):
        _value(rig, "shadows.ipynb")
    assert _value(rig, "lines.ipynb") == 4


def test_the_executed_notebook_has_nothing_active(rig: Rig) -> None:
    assert _value(rig, "shows.ipynb") == 8
    assert rig.notebook
    assert rig.notebook.executed
    text = rig.notebook.executed.decode()
    assert len(text) < 400_000
    content = json.loads(text)
    kinds = [item["cell_type"] for item in content["cells"]]
    assert kinds == ["code"] * 6 + ["raw", "code"]
    outputs = [output for item in content["cells"] for output in item.get("outputs", [])]
    assert {kind for output in outputs for kind in output.get("data", {})} <= {"image/png", "text/plain"}
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 1
    said = json.dumps([{**item, "source": ""} for item in content["cells"]], ensure_ascii=False)
    for word in ("text/html", "svg", "<script", "\x1b", "\\u001b", "\u202e", "attachments", "]52;"):
        assert word not in said
    assert "\x1b" not in text
    assert "\u202e" not in text
