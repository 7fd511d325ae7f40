"""`python -m grader.worker`: the process that a sandbox backend starts."""

from __future__ import annotations

import json
import sys

from grader.worker import prepare


def main() -> None:
    """Takes one JSON argument with the limits, warms up, then serves until its input ends."""
    options = json.loads(sys.argv[1])
    prepare.lower_limits(options.get("rlimits", {}))
    receive, send = prepare.private_descriptors()
    prepare.warm_up(gpu=options.get("gpu") is True)

    from grader.worker.server import Server

    Server(receive, send, options).run()


if __name__ == "__main__":
    main()
