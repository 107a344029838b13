"""Who acts, and whether they still may once it is their turn.

The gate decides when a request begins. Until its transaction has the lock, another administrator may have deleted the
user, withdrawn the privilege or ended the session; so that is asked again where it counts, inside the transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import g
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.auth import reasons
from app.auth.identity import Identity
from app.auth.models import User, UserPermission, UserSession
from app.database import write_transaction
from app.refusal import Refusal
from app.security import SYSTEM_ADMINISTRATOR
from app.settings.models import lock_installation


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts: somebody on a screen, or whoever runs a command (``user_id`` None)."""

    user_id: int | None = None
    session_id: int | None = None


COMMAND_LINE = Acting()


def acting() -> Acting:
    """Whoever is logged in, or the command line."""
    identity = g.get("identity")
    return COMMAND_LINE if identity is None else Acting(identity.user_id, identity.session_id)


@contextmanager
def administrator_transaction() -> Iterator[tuple[Session, Acting]]:
    """A write transaction behind the installation's lock, of somebody who is a system administrator still.

    Raises:
        Refusal: ``session_ended`` or ``no_longer_administrator``.
    """
    who = acting()
    with write_transaction() as session:
        lock_installation(session)
        require_still_administrator(session, who)
        yield session, who
        # What the gate has read for this request is out of date, for the listeners of what has happened as well.
        g.pop("installation_state", None)
        g.pop("standing", None)


@contextmanager
def own_transaction(identity: Identity) -> Iterator[tuple[Session, User]]:
    """A write transaction with the row of whoever is logged in, locked, as long as their session is still open.

    Raises:
        Refusal: ``session_ended``.
    """
    with write_transaction() as session:
        yield session, lock_open_session(session, identity)


def lock_open_session(session: Session, identity: Identity) -> User:
    """The row of whoever is logged in, locked, so that nobody ends their session from here to the end.

    Raises:
        Refusal: ``session_ended``.
    """
    user = session.get(User, identity.user_id, with_for_update=True)
    _require_open_session(session, Acting(identity.user_id, identity.session_id))
    if user is None:
        raise Refusal(reasons.SESSION_ENDED)
    return user


def require_still_administrator(session: Session, who: Acting) -> None:
    """Refuse who has lost session or privilege since the gate let the request in; the command line may all.

    Raises:
        Refusal: ``session_ended`` or ``no_longer_administrator``.
    """
    if who.user_id is None:
        return
    holds = exists().where(
        User.id == who.user_id,
        User.deleted_at.is_(None),
        UserPermission.user_id == User.id,
        UserPermission.permission == SYSTEM_ADMINISTRATOR,
    )
    if not session.execute(select(holds)).scalar_one():
        raise Refusal(reasons.NO_LONGER_ADMINISTRATOR)
    _require_open_session(session, who)


def _require_open_session(session: Session, who: Acting) -> None:
    if who.session_id is None:
        return
    still_open = exists().where(
        UserSession.id == who.session_id,
        UserSession.user_id == who.user_id,
        User.id == UserSession.user_id,
        User.deleted_at.is_(None),
    )
    if not session.execute(select(still_open)).scalar_one():
        raise Refusal(reasons.SESSION_ENDED)
