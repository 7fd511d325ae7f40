"""The page itself: the queue, one item at a time, and what a reviewer does there. Every change ends with a redirect."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import Flask, abort, redirect, render_template, request, session, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from grader.errors import GraderError, UsageError
from grader.review.decisions import checked_reviewer
from grader.review.table import number
from grader.review.web.acts import Acts, Outcome, Who
from grader.review.web.guard import form_token, install
from grader.review.web.items import DONE, EMPTY, OPEN, REVIEW, STATES, Choice, Item, neighbour, next_open
from grader.review.web.rubrics import Rubrics
from grader.review.web.sheet import heading_of, reasons_of, sheet_of
from grader.review.web.shelf import Shelf
from grader.review.web.words import words_of

_SHOWN: Final = 300
"""Rows of the queue on one page; the filter finds the others."""
_MAX_FORM: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What is reviewed, and with what."""

    out: Path
    tasks_dir: Path
    lang: str = "en"
    reviewer: str = ""
    """"" asks in the page."""


def make_app(sources: Sources, shelf: Shelf, token: str) -> Flask:
    """The application; who knows the token may use it."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=secrets.token_bytes(32),  # sessions end with the server
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=_MAX_FORM,
        TRAP_BAD_REQUEST_ERRORS=False,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["number"] = number
    install(app, token)
    views = _Views(sources, shelf)
    app.context_processor(views.context)
    app.add_url_rule("/", "queue", views.queue)
    app.add_url_rule("/item/<submission>/<task>/<name>", "item", views.item)
    app.add_url_rule("/item/<submission>/<task>/<name>", "decide", views.decide, methods=["POST"])
    app.add_url_rule("/undo", "undo", views.undo, methods=["POST"])
    app.add_url_rule("/settings", "settings", views.settings, methods=["POST"])
    app.register_error_handler(HTTPException, views.refused)
    app.register_error_handler(GraderError, views.trouble)
    return app


class _Views:
    """The views of one application; what they share is the shelf, and what each browser decided."""

    def __init__(self, sources: Sources, shelf: Shelf) -> None:
        self._sources = sources
        self._shelf = shelf
        self._acts = Acts()
        self._rubrics = Rubrics(sources.tasks_dir)

    def context(self) -> dict[str, object]:
        """What every page needs."""
        known = "form" in session
        return {
            "lang": self._lang,
            "w": words_of(self._lang),
            "form_token": form_token() if known else "",
            "reviewer": self._reviewer if known else "",
            "undoable": self._acts.undoable(session["browser"]) if known else 0,
            "message": session.pop("message", "") if known and request.method == "GET" else "",
            "here": request.full_path if request.method == "GET" else url_for("queue"),
        }

    def queue(self) -> str:
        """All items that the filter takes, those that need a person first."""
        items, choice = self._shelf.items(), _choice()
        shown = [item for item in items if choice.takes(item)]
        groups = [
            (state, [item for item in shown if item.state == state][:_SHOWN], sum(i.state == state for i in shown))
            for state in (REVIEW, OPEN, DONE, EMPTY)
        ]
        return render_template(
            "queue.html",
            groups=[group for group in groups if group[2]],
            choice=choice,
            candidates={item.result.id: item.candidate for item in sorted(items, key=lambda item: item.result.id)},
            questions=self._questions(items),
            states=STATES,
            needed=_progress(items),
            heading=lambda item: heading_of(item, self._lang),
            reasons=lambda item: reasons_of(item, self._lang),
        )

    def item(self, submission: str, task: str, name: str) -> str:
        """One answer or criterion."""
        return self._page(self._found(submission, task, name))

    def decide(self, submission: str, task: str, name: str) -> Response | tuple[str, int]:
        """What a reviewer decided there."""
        item = self._found(submission, task, name)
        outcome = self._acts.decide(item, request.form, self._who, self._lang)
        if not outcome.problem:
            return self._after(item, outcome)
        return self._page(self._found(submission, task, name), outcome), outcome.status

    def undo(self) -> Response:
        """Takes back the last decision of this browser."""
        outcome = self._acts.undo(self._shelf, self._who, self._lang)
        session["message"] = outcome.message or outcome.problem
        if outcome.key is None:
            return redirect(url_for("queue", **_choice().query), 303)
        submission, task, name = outcome.key
        where = url_for("item", submission=submission, task=task, name=name, **_choice().query)
        return redirect(f"{where}#p{outcome.row}", 303)

    def settings(self) -> Response:
        """The reviewer's name, and the language."""
        if request.form.get("lang") in ("en", "zh"):
            session["lang"] = request.form["lang"]
        if "reviewer" in request.form:
            session["reviewer"] = checked_reviewer(request.form["reviewer"])
            session["message"] = words_of(self._lang)["hello"].format(session["reviewer"])
        here = request.form.get("here", "/")
        local = here.startswith("/") and not here.startswith(("//", "/\\"))
        return redirect(here if local else url_for("queue"), 303)

    def refused(self, error: HTTPException) -> tuple[str, int]:
        """A request that is not for us: why, in words, and nothing of what is reviewed."""
        code = error.code or 500
        return render_template("door.html", code=code, name=error.name), code

    def trouble(self, error: GraderError) -> tuple[str, int]:
        """Results that cannot be read, a name that is none: one line, as on the command line."""
        return render_template("trouble.html", problem=str(error)), 400 if isinstance(error, UsageError) else 500

    def _page(self, item: Item, outcome: Outcome | None = None) -> str:
        choice = _choice()
        items = [other for other in self._shelf.items() if choice.takes(other)]
        keys = [other.key for other in items]
        return render_template(
            "item.html",
            sheet=sheet_of(item, self._rubrics, self._lang),
            item=item,
            choice=choice,
            previous=neighbour(items, item, -1),
            next=neighbour(items, item, 1),
            position=keys.index(item.key) + 1 if item.key in keys else 0,
            count=len(items),
            outcome=outcome,
        )

    def _after(self, item: Item, outcome: Outcome) -> Response:
        """The next place without a decision: of this item, or of the next one that has some."""
        session["message"] = outcome.message
        current, choice = self._shelf.item(item.key), _choice()
        rows = list(current.rows.values()) if current else []
        later = [index for index, row in enumerate(rows, start=1) if not row.get("human")]
        row = next((index for index in later if index > outcome.row), later[0] if later else 0)
        if outcome.stays:
            row = outcome.row
        if current and row:
            return redirect(f"{_address(current, choice)}#p{row}", 303)
        following = next_open([other for other in self._shelf.items() if choice.takes(other)], item)
        if following is None:
            session["message"] = f"{outcome.message} {words_of(self._lang)['finished']}"
            return redirect(url_for("queue", **choice.query), 303)
        return redirect(_address(following, choice), 303)

    def _found(self, submission: str, task: str, name: str) -> Item:
        found = self._shelf.item((submission, task, name))
        return found if found is not None else abort(404)

    def _questions(self, items: list[Item]) -> dict[str, str]:
        """The questions and criteria to choose from, by `task/name`."""
        rows = {"/".join(item.key[1:]): item for item in items}
        return {name: f"{name}  {heading_of(rows[name], self._lang)}" for name in sorted(rows)}

    @property
    def _lang(self) -> str:
        return str(session.get("lang", self._sources.lang))

    @property
    def _who(self) -> Who:
        return Who(name=self._reviewer, browser=session["browser"])

    @property
    def _reviewer(self) -> str:
        return str(session.get("reviewer", self._sources.reviewer))


def _choice() -> Choice:
    """The filter of the address; an unknown state is none."""
    state = request.args.get("state", "all")
    return Choice(
        candidate=request.args.get("candidate", ""),
        question=request.args.get("question", ""),
        state=state if state in STATES else "all",
    )


def _address(item: Item, choice: Choice) -> str:
    submission, task, name = item.key
    return url_for("item", submission=submission, task=task, name=name, **choice.query)


def _progress(items: list[Item]) -> dict[str, int]:
    """How many need a person, how many of them are done, and how many others somebody decided."""
    needed = [item for item in items if item.needed]
    others = sum(item.state == DONE for item in items if not item.needed)
    return {"all": len(needed), "done": sum(item.state == DONE for item in needed), "others": others}
