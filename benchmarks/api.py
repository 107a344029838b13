"""What programs read: the hours of a week through the API, beside the page that shows the same."""

from collections.abc import Iterator
from datetime import timedelta

from flask import Flask
from sqlalchemy import insert, select

from app import clock
from app.auth.bearer import new_token
from app.auth.models import AccessToken, User
from app.database import write_transaction
from app.security import Credential, Scope
from benchmarks.ground import ENGINES, LOGIN, Call, Ground, page, session_cookie
from benchmarks.measure import Result, of_values, take_turns

TARGET = 0.9
DAYS = 90
PAGE = "/timesheet/"


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """On both engines: the entries of a week, and the week as a whole."""
    blocks, calls = (5, 10) if quick else (15, 30)
    for engine in ENGINES:
        app = ground.application_with_hours(engine, DAYS)
        token = _token(app)
        shown = page(app, PAGE, session_cookie(app))
        _expect_ok(shown)
        for name, path in _reads().items():
            read = page(app, path, token=token)
            if b'"minutes"' not in _expect_ok(read):
                raise AssertionError(f"{path} has no hours")
            pairs = take_turns(read, shown, blocks=blocks, calls=calls)
            title = f"api: {name} / the page of the week, {engine}"
            yield of_values(title, pairs.ratios, target=TARGET, note=pairs.note("api", "page"))


def _reads() -> dict[str, str]:
    today = clock.now().date()
    monday = today - timedelta(days=today.weekday())
    return {
        "entries of a week": f"/api/v1/entries?from={monday}&to={monday + timedelta(days=6)}",
        "a week with its days": f"/api/v1/weeks/{today}",
    }


def _token(app: Flask) -> str:
    """A personal token of whoever is logged in, to read hours with."""
    with app.app_context(), write_transaction() as session:
        token = new_token(Credential.API_TOKEN)
        user = select(User.id).where(User.login == LOGIN).scalar_subquery()
        row = {"kind": Credential.API_TOKEN.value, "name": "benchmark", "scopes": Scope.DATA_READ.value}
        made = {"token_hash": token.hash, "user_id": user, "created_at": clock.now(), "expires_at": None}
        session.execute(insert(AccessToken).values(**made, **row))
    return token.text


def _expect_ok(call: Call) -> bytes:
    status, body = call()
    if not status.startswith("200"):
        raise AssertionError(f"{status} {body[:500]!r}")
    return body
