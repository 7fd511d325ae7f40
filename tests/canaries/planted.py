"""A task whose every hidden part bears a canary, a submission that sends on all that it is given, and the search.

A canary is a word, a number or an array that stands nowhere else. It is looked for as text (UTF-8, UTF-16, base64,
hexadecimal) and, for floats, as the bytes of both widths and byte orders and as decimal digits.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

SEED: Final = 0x2A5E_C2E7_C0DE_0A77
FIXED: Final = np.array([1234.5678912345, -0.7310585786300049, 8675.309021046, 5551.212987654])
"""Hidden inputs."""
EXPECTED: Final = np.array([2718.281828459, -3141.592653589, 1.6180339887498949, 577.215664901])
"""What no answer of the hostile submission is, and no frame may carry."""

SOURCE, NAME, TITLE, MESSAGE, TEXT, EVIDENCE, QUESTION, BUG = (
    f"kestrel{word}7f3a" for word in ("source", "name", "title", "message", "text", "evidence", "question", "bug")
)
CHECKS: Final = ("print", "raise", "named", "chained", "exit", "stderr", "warn", "death", "answer", "partial", "assert")
"""How the submission tries to send on what it got, in its own check each; the last three are ours to say wrongly."""

INPUTS: Final[Mapping[str, str | np.ndarray]] = {"text input": TEXT, "array input": FIXED}
"""What calls must carry, and reports must not."""
SECRETS: Final[Mapping[str, str | np.ndarray]] = {
    "source": SOURCE, "check name": NAME, "check title": TITLE, "message": MESSAGE, "evidence": EVIDENCE,
    "question": QUESTION, "bug id": BUG, "expected values": EXPECTED, "seed": str(SEED), "seed in hex": f"{SEED:x}",
}  # fmt: skip

TASK: Final = """
id = "vault"
version = "1.0"
[title]
en = "Vault"
[[criteria]]
id = "things"
points = 110
title = { en = "Things", zh = "事项" }
[[criteria]]
id = "shown"
points = 10
title = { en = "Shown", zh = "公开" }
[limits]
memory_mb = 640
pids = 64
call_cpu_s = 5
wall_slack_s = 20
task_cpu_s = 120
"""

HIDDEN: Final = f'''"""{SOURCE}"""
from pathlib import Path

import numpy as np
import pytest

from grader.judge import compare, partial

FIXED, EXPECTED = np.load(Path(__file__).with_name("arrays.npz")).values()


def check(name):
    marks = {{"criterion": "things", "points": 10, "title": "{TITLE} " + name, "hint": "Look again."}}
    return pytest.mark.check(f"{NAME}_{{name}}", hint_zh="再看看。", **marks)


def asked(candidate, rng, how):
    # twelve digits each, so that they can be found again
    return candidate.call("solve", how, FIXED, "{TEXT}", rng.integers(10**11, 10**12, 4)).tensor(shape=(4,))
''' + "".join(
    f"""

@check("{name}")
def test_{name}(candidate, rng, evidence, diagnosis):
    found = asked(candidate, rng, "{name}")
    evidence.curves("curve", {{"right": EXPECTED, "found": found}}, title="{EVIDENCE}")
    diagnosis.closest(found, {{"{BUG}": FIXED}}, atol=1e-6, what="{EVIDENCE}")
    {end}
"""
    for name in CHECKS
    for end in [
        {
            "partial": f'partial(0.5, f"{MESSAGE} {{EXPECTED.tolist()}}")',
            "assert": f'assert found.tolist() == EXPECTED.tolist(), "{MESSAGE}"',
        }.get(name, f'compare.close(found, EXPECTED, atol=1e-6, what="{MESSAGE}")')
    ]
)

BROKEN: Final = HIDDEN.replace(
    'what="' + MESSAGE + '")', f'what="{MESSAGE}")\n    raise KeyError("{MESSAGE}")'
).replace(
    "    compare.close(found, EXPECTED", '    raise KeyError("' + MESSAGE + '")\n    compare.close(found, EXPECTED'
)
"""A suite that fails by itself once it has an answer: ours, with its source in the traceback."""

PUBLIC: Final = """import numpy as np
import pytest
from grader.judge import require


