"""A review page for tests: stored results with answers, the application's client, and forms as a browser sends them."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grader.reports.as_json import read_report, write_report
from grader.review.web.app import Sources, make_app
from grader.review.web.shelf import Shelf
from tests.review.samples import store

TOKEN = "t" * 43
Q02 = "/item/{}/written/q02"
ANSWER = "First we clip the norm.\nThen <b>we</b> wait."
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> clip the norm {{ 4321*4321 }} javascript:alert(3)"
NO_TASKS = Path("no", "tasks")
TASKS = Path(__file__).resolve().parent.parent.parent / "tasks"


def stored(out: Path, *names: str, answer: str = ANSWER) -> Path:
    """Results of those submissions, whose answers hold the evidence; gives the folder."""
    for name in names:
        path = out / name / "report.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_report(name, answer))
    return out


@cache
def _report(name: str, answer: str) -> bytes:
    """The bytes of a stored report: checking them against the schema takes longer than most tests here."""
    with tempfile.TemporaryDirectory() as folder:
        path = store(Path(folder), name)
        with_answer(path, answer)
        return path.read_bytes()


def with_answer(path: Path, answer: str) -> None:
    """Puts the text into every answer of a stored report."""
    report = read_report(path)
    tasks = tuple(
        replace(task, questions=tuple(replace(row, answer=answer) for row in task.questions)) for task in report.tasks
    )
    write_report(replace(report, tasks=tasks), path)


@dataclass
class Browser:
    """A client of one application with cookies of its own."""

    client: FlaskClient

    def get(self, address: str, **options: Any) -> str:
        """A page, which must be there."""
        response = self.client.get(address, **options)
        text = response.text
        response.close()  # a static file stays open otherwise
        assert response.status_code == 200, response.status
        return text

    def form(self, address: str = "/") -> dict[str, str]:
        """The hidden fields of a page's forms."""
        text = self.get(address)
        return {name: field(text, name) for name in ("form", "run", "seen") if f'name="{name}"' in text}

    def post(self, address: str, fields: dict[str, str] | None = None, **values: str) -> TestResponse:
        """A form of the page at `address` with those values; `fields` are those of an earlier look at it."""
        data = (self.form(address) if fields is None else fields) | values
        return self.client.post(address, data=data)

    def give(
        self, address: str, row: int, points: str, reason: str, fields: dict[str, str] | None = None
    ) -> TestResponse:
        """Points for a row."""
        return self.post(address, fields, act="give", row=str(row), points=points, reason=reason)

    def after(self, response: TestResponse) -> str:
        """The page that a form leads to."""
        assert response.status_code == 303, (response.status, response.text[-2000:])
        return self.get(response.headers["Location"])


def field(text: str, name: str) -> str:
    """The value of the first hidden field of that name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, f"no field {name}"
    return unescape(found.group(1))


@dataclass
class Site:
    """An application over a folder of results."""

    out: Path
    app: Any

    def browser(self, *, let_in: bool = True) -> Browser:
        """A new browser, which has opened the address with the token."""
        browser = Browser(self.app.test_client())
        if let_in:
            assert browser.client.get(f"/?token={TOKEN}").status_code == 303
        return browser


def site(out: Path, reviewer: str = "Bo Li", lang: str = "en", tasks_dir: Path = NO_TASKS) -> Site:
    """The application of a folder of results; without rubrics, which take a second to read."""
    app = make_app(Sources(out=out, tasks_dir=tasks_dir, lang=lang, reviewer=reviewer), Shelf(out), TOKEN)
    return Site(out, app)
