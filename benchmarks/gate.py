"""What the gate costs: every request pays it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from flask import Flask, g, session
from flask_login import login_user
from sqlalchemy import bindparam, select

from app.auth.identity import Identity, token_hash
from app.auth.models import User, UserSession
from app.database import UtcDateTime, read_connection
from app.license.gate import answer_of_the_core
from app.license.policy import Standing
from app.license.service import current_standing
from app.settings.state import InstallationState, current_state
from benchmarks.ground import ENGINES, Ground, page, session_cookie
from benchmarks.measure import Result, of_values, take_turns
from benchmarks.statements import counted_statements

GATE_TARGET = 0.97
PATH = "/start/"
SMALL = 1_000


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """With and without, at a thousand users and at a million, and the statements of a request."""
    blocks, calls = (7, 30) if quick else (21, 60)
    for engine in ENGINES:
        yield from _statements(ground, engine)
        yield _with_and_without(ground, engine, blocks, calls)
        yield _large_and_small(ground, engine, blocks, calls)


def _statements(ground: Ground, engine: str) -> Iterator[Result]:
    app = ground.application(engine, SMALL)
    member, nobody = page(app, PATH, session_cookie(app)), page(app, "/login")
    for call in (member, nobody):
        _expect_ok(call())
        call()
    for name, call, target in (("authenticated", member, 1), ("anonymous", nobody, 0)):
        with counted_statements() as seen:
            _expect_ok(call())
        ours = [statement for statement in seen if "edition_" not in statement]  # besides what editions read
        if len(ours) != target:
            raise AssertionError(f"{len(ours)} statements of an {name} page: {ours}")
        yield Result(f"gate: statements, {name}, {engine}", len(ours), len(ours), len(ours), "", target, at_least=False)


def _with_and_without(ground: Ground, engine: str, blocks: int, calls: int) -> Result:
    app = ground.application(engine, SMALL)
    bare = without_gate(ground.another(app), app)
    cookie = session_cookie(app)
    gated, plain = page(app, PATH, cookie), page(bare, PATH, cookie)
    if len(_expect_ok(gated())) != len(_expect_ok(plain())):  # their tokens differ, and are of one length
        raise AssertionError("the two pages differ")
    pairs = take_turns(gated, plain, blocks=blocks, calls=calls)
    note = pairs.note("with", "without")
    return of_values(f"gate: page with gate / without, {engine}", pairs.ratios, target=GATE_TARGET, note=note)


def _large_and_small(ground: Ground, engine: str, blocks: int, calls: int) -> Result:
    large, small = ground.application(engine, ground.large), ground.application(engine, SMALL)
    of_large, of_small = (page(app, PATH, session_cookie(app)) for app in (large, small))
    _expect_ok(of_large())
    _expect_ok(of_small())
    pairs = take_turns(of_large, of_small, blocks=blocks, calls=calls)
    name = f"gate: page at {ground.large:,} users / at {SMALL:,}, {engine}"
    return of_values(name, pairs.ratios, target=GATE_TARGET, note=pairs.note("large", "small"))


def _expect_ok(answer: tuple[str, bytes]) -> bytes:
    status, body = answer
    if not status.startswith("200"):
        raise AssertionError(f"{status} {body[:500]!r}")
    return body


_PLAIN_USER = (
    select(
        UserSession.id.label("session_id"),
        UserSession.last_seen_at.label("credential_seen_at"),
        User.id.label("user_id"),
        User.login,
        User.name,
        User.email,
        User.language,
        User.time_zone,
        User.theme,
        User.last_seen_at,
    )
    .join_from(UserSession, User, UserSession.user_id == User.id)
    .where(
        UserSession.token_hash == bindparam("token_hash"),
        UserSession.expires_at > bindparam("now", type_=UtcDateTime()),
    )
)


def load_plain_user() -> None:
    """Load who is logged in as any application does that knows sessions and users, and no license."""
    token = session["_user_id"]
    parameters = {"token_hash": token_hash(token), "now": datetime.now(UTC)}
    with read_connection() as connection:
        row = connection.execute(_PLAIN_USER, parameters).mappings().one()
    g.identity = Identity(**row, permissions=frozenset(), token=token)


def without_gate(app: Flask, model: Flask) -> Flask:
    """Take the gate out of ``app`` and load the user plainly in its place.

    What pages show of installation and standing is as in ``model``, read once: the policy is a part of what is
    measured, the navigation that goes by it is not.
    """
    state, standing = _state_and_standing(model)

    def hook() -> None:
        load_plain_user()
        login_user(g.identity, force=True)
        g.installation_state = state
        g.standing = standing

    hooks = app.before_request_funcs[None]
    hooks[hooks.index(answer_of_the_core)] = hook
    return app


def _state_and_standing(app: Flask) -> tuple[InstallationState, Standing]:
    with app.test_request_context("/"):
        return replace(current_state()), current_standing()
