"""Serves the page on this machine until the reviewer ends it."""

from __future__ import annotations

import secrets
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from waitress.server import create_server

from grader.errors import UsageError
from grader.review.web.app import Sources, make_app
from grader.review.web.shelf import Shelf

HOST: Final = "127.0.0.1"
_MAX_BODY: Final = 64 * 1024
"""Of a request: a reason and some ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the page is served; port 0 takes one that is free."""

    port: int = 0
    show: bool = False
    """Open a browser there."""


def serve(sources: Sources, place: Place, say: Callable[[str], None]) -> None:
    """Serves until interrupted; `say` gets the address. Raises UsageError where results or the port are not there."""
    token = secrets.token_urlsafe(32)
    app = make_app(sources, Shelf(sources.out), token)
    try:
        server: Any = create_server(
            app, host=HOST, port=place.port, threads=4, ident=None, max_request_body_size=_MAX_BODY,
            max_request_header_size=16 * 1024, channel_timeout=60, clear_untrusted_proxy_headers=True,
        )  # fmt: skip
    except OSError as error:
        message = f"cannot listen on {HOST}:{place.port}: {error.strerror or error}"
        raise UsageError(message, hint="give another --port, or none") from error
    # Browsers do not keep cookies of two ports apart: each server's has a name of its own.
    app.config["SESSION_COOKIE_NAME"] = f"grader_review_{server.effective_port}"
    address = f"http://{HOST}:{server.effective_port}/?token={token}"
    try:
        say(address)
        if place.show:
            webbrowser.open(address)
        server.run()  # returns on Ctrl-C
    except KeyboardInterrupt:
        pass  # just before it ran, or just after
    finally:
        server.close()
