"""Who may ask: the browser that was given the address, and no page of another site in it.

* The server listens on the loopback interface only. Other users of the machine can reach that too, so the address
  holds a random token; it is exchanged once for a cookie, and leaves the address bar by that.
* A name of somebody else's that resolves to this machine (DNS rebinding) is refused by the Host header.
* Another site cannot read (no CORS headers, cross-origin policies) nor write (SameSite cookie, Origin, a form token).
* Pages run nothing but our own two files: what a candidate wrote is text.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

HOSTS: Final = ("127.0.0.1", "localhost")
"""Whatever the port: a tunnel from another machine has a port of its own."""
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # "no-referrer" would make browsers send "Origin: null" with our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


def install(app: Flask, token: str) -> None:
    """Puts the guard before every view of `app`."""
    app.before_request(lambda: _admit(token))
    app.after_request(_with_headers)


def form_token() -> str:
    """To put into each form; bound to the browser's session."""
    return str(session["form"])


def _admit(token: str) -> AnyResponse | None:
    """Lets the request through, exchanges the token of the address for a cookie, or ends the request."""
    if _host(request.host) not in HOSTS:
        abort(421)
    if request.endpoint == "static":
        return None  # a style sheet and a script that are the same for everybody
    if request.method == "GET" and _same(request.args.get("token", ""), token):
        return _welcome()
    if "form" not in session:
        abort(403)
    if request.method not in ("GET", "HEAD"):
        _admit_change()
    return None


def _welcome() -> AnyResponse:
    """Begins a session, or goes on with the one that this browser has."""
    if "form" not in session:
        session["form"], session["browser"] = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    return redirect(url_for("queue"), 303)


def _admit_change() -> None:
    """Ends the request unless it is from a form of ours."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403)
    if not _same(request.form.get("form", ""), form_token()):
        abort(403)


def _host(host: str) -> str:
    return urlsplit(f"//{host}").hostname or ""


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _with_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response
