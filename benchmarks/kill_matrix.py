"""Writes the kill matrix of `grader tasks validate -o FILE` as Markdown: what each mutant lost, and what was named.

    grader tasks validate -o out/validation.json
    python -m benchmarks.kill_matrix out/validation.json > docs/validity.md

A cell is what a criterion earned of its points, empty where it kept them all.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGE = """# Validity: what every case of a task got

Made by `python -m benchmarks.kill_matrix` from what `grader tasks validate -o FILE` wrote, in containers; do not
edit. A cell is what a criterion earned of its points, empty where it kept them all. *named as*: the likely slips that
the report names, with their confidence. Where the lines of each task come from, how far correct solutions stay from
them and how often chance may cost a point: [CNN](thresholds.md), [Transformer](validity-transformer.md),
[GAN](validity-gan.md)."""

KINDS = {"reference": "Correct solutions", "mutant": "Mutants", "sample": "Samples"}


def table(cases: list[dict[str, Any]]) -> Iterator[str]:
    """The lines of one task's tables."""
    for kind, title in KINDS.items():
        kinds = ("reference", "style") if kind == "reference" else (kind,)
        rows = [case for case in cases if case["kind"] in kinds and case["criteria"]]
        if not rows:
            continue
        names = list(rows[0]["criteria"])
        yield from ("", f"### {title} ({len(rows)})", "")
        yield "| " + " | ".join(["name", "percent", *names, "named as", "CPU s"]) + " |"
        yield "|---" * (len(names) + 4) + "|"
        yield from (line(case, names) for case in rows)


def line(case: dict[str, Any], names: list[str]) -> str:
    """One row."""
    cells = [f"{e:g}/{p:g}" if e < p else "" for e, p in (case["criteria"][name] for name in names)]
    named = ", ".join(f"{bug} {confidence:.0%}" for bug, confidence in case["diagnosis"].items())
    return "| " + " | ".join([case["name"], f"{case['percent']:g}", *cells, named, f"{case['cpu_s']:.1f}"]) + " |"


def main(arguments: list[str]) -> int:
    """See the module."""
    cases = [case for path in arguments for case in json.loads(Path(path).read_text(encoding="utf-8"))["cases"]]
    print(PAGE)
    for task in dict.fromkeys(case["task"] for case in cases):
        mine = [case for case in cases if case["task"] == task]
        proven = sum(case["proven"] for case in mine)
        print(f"\n## {task}\n\n{proven} of {len(mine)} cases as declared.")
        print("\n".join(table(mine)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
