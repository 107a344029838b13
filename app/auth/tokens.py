"""The life of tokens: made, listed, ended. They end with the password and with the user, as sessions do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app import clock
from app.audit import Event, record
from app.auth import reasons
from app.auth.bearer import new_token
from app.auth.models import AccessToken, User
from app.database import read_connection
from app.refusal import Refusal
from app.security import Credential

NAME_LENGTH = 100


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


def issue_device_token(session: Session, user_id: int, name: str) -> str:
    """Make a token for a desktop application of this user, in a transaction of ``write_transaction``.

    It holds until somebody ends it, the password is changed or the user is deleted. The audit log says that the user
    did it.

    Args:
        session: the write transaction.
        user_id: of whoever has confirmed the device.
        name: what the device is called, of 1 to 100 printable characters.

    Returns:
        The token. It can be read here and never again.

    Raises:
        Refusal: ``token_name_invalid``, or ``user_unknown`` where the user has been deleted.
    """
    name = require_token_name(name)
    user = session.get(User, user_id, with_for_update=True)
    if user is None or user.deleted_at is not None:
        raise Refusal(reasons.USER_UNKNOWN, login=user.login if user is not None else "")
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