@pytest.mark.check("public_one", criterion="shown", points=10, title="shown", hint="Any array.")
def test_public(candidate, diagnosis):
    found = candidate.call("solve", "print", np.ones(4), "public", np.ones(4)).tensor(shape=(4,))
    diagnosis.suspect("named_in_public", confidence=0.9, evidence="of the public suite")
    require(bool(found.sum() == 0), "the sum is not 0")
"""

BUGS: Final = "".join(
    f'[{name}]\nbug = {{ en = "a slip", zh = "疏漏" }}\nquestion = {{ en = "{QUESTION}", zh = "{QUESTION}" }}\n'
    for name in (BUG, "named_in_public")
)

HOSTILE: Final = """
import os, sys, warnings
import torch

SEEN = []

class Told(Exception):
    pass

def solve(how, x, text, drawn):
    numbers = torch.cat([x.double(), drawn.double()]).tolist()
    SEEN.append(f"{text} {numbers!r} {x.numpy().tobytes().hex()}")
    words = SEEN[-1]
    if how == "raise":
        raise ValueError(words)
    if how == "named":
        raise type("Leak_" + "_".join(str(int(n)) for n in numbers) + text, (Exception,), {})(words)
    if how == "chained":
        try:
            raise KeyError(words)
        except KeyError as error:
            raise OSError(words, words) from error
    if how == "exit":
        sys.exit(words)
    if how == "stderr":
        print(words, file=sys.stderr)
        os.write(2, words.encode())
    if how == "warn":
        warnings.warn(words)
    if how == "death":
        print(words, flush=True)
        os.abort()
    print(words)
    return x
"""


def write_task(folder: Path, hidden: str = HIDDEN) -> Path:
    """The folder of tasks with the one task."""
    root = folder / "vault"
    texts = {
        "task.toml": TASK, "PROMPT.md": "# Vault\n", "public/test_public.py": PUBLIC, "hidden/test_hidden.py": hidden,
        "hidden/bugs.toml": BUGS,
    }  # fmt: skip
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    np.savez(root / "hidden" / "arrays.npz", fixed=FIXED, expected=EXPECTED)
    return folder


def drawn_numbers(text: str) -> set[str]:
    """The twelve digits of inputs that were drawn, out of what a submission said."""
    return set(re.findall(r"(?<!\d)[1-9]\d{11}(?!\d)", text))


def found_in(data: bytes, secrets: Mapping[str, str | np.ndarray]) -> list[str]:
    """The names of those secrets that `data` holds in any of the forms."""
    lowered = data.lower()
    return [name for name, secret in secrets.items() if any(form.lower() in lowered for form in _forms(secret))]


def _forms(secret: str | np.ndarray) -> Iterator[bytes]:
    if isinstance(secret, str):
        yield from _texts(secret)
        return
    for number in secret.reshape(-1):
        yield f"{abs(number):.17g}"[:9].encode()
        yield from (np.array(number, kind).tobytes() for kind in ("<f8", ">f8", "<f4", ">f4"))
        yield np.array(number, "<f8").tobytes().hex().encode()
    yield from _base64(secret.tobytes())


def _texts(secret: str) -> Iterable[bytes]:
    plain = secret.encode()
    return (plain, secret.encode("utf-16-le"), secret.encode("utf-16-be"), plain.hex().encode(), *_base64(plain))


def _base64(plain: bytes) -> list[bytes]:
    """The base64 of `plain` at each of the three offsets, without the ends that depend on what is around."""
    return [base64.b64encode(b"\0" * offset + plain)[4:-4] for offset in range(3)] if len(plain) >= 15 else []
