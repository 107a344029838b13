"""The life of tokens: made, listed, ended. They end with the password and with the user, as sessions do."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app import clock
from app.audit import Event, record
from app.auth import reasons
from app.auth.acting import administrator_transaction, lock_open_session, own_transaction
from app.auth.bearer import new_token
from app.auth.identity import Identity
from app.auth.models import AccessToken, User
from app.database import read_connection
from app.refusal import Refusal
from app.security import Credential, Scope

NAME_LENGTH = 100


MOST_TOKENS = 20
"""How many personal tokens somebody may have at once."""
LIFETIMES = (30, 90, 365)
"""For how many days a personal token can be made."""


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token that somebody has made for a program; never its text."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    """In UTC, to five minutes."""


@dataclass(frozen=True, slots=True)
class Device:
    """A desktop application that is paired with somebody."""

    id: int
    name: str
    paired_at: datetime
    last_used_at: datetime | None
    """In UTC, to five minutes; None of one that has not asked for anything yet."""


def require_token_name(name: str) -> str:
    """The name without the space around it.

    Raises:
        Refusal: ``token_name_invalid``.
    """
    name = name.strip()
    if not (1 <= len(name) <= NAME_LENGTH) or not name.isprintable():
        raise Refusal(reasons.TOKEN_NAME_INVALID, field="name")
    return name


def make_personal_token(identity: Identity, name: str, scopes: Collection[str], days: int) -> str:
    """Make a token for a program of one's own; those of one's own that have expired are removed.

    Args:
        identity: whoever is logged in.
        name: what it is for.
        scopes: what it may be used for.
        days: for how long it holds, one of ``LIFETIMES``.

    Returns:
        The token. It can be read here and never again.

    Raises:
        Refusal: ``token_name_invalid``, ``token_without_scope``, ``token_lifetime_invalid``, ``too_many_tokens``,
            ``session_ended``.
    """
    name = require_token_name(name)
    if not scopes or not set(scopes) <= set(Scope):
        raise Refusal(reasons.TOKEN_WITHOUT_SCOPE, field="scopes")
    if days not in LIFETIMES:
        raise Refusal(reasons.TOKEN_LIFETIME_INVALID, field="days")
    now = clock.now()
    token = new_token(Credential.API_TOKEN)
    with own_transaction(identity) as (session, user):
        mine = _of(user.id, Credential.API_TOKEN)
        session.execute(delete(AccessToken).where(*mine, AccessToken.expires_at <= now))
        if session.execute(select(func.count()).select_from(AccessToken).where(*mine)).scalar_one() >= MOST_TOKENS:
            raise Refusal(reasons.TOO_MANY_TOKENS, limit=MOST_TOKENS)
        session.add(
            AccessToken(
                token_hash=token.hash,
                user_id=user.id,
                kind=Credential.API_TOKEN.value,
                name=name,
                scopes=" ".join(scope for scope in Scope if scope in scopes),
                created_at=now,
                expires_at=now + timedelta(days=days),
            )
        )
        after = {"name": name, "scopes": sorted(scopes), "days": days}
        record(session, Event("token.make", target=user.login, after=after))
    return token.text


def personal_tokens(user_id: int) -> tuple[PersonalToken, ...]:
    """The personal tokens of a user, expired ones included, the latest first."""
    columns = (
        AccessToken.id,
        AccessToken.name,
        AccessToken.scopes,
        AccessToken.created_at,
        AccessToken.expires_at,
        AccessToken.last_used_at,
    )
    query = select(*columns).where(*_of(user_id, Credential.API_TOKEN), AccessToken.expires_at.is_not(None))
    with read_connection() as connection:
        return tuple(
            PersonalToken(row.id, row.name, tuple(row.scopes.split()), row.created_at, row.expires_at, row.last_used_at)
            for row in connection.execute(query.order_by(*_LATEST_FIRST))
        )


def end_own_token(identity: Identity, token_id: int) -> bool:
    """End one personal token of one's own; returns whether there was such a one.

    Raises:
        Refusal: ``session_ended``.
    """
    with own_transaction(identity) as (session, user):
        return _end(session, user.id, token_id, Credential.API_TOKEN, "token.end")


def end_token_of_user(user_id: int, token_id: int) -> bool:
    """End one personal token of somebody, as a system administrator; returns whether there was such a one.

    Raises:
        Refusal: ``session_ended`` or ``no_longer_administrator``.
    """
    with administrator_transaction() as (session, _):
        return _end(session, user_id, token_id, Credential.API_TOKEN, "token.end")


def password_seal(session: Session, identity: Identity) -> bytes:
    """What stands for the password of whoever is logged in while they confirm what is made only later.

    It is 32 bytes, and others as soon as a password is set, be it the same one.

    Raises:
        Refusal: ``session_ended``, where it has ended since the request began.
    """
    return _seal(lock_open_session(session, identity))


def _seal(user: User) -> bytes:
    return hashlib.sha256((user.password_hash or "").encode()).digest()


def issue_device_token(session: Session, user_id: int, name: str, *, seal: bytes | None = None) -> str:
    """Make a token for a desktop application of this user, in a transaction of ``write_transaction``.

    It holds until somebody ends it, the password is changed or the user is deleted. The audit log says that the user
    did it.

    Args:
        session: the write transaction.
        user_id: of whoever has confirmed the device.
        name: what the device is called, of 1 to 100 printable characters.
        seal: ``password_seal`` as it was when the user confirmed the device; None where that was in this transaction.

    Returns:
        The token. It can be read here and never again.

    Raises:
        Refusal: ``token_name_invalid``; ``user_unknown`` where the user has been deleted; ``session_ended`` where a
            password was set after the device was confirmed.
    """
    name = require_token_name(name)
    user = session.get(User, user_id, with_for_update=True)
    if user is None or user.deleted_at is not None:
        raise Refusal(reasons.USER_UNKNOWN, login=user.login if user is not None else "")
    if seal is not None and seal != _seal(user):
        raise Refusal(reasons.SESSION_ENDED)
    token = new_token(Credential.DEVICE_TOKEN)
    session.add(
        AccessToken(
            token_hash=token.hash,
            user_id=user.id,
            kind=Credential.DEVICE_TOKEN.value,
            name=name,
            scopes="",
            created_at=clock.now(),
        )
    )
    record(session, Event("device.pair", target=user.login, after={"name": name}, actor=user.login))
    return token.text


def devices_of(user_id: int) -> tuple[Device, ...]:
    """The desktop applications that are paired with this user, the latest first."""
    columns = (AccessToken.id, AccessToken.name, AccessToken.created_at, AccessToken.last_used_at)
    query = select(*columns).where(*_of(user_id, Credential.DEVICE_TOKEN)).order_by(*_LATEST_FIRST)
    with read_connection() as connection:
        return tuple(Device(*row) for row in connection.execute(query))


def end_device(session: Session, user_id: int, device_id: int) -> bool:
    """End the token of one desktop application of this user; returns whether there was such a one.

    The audit log says that whoever is logged in did it.
    """
    return _end(session, user_id, device_id, Credential.DEVICE_TOKEN, "device.end")


def end_tokens_of(session: Session, user_ids: Sequence[int]) -> None:
    """Delete every token of the users, personal ones and those of devices."""
    session.execute(delete(AccessToken).where(AccessToken.user_id.in_(user_ids)))


_LATEST_FIRST = (AccessToken.created_at.desc(), AccessToken.id.desc())


def _of(user_id: int, credential: Credential) -> tuple[ColumnElement[bool], ...]:
    return AccessToken.user_id == user_id, AccessToken.kind == credential.value


def _end(session: Session, user_id: int, token_id: int, credential: Credential, action: str) -> bool:
    ended = session.execute(
        delete(AccessToken).where(AccessToken.id == token_id, *_of(user_id, credential)).returning(AccessToken.name)
    ).scalar_one_or_none()
    if ended is None:
        return False
    login = session.execute(select(User.login).where(User.id == user_id)).scalar_one()
    record(session, Event(action, target=login, before={"name": ended}))
    return True
