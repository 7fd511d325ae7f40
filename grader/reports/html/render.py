"""From a template and its data to a page that cannot do anything: all text escaped, no request ever made.

The policy lets in our own style sheet and our own script, by the hash of their bytes, and pictures that the page
holds itself. A tag, an attribute or an address that a candidate brought in would have nothing to act with.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from grader.reports.html.words import Words
from grader.text import sanitize_text

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = "grader.reports.html"
_STYLE, _SCRIPT = "page.css", "page.js"


def render(template: str, words: Words, context: Mapping[str, Any]) -> str:
    """The page of a template in the language of `words`."""
    style, script = _asset(_STYLE), _asset(_SCRIPT)
    return _environment().get_template(template).render(
        w=words,
        policy=policy(style, script),
        style=_trusted(style),
        script=_trusted(script),
        **context,
    )  # fmt: skip


def policy(style: str, script: str) -> str:
    """The content security policy of a page with this style sheet and this script, and nothing else."""
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return (files(_PACKAGE) / "assets" / name).read_text(encoding="utf-8")


def _trusted(text: str) -> str:
    """Our own file, not to be escaped. Never called with anything else."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 -- a file of this package


def _clean(value: object) -> object:
    """A text as it may be shown, whoever it comes from. Records are clean already; this holds for any other."""
    from markupsafe import Markup

    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return sanitize_text(value, len(value))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from grader.reports.html import filters

    environment = Environment(
        loader=PackageLoader(_PACKAGE, "templates"),
        autoescape=True,
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters.FILTERS)
    return environment
