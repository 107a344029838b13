"""Who is asking: session or token, user, seat count and license revision, in one statement (design section 7)."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, g
from flask_login import AnonymousUserMixin, UserMixin, current_user
from sqlalchemy import Row, bindparam, func, or_, select

from app import clock
from app.auth import bearer
from app.auth.models import AccessToken, User, UserPermission, UserSession
from app.config import Settings
from app.database import UtcDateTime, read_connection
from app.extensions import login_manager
from app.license.models import SeatCount
from app.security import SYSTEM_ADMINISTRATOR, Credential
from app.settings.models import Installation
from app.settings.state import INSTALLATION_JOIN, SEAT_COUNT_JOIN, STATE_COLUMNS, state_from_row

_FIRST_OF_EAST_ASIAN_SCRIPTS = "\u2e80"


@dataclass(frozen=True, slots=True)
class Identity(UserMixin):
    """A user who is logged in or whose token was brought, as the gate read it.

    It is no ORM entity, so nothing is loaded behind its back.
    """

    user_id: int
    login: str
    name: str
    email: str | None
    language: str | None
    time_zone: str | None
    theme: str
    permissions: frozenset[str]
    session_id: int | None
    """None where a token was brought."""
    credential_seen_at: datetime | None
    """When session or token was last used before, in UTC; None of a token that is used for the first time."""
    last_seen_at: datetime | None
    """In whatever session, in UTC; None of somebody who has not asked for a page yet."""
    token: str = field(repr=False)
    """The session's; empty where a token was brought."""
    credential: Credential = Credential.SESSION
    token_id: int | None = None
    """The row of the token that was brought."""
    scopes: frozenset[str] = frozenset()
    """What the personal token that was brought may be used for."""

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the session's opaque token."""
        return self.token

    @property
    def is_system_administrator(self) -> bool:
        """Whether the user holds the System Administrator privilege."""
        return SYSTEM_ADMINISTRATOR in self.permissions

    def holds(self, permission: str) -> bool:
        """Whether the user holds ``permission``; system administrators, who grant them, hold every one."""
        return self.is_system_administrator or permission in self.permissions

    @property
    def initials(self) -> str:
        """Up to two letters for the avatar; of a name in Chinese characters or kana the first one."""
        words = self.name.split()
        if not words:
            return "?"
        spelled = len(words) > 1 and words[0][0] < _FIRST_OF_EAST_ASIAN_SCRIPTS
        return (words[0][0] + (words[-1][0] if spelled else "")).upper()


def current_identity() -> Identity | None:
    """Who is logged in with this request, None for nobody; read on the first call, and kept for the request."""
    if not current_user.is_authenticated:
        return None
    identity: Identity = g.identity
    return identity


def token_hash(token: str) -> bytes:
    """SHA-256 of a session token; the token has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


_PERSON = (
    User.id.label("user_id"),
    User.login,
    User.name,
    User.email,
    User.language,
    User.time_zone,
    User.theme,
    User.last_seen_at,
    select(func.aggregate_strings(UserPermission.permission, ","))
    .where(UserPermission.user_id == User.id)
    .scalar_subquery()
    .label("permissions"),
    *STATE_COLUMNS,
)
_VISITOR = (
    select(UserSession.id.label("session_id"), UserSession.last_seen_at.label("credential_seen_at"), *_PERSON)
    .join_from(UserSession, User, UserSession.user_id == User.id)
    .join(Installation, INSTALLATION_JOIN)
    .join(SeatCount, SEAT_COUNT_JOIN)
    .where(
        UserSession.token_hash == bindparam("token_hash"),
        UserSession.expires_at > bindparam("now", type_=UtcDateTime()),
        UserSession.last_seen_at > bindparam("idle_since", type_=UtcDateTime()),
        User.deleted_at.is_(None),
    )
)
_BEARER = (
    select(
        AccessToken.id.label("token_id"),
        AccessToken.last_used_at.label("credential_seen_at"),
        AccessToken.scopes,
        *_PERSON,
    )
    .join_from(AccessToken, User, AccessToken.user_id == User.id)
    .join(Installation, INSTALLATION_JOIN)
    .join(SeatCount, SEAT_COUNT_JOIN)
    .where(
        AccessToken.token_hash == bindparam("token_hash"),
        AccessToken.kind == bindparam("kind"),
        or_(AccessToken.expires_at.is_(None), AccessToken.expires_at > bindparam("now", type_=UtcDateTime())),
        User.deleted_at.is_(None),
    )
)


def forget_session() -> None:
    """Let nobody be logged in for this request, whatever cookie it brings: its endpoint takes tokens or nobody."""
    g._login_user = AnonymousUserMixin()  # noqa: SLF001 - where Flask-Login keeps who is logged in


def load_bearer(credential: Credential) -> Identity | None:
    """Read whose token of this kind the request brings, who is logged in for it from then on.

    None where it brings none, or one that has ended or expired. A session that the request brings too is not looked at.
    """
    forget_session()
    token_hash_ = bearer.brought_hash(credential)
    if token_hash_ is None:
        return None
    parameters = {"token_hash": token_hash_, "kind": credential.value, "now": clock.now()}
    with read_connection() as connection:
        row = connection.execute(_BEARER, parameters).one_or_none()
    if row is None:
        return None
    scopes = frozenset(row.scopes.split())
    identity = _identity(row, credential=credential, token_id=row.token_id, scopes=scopes)
    g._login_user = identity  # noqa: SLF001 - as in forget_session
    return identity


@login_manager.user_loader
def load_identity(token: str) -> Identity | None:
    """Read who holds the session token ``token``; None where the session has ended.

    Called by Flask-Login at most once a request, and never for a visitor without a session cookie.
    """
    settings: Settings = current_app.extensions["settings"]
    now = clock.now()
    parameters = {
        "token_hash": token_hash(token),
        "now": now,
        "idle_since": now - timedelta(minutes=settings.session_idle_minutes),
    }
    with read_connection() as connection:
        row = connection.execute(_VISITOR, parameters).one_or_none()
    if row is None:
        return None
    return _identity(row, session_id=row.session_id, token=token)


def _identity(row: Row[*tuple[Any, ...]], *, session_id: int | None = None, token: str = "", **more: Any) -> Identity:
    """The identity of a row that holds ``_PERSON``, which this request's from then on is."""
    g.installation_state = state_from_row(row)
    identity = Identity(
        user_id=row.user_id,
        login=row.login,
        name=row.name,
        email=row.email,
        language=row.language,
        time_zone=row.time_zone,
        theme=row.theme,
        permissions=frozenset(row.permissions.split(",")) if row.permissions else frozenset(),
        session_id=session_id,
        credential_seen_at=row.credential_seen_at,
        last_seen_at=row.last_seen_at,
        token=token,
        **more,
    )
    g.identity = identity
    return identity
