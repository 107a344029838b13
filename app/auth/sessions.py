"""Server-side sessions: a random token in the cookie, a row in the database, both new at each log-in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Update, bindparam, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.auth.identity import Identity
from app.auth.models import AccessToken, User, UserSession
from app.config import Settings
from app.database import UtcDateTime, read_connection
from app.extensions import db

TOUCH_INTERVAL = timedelta(minutes=5)
_log = structlog.get_logger("timetracker.sessions")
_SWEEP = delete(UserSession).where(UserSession.expires_at < bindparam("now", type_=UtcDateTime()))


class SessionCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, named and secured by the scheme of the request (OWASP ASVS 5.0, 3.3.1)."""

    _serializer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Flask's own, made once instead of twice a request: the secret key does not change while a process runs."""
        if self._serializer is None:
            self._serializer = super().get_signing_serializer(app)
        return self._serializer

    def get_cookie_name(self, app: Flask) -> str:
        """``__Host-`` binds the cookie to this host over TLS; plain HTTP cannot use it."""
        name = super().get_cookie_name(app)
        return f"__Host-{name}" if request.is_secure else name

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - Flask's signature
        """Secure exactly where the request came over TLS."""
        return request.is_secure

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        """``/``, which ``__Host-`` asks for."""
        return "/"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session of one's own, as the account page lists it."""

    id: int
    client: str
    address: str
    created_at: datetime
    last_seen_at: datetime

    @property
    def device(self) -> str:
        """Browser and system in two words, as far as the user agent tells them; for people, never for a decision."""
        browser = next((name for mark, name in _BROWSERS if mark in self.client), "")
        system = next((name for mark, name in _SYSTEMS if mark in self.client), "")
        return " · ".join(filter(None, (browser, system)))


# In this order: each browser also names those that it wants to be taken for.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def end_session(session: Session, identity: Identity) -> None:
    """Delete the row of the session that ``identity`` acts in: a copy of its cookie is worth nothing from then on."""
    session.execute(delete(UserSession).where(UserSession.id == identity.session_id))


def end_sessions_of(session: Session, user_ids: Sequence[int], *, but: int | None = None) -> None:
    """Delete every session of the users, but the one with the id ``but``."""
    query = delete(UserSession).where(UserSession.user_id.in_(user_ids))
    session.execute(query if but is None else query.where(UserSession.id != but))


def open_sessions(user_id: int, now: datetime, settings: Settings) -> tuple[OpenSession, ...]:
    """The sessions of a user that are still open, the latest first."""
    query = (
        select(
            UserSession.id,
            UserSession.client,
            UserSession.address,
            UserSession.created_at,
            UserSession.last_seen_at,
        )
        .where(
            UserSession.user_id == user_id,
            UserSession.expires_at > now,
            UserSession.last_seen_at > now - timedelta(minutes=settings.session_idle_minutes),
        )
        .order_by(UserSession.last_seen_at.desc(), UserSession.id.desc())
    )
    with read_connection() as connection:
        return tuple(OpenSession(*row) for row in connection.execute(query))


def touch_after_answer(response: Response, identity: Identity, now: datetime) -> None:
    """Write when the user was last seen, and the token last used, every five minutes at most, after the answer.

    The first page after a log-in counts, if the user has not been seen in another session just before.

    The rows of sessions that have ended by themselves are swept out then, where nobody waits for it.

    Should the database be locked just then, the next request tries again; the person notices nothing.
    """
    seen, used = identity.last_seen_at, identity.credential_seen_at
    if seen is not None and used is not None and now - min(seen, used) < TOUCH_INTERVAL:
        return
    engine = db.engine

    def touch() -> None:
        try:
            with engine.begin() as connection:
                connection.execute(_touched(identity, now))
                connection.execute(update(User).where(User.id == identity.user_id).values(last_seen_at=now))
                connection.execute(_SWEEP, {"now": now})
        except SQLAlchemyError:
            _log.warning("last seen was not written", exc_info=True)

    response.call_on_close(touch)


def _touched(identity: Identity, now: datetime) -> Update:
    if identity.token_id is not None:
        return update(AccessToken).where(AccessToken.id == identity.token_id).values(last_used_at=now)
    return update(UserSession).where(UserSession.id == identity.session_id).values(last_seen_at=now)
