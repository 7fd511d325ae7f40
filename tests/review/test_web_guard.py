"""Only the browser that was given the address gets in, and nothing that runs in another page can speak for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.review.record import review_path
from grader.review.web.guard import HOSTS
from tests.review.pages import Q02, TOKEN, Site, site, stored

PAGES = ("/", Q02.format("alice"), "/item/alice/toy/contract")


@pytest.fixture
def page(tmp_path: Path) -> Site:
    """The page over the results of one submission."""
    return site(stored(tmp_path / "out", "alice"))


@pytest.mark.parametrize("address", [*PAGES, "/nowhere", "/?token=", "/?token=wrong", f"/?token={TOKEN[:-1]}"])
def test_without_the_token_nothing_is_shown(page: Site, address: str) -> None:
    response = page.browser(let_in=False).client.get(address)
    assert response.status_code == 403
    assert "with its token" in response.text
    for secret in ("alice", "clip the norm", "contract", "title of"):
        assert secret not in response.text
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
def test_no_method_gets_around_the_token(page: Site, method: str) -> None:
    browser = page.browser(let_in=False)
    for address in (Q02.format("alice"), "/undo", "/settings", f"/?token={TOKEN}"):
        assert browser.client.open(address, method=method).status_code == 403


def test_the_token_leaves_the_address_and_the_cookie_is_for_this_site_alone(page: Site) -> None:
    browser = page.browser(let_in=False)
    response = browser.client.get(f"/?token={TOKEN}")
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Domain" not in cookie
    assert TOKEN not in browser.get("/")


def test_a_cookie_of_another_run_or_made_up_is_none(page: Site) -> None:
    browser = page.browser()
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    other = site(page.out).browser(let_in=False)
    for value in (cookie.value, "eyJmb3JtIjoieCJ9.x.y", ""):
        other.client.set_cookie("session", value)
        assert other.client.get("/").status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "10.0.0.5", "[::1]:80", "", "user@evil"],
)
def test_a_name_that_was_rebound_to_this_machine_is_refused(page: Site, host: str) -> None:
    browser = page.browser()
    response = browser.client.get("/", headers={"Host": host})
    assert response.status_code in (400, 421)
    assert "alice" not in response.text
    assert browser.client.get(f"/?token={TOKEN}", headers={"Host": host}).status_code in (400, 421)


def test_a_tunnel_with_a_port_of_its_own_works(page: Site) -> None:
    browser = page.browser()
    for host in HOSTS:
        client = page.app.test_client()
        base = f"http://{host}:9999"
        assert client.get(f"/?token={TOKEN}", base_url=base).status_code == 303
        assert client.get("/", base_url=base).status_code == 200
    assert browser.get("/")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_changes_nothing(page: Site, headers: dict[str, str]) -> None:
    browser, where = page.browser(), Q02.format("alice")
    fields = browser.form(where) | {"act": "accept", "row": "1"}
    assert browser.client.post(where, data=fields, headers=headers).status_code == 403
    assert not review_path(page.out / "alice/report.json").exists()
    right = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert browser.client.post(where, data=fields, headers=right).status_code == 303


@pytest.mark.parametrize("token", [None, "", "x", "\ud7ff" * 9])
def test_a_form_without_the_token_of_its_session_changes_nothing(page: Site, token: str | None) -> None:
    browser, other, where = page.browser(), page.browser(), Q02.format("alice")
    fields = browser.form(where) | {"act": "accept", "row": "1"}
    for value in (token, other.form(where)["form"]):
        data = {
            name: text for name, text in (fields | {"form": value or ""}).items() if name != "form" or value is not None
        }
        assert browser.client.post(where, data=data).status_code == 403
    assert not review_path(page.out / "alice/report.json").exists()


def test_every_answer_forbids_what_the_page_does_not_need(page: Site) -> None:
    browser, stranger = page.browser(), page.browser(let_in=False)
    answers = [browser.client.get(address) for address in (*PAGES, "/nowhere", "/static/review.js")]
    for response in (*answers, stranger.client.get("/")):
        response.close()
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_pages_load_nothing_from_elsewhere(page: Site) -> None:
    browser = page.browser()
    for address in PAGES:
        assert "http" not in browser.get(address).replace("http-equiv", "")
    for name in ("review.css", "review.js"):
        assert "http" not in browser.get(f"/static/{name}")
    assert browser.client.get("/static/../app.py").status_code == 404


@pytest.mark.parametrize(
    "here", ["http://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_settings_lead_nowhere_else(page: Site, here: str) -> None:
    browser = page.browser()
    response = browser.post("/settings", browser.form(), lang="en", here=here)
    assert response.headers["Location"] == "/"


def test_a_flood_is_refused(page: Site) -> None:
    browser, where = page.browser(), Q02.format("alice")
    response = browser.client.post(where, data=browser.form(where) | {"reason": "x" * 100_000})
    assert response.status_code == 413
