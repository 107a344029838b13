"""Several users at once, for editions that bring people along: imports, directories, demo data."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app import clock
from app.auth import reasons as auth_reasons
from app.auth import users as life
from app.auth.acting import Acting, administrator_transaction
from app.auth.models import User
from app.auth.users import UserDetails
from app.refusal import Refusal
from app.settings.users.reasons import SEATS_TOO_FEW
from app.settings.users.service import require_grantable, seat_warning


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user who is to be added."""

    login: str
    name: str
    email: str | None = None
    permissions: tuple[str, ...] = ()
    """Names of permissions that loaded editions declare; the System Administrator privilege is granted elsewhere."""
    joined_at: datetime | None = None
    """The instant at which the account counts as made; None for now."""
    left_at: datetime | None = None
    """The instant at which it counts as deleted; None for a registered user, who takes a seat."""


@contextmanager
def adding_users(
    new_users: Sequence[NewUser], *, password: str | None = None
) -> Iterator[tuple[Session, Mapping[str, int]]]:
    """A write transaction that begins by adding ``new_users``, audited; yields its session, and their ids by login.

    So whatever else is written in it comes with them or not at all. On a page, only a system administrator may. Unlike
    a person on the screen, nobody is asked whether to go past the seats: it is refused.

    Args:
        new_users: whom to add, deleted ones included.
        password: of all of them; with None they cannot log in until each is given one.

    Raises:
        Refusal: ``setup_pending`` while there is no user, since the first page would be closed; ``seats_too_few``;
            ``login_invalid`` and the like, ``login_taken``, ``login_deleted``, ``permission_unknown``, one of the
            ``password_…`` codes, ``no_longer_administrator``.
    """
    joining = [(new_user, UserDetails(new_user.login, new_user.name, new_user.email)) for new_user in new_users]
    require_grantable({name for new_user in new_users for name in new_user.permissions})
    hashes = [None if password is None else life.new_password_hash(password, details) for _, details in joining]
    with administrator_transaction() as (session, who):
        _require_set_up(session)
        _require_seats(session, sum(new_user.left_at is None for new_user in new_users))
        ids = {
            new_user.login: _add(session, new_user, details, password_hash, who)
            for (new_user, details), password_hash in zip(joining, hashes, strict=True)
        }
        yield session, ids


def _require_set_up(session: Session) -> None:
    if not session.execute(select(exists(select(User.id)))).scalar_one():
        raise Refusal(auth_reasons.SETUP_PENDING)


def _require_seats(session: Session, joining: int) -> None:
    warning = seat_warning(joining, session=session)
    if warning is not None:
        free = max(0, warning.seats - warning.registered_users)
        raise Refusal(SEATS_TOO_FEW, needed=joining, free=free)


def _add(session: Session, new_user: NewUser, details: UserDetails, password_hash: str | None, who: Acting) -> int:
    user = life.add_user(
        session,
        details,
        password_hash=password_hash,
        permissions=frozenset(new_user.permissions),
        now=new_user.joined_at or clock.now(),
    )
    if new_user.left_at is not None:
        life.delete_users(session, [user.id], now=new_user.left_at, acting=who)
    return user.id
