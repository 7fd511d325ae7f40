"""The results as they are on disk now: read again only where a file changed, so that a page takes milliseconds.

Other programs write here too (an import, another reviewer's page, a new grading): nothing is remembered beyond what
the files' time, size and number say.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from grader.review.record import read_review, review_path
from grader.review.results import Result, in_order, load_result, result_paths
from grader.review.web.items import Item, Key, items_of

_Signature = tuple[int, int, int] | None


class Shelf:
    """The results of a folder; safe to use from several threads."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._kept: dict[Path, tuple[_Signature, _Signature, Result]] = {}
        self._items: dict[Path, tuple[Result, list[Item]]] = {}
        self.results()

    def results(self) -> tuple[Result, ...]:
        """All results, as `find_results` would give them. Raises UsageError as it does."""
        with self._lock:
            return in_order(map(self._current, result_paths(self._out)))

    def items(self) -> list[Item]:
        """Everything that can be decided, in the order of the queue."""
        results = self.results()
        with self._lock:
            rows = [item for result in results for item in self._items_of(result)]
        return sorted(rows, key=lambda item: item.order)

    def item(self, key: Key) -> Item | None:
        """The item of that key as it is now; None where there is none any more."""
        return next((item for item in self.items() if item.key == key), None)

    def _items_of(self, result: Result) -> list[Item]:
        kept = self._items.get(result.path)
        if kept is None or kept[0] is not result:
            kept = self._items[result.path] = (result, items_of([result]))
        return kept[1]

    def _current(self, path: Path) -> Result:
        """The result of a report. Signatures are taken before reading, so that a change meanwhile is read next time."""
        report, review = _signature(path), _signature(review_path(path))
        kept = self._kept.get(path)
        if kept is None or kept[0] != report:
            result = load_result(path)
        elif kept[1] != review:
            result = replace(kept[2], review=read_review(kept[2].review_path, kept[2].id))
        else:
            return kept[2]
        self._kept[path] = (report, review, result)
        return result


def _signature(path: Path) -> _Signature:
    """Tells one version of a file from another; files of ours are renamed into place, so the number changes too."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
