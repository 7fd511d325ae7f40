"""Mutants are patches: small named faults in a correct solution, applied here without any tolerance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import whatthepatch

from grader.errors import TaskBroken


def apply_patch(files: Mapping[str, bytes], patch: Path) -> dict[str, bytes]:
    """`files` with the unified diff in `patch` applied. Raises TaskBroken where a line of it does not fit."""
    result = dict(files)
    try:
        diffs = list(whatthepatch.parse_patch(patch.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise TaskBroken(f"cannot read the patch {patch}: {error}") from error
    if not diffs:
        raise TaskBroken(f"{patch} holds no unified diff")
    for diff in diffs:
        name = diff.header.new_path.removeprefix("b/") if diff.header else ""
        if name not in result:
            raise TaskBroken(f"{patch} changes {name or 'no file'}, which the base does not have")
        try:
            lines = whatthepatch.apply_diff(diff, result[name].decode().splitlines())
        except whatthepatch.exceptions.HunkException as error:
            raise TaskBroken(f"{patch} does not fit {name}: {error}", hint="make the patch again") from error
        result[name] = ("\n".join(lines) + "\n").encode()
    return result
