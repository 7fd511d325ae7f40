"""`grader` as the console script runs it, with its own and its judges' CPU seconds written to a file at the end.

python -m benchmarks.grade_cli FILE grade SUBMISSION ...
"""

from __future__ import annotations

import atexit
import json
import resource
import sys
from pathlib import Path


def _write(target: Path) -> None:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"cli": own.ru_utime + own.ru_stime, "judge": children.ru_utime + children.ru_stime}
    target.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    atexit.register(_write, Path(sys.argv.pop(1)))
    from grader.cli import main

    main()
