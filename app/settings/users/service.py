"""What administrators do with users, each in one transaction: decided and done behind the installation's lock."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from sqlalchemy import distinct, exists, func, select
from sqlalchemy.orm import Session

from app import clock
from app.auth import reasons as auth_reasons
from app.auth import users as life
from app.auth.acting import administrator_transaction
from app.auth.census import count_system_administrators
from app.auth.folding import fold
from app.auth.models import User, UserPermission, UserSession
from app.auth.users import UserDetails, UserState
from app.database import read_connection
from app.editions.permissions import permissions as every_permission
from app.license import policy
from app.license.policy import StandingKind
from app.license.service import license_book
from app.refusal import Refusal
from app.security import SYSTEM_ADMINISTRATOR
from app.settings.state import read_state
from app.settings.users.reasons import NOBODY_CHOSEN

MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class SeatWarning:
    """What registering more users than there are seats does (design 3.8), in numbers."""

    joining: int
    """How many users would be added or restored."""
    registered_users: int
    """How many there are now."""
    seats: int
    locked_out: int
    """How many users without the System Administrator privilege could not log in afterwards."""
    members: int
    """How many of those there are now; they are locked out already where the license is exceeded already."""

    @property
    def registered_then(self) -> int:
        """How many users there would be."""
        return self.registered_users + self.joining

    @property
    def excess(self) -> int:
        """How many users there would be too many."""
        return self.registered_then - self.seats

    @property
    def is_exceeded_already(self) -> bool:
        """Whether members are locked out as it is."""
        return self.registered_users > self.seats

    @property
    def digest(self) -> str:
        """Names exactly these numbers, so that what is confirmed is what was shown."""
        return hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:16]


class SeatConfirmationNeeded(Exception):  # noqa: N818 - not an error: a question
    """More users would be registered than the license allows, and nobody has confirmed that as it now is."""

    def __init__(self, warning: SeatWarning) -> None:
        super().__init__(warning.digest)
        self.warning = warning


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the person has agreed to: the warning with this digest, or whatever it says (``flask user … --yes``)."""

    digest: str = ""
    whatever: bool = False


UNCONFIRMED = Confirmation()


@dataclass(frozen=True, slots=True)
class Affected:
    """Whom something was done to: ids and names, in the order of names."""

    user_ids: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UserView:
    """A user as the edit page shows it."""

    user_id: int
    state: UserState
    created_at: datetime
    last_seen_at: datetime | None
    deleted_at: datetime | None
    open_sessions: int
    has_password: bool


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting some users would do, in numbers, before it is done."""

    user_ids: tuple[int, ...]
    names: tuple[str, ...]
    logins: tuple[str, ...]
    administrators: int
    logged_in: int
    """How many of them have an open session."""


# Seats ------------------------------------------------------------------------------------------------------------


def seat_warning(joining: int, administrators_joining: int = 0, session: Session | None = None) -> SeatWarning | None:
    """Say what happens when ``joining`` more users are registered; None where the license allows them.

    Only seats are warned about: where the license restricts for another reason, more users change nothing.
    """
    state = read_state()
    then = policy.evaluate(
        license_book(state.license_revision).records,
        installation=state.identifier,
        registered_users=state.registered_users + joining,
        now=clock.now(),
    )
    if then.kind is not StandingKind.SEATS_EXCEEDED:
        return None
    members = state.registered_users - count_system_administrators(session)
    locked_out = members + joining - administrators_joining
    return SeatWarning(joining, state.registered_users, then.seats, locked_out, members)


def _require_confirmation(session: Session, joining: int, administrators: int, confirmation: Confirmation) -> None:
    warning = seat_warning(joining, administrators, session)
    if warning is not None and not confirmation.whatever and confirmation.digest != warning.digest:
        raise SeatConfirmationNeeded(warning)


# Changing ---------------------------------------------------------------------------------------------------------


def add(
    details: UserDetails,
    *,
    password: str | None,
    administrator: bool,
    permissions: Collection[str] = (),
    confirmation: Confirmation = UNCONFIRMED,
) -> Affected:
    """Add a user.

    Raises:
        Refusal: ``login_taken``, ``login_deleted``, ``permission_unknown``, one of the ``password_…`` codes,
            ``no_longer_administrator``.
        SeatConfirmationNeeded: past the seats, and not confirmed.
    """
    password_hash = None if password is None else life.new_password_hash(password, details)
    require_grantable(permissions)
    granted = frozenset({*permissions, SYSTEM_ADMINISTRATOR} if administrator else permissions)
    with administrator_transaction() as (session, _):
        life.require_free_login(session, details.login)
        _require_confirmation(session, 1, int(administrator), confirmation)
        user = life.add_user(session, details, password_hash=password_hash, permissions=granted, now=clock.now())
        return Affected((user.id,), (user.name,))


def change(
    user_id: int, details: UserDetails, *, administrator: bool, permissions: Collection[str], seen: UserState
) -> bool:
    """Change a user; returns whether anything has changed.

    Raises:
        ChangedMeanwhile: somebody else was faster.
        Refusal: see ``app.auth.users.change_user``; ``permission_unknown``, ``no_longer_administrator``.
    """
    require_grantable(set(permissions) - set(seen.permissions))
    with administrator_transaction() as (session, who):
        return life.change_user(
            session,
            user_id,
            details,
            administrator=administrator,
            permissions=permissions,
            seen=seen,
            acting=who,
        )


def require_grantable(names: Collection[str]) -> None:
    """Refuse what no loaded edition declares; the core's own permission is granted otherwise."""
    unknown = set(names) - (every_permission().keys() - {SYSTEM_ADMINISTRATOR})
    for name in sorted(unknown):
        raise Refusal(auth_reasons.PERMISSION_UNKNOWN, permission=name)


def delete(user_ids: Sequence[int]) -> Affected:
    """Delete users softly; those who are deleted already are left out.

    Raises:
        Refusal: ``own_account``, ``last_administrator``, ``nobody_chosen``, ``no_longer_administrator``.
    """
    with administrator_transaction() as (session, who):
        users = life.delete_users(session, user_ids[:MOST_AT_ONCE], now=clock.now(), acting=who)
        return _affected(users)


def restore(user_ids: Sequence[int], *, confirmation: Confirmation = UNCONFIRMED) -> Affected:
    """Restore deleted users; those who are not deleted are left out.

    Raises:
        Refusal: ``nobody_chosen``, ``no_longer_administrator``.
        SeatConfirmationNeeded: past the seats, and not confirmed.
    """
    chosen = user_ids[:MOST_AT_ONCE]
    with administrator_transaction() as (session, _):
        coming = select(User.id).where(User.id.in_(chosen), User.deleted_at.is_not(None)).subquery()
        joining = session.execute(select(func.count()).select_from(coming)).scalar_one()
        if not joining:
            raise Refusal(NOBODY_CHOSEN)
        privileged = (
            select(func.count())
            .select_from(UserPermission)
            .where(UserPermission.user_id.in_(select(coming.c.id)), UserPermission.permission == SYSTEM_ADMINISTRATOR)
        )
        _require_confirmation(session, joining, session.execute(privileged).scalar_one(), confirmation)
        return _affected(life.restore_users(session, chosen))


def _affected(users: Sequence[User]) -> Affected:
    if not users:
        raise Refusal(NOBODY_CHOSEN)
    return Affected(tuple(user.id for user in users), tuple(user.name for user in users))


def set_password(user_id: int, password: str) -> str:
    """Set somebody's password, which ends their sessions; returns the login name.

    Raises:
        Refusal: ``user_unknown``, one of the ``password_…`` codes, ``no_longer_administrator``.
    """
    password_hash = life.new_password_hash(password, user_view(user_id).state, field="new_password")
    with administrator_transaction() as (session, who):
        return life.set_password(session, user_id, password_hash, acting=who).login


def set_administrator(user_id: int, *, administrator: bool) -> bool:
    """Grant or withdraw the System Administrator privilege; returns whether that was a change.

    Raises:
        Refusal: ``user_unknown``, ``own_account``, ``last_administrator``, ``no_longer_administrator``.
    """
    with administrator_transaction() as (session, who):
        user = life.registered_user(session, user_id)
        return life.set_administrator(session, user, administrator=administrator, acting=who)


def grant(user_id: int, permission: str) -> bool:
    """Grant a permission of a loaded edition, or the core's; returns whether that was a change.

    Raises:
        Refusal: ``permission_unknown``, ``user_unknown``, ``no_longer_administrator``.
    """
    if permission == SYSTEM_ADMINISTRATOR:
        return set_administrator(user_id, administrator=True)
    require_grantable([permission])
    with administrator_transaction() as (session, _):
        user = life.registered_user(session, user_id)
        return life.set_permissions(session, user, {*life.state_of(user).permissions, permission})


def withdraw(user_id: int, permission: str) -> bool:
    """Withdraw a permission, of editions that are not loaded as well; returns whether that was a change.

    Raises:
        Refusal: ``permission_unknown`` where the user does not hold it either, ``user_unknown``, ``own_account``,
            ``last_administrator``, ``no_longer_administrator``.
    """
    if permission == SYSTEM_ADMINISTRATOR:
        return set_administrator(user_id, administrator=False)
    with administrator_transaction() as (session, _):
        user = life.registered_user(session, user_id)
        held = set(life.state_of(user).permissions)
        if permission not in held:
            require_grantable([permission])
        return life.set_permissions(session, user, held - {permission})


# Reading ----------------------------------------------------------------------------------------------------------

_PRIVILEGED = exists().where(UserPermission.user_id == User.id, UserPermission.permission == SYSTEM_ADMINISTRATOR)


def user_view(user_id: int) -> UserView:
    """One user, deleted or not.

    Raises:
        Refusal: ``user_unknown``.
    """
    sessions = (
        select(func.count())
        .where(UserSession.user_id == User.id, UserSession.expires_at > clock.now())
        .scalar_subquery()
    )
    query = select(
        User.login,
        User.name,
        User.email,
        User.language,
        User.time_zone,
        select(func.aggregate_strings(UserPermission.permission, ","))
        .where(UserPermission.user_id == User.id)
        .scalar_subquery()
        .label("permissions"),
        User.created_at,
        User.last_seen_at,
        User.deleted_at,
        sessions.label("sessions"),
        User.password_hash.is_not(None).label("has_password"),
    ).where(User.id == user_id)
    with read_connection() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise Refusal(auth_reasons.USER_UNKNOWN, login="")
    held = set(row.permissions.split(",") if row.permissions else ())
    return UserView(
        user_id=user_id,
        state=UserState(
            row.login,
            row.name,
            row.email,
            row.language,
            row.time_zone,
            SYSTEM_ADMINISTRATOR in held,
            tuple(sorted(held - {SYSTEM_ADMINISTRATOR})),
        ),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        deleted_at=row.deleted_at,
        open_sessions=row.sessions,
        has_password=bool(row.has_password),
    )


def permissions_of(user_ids: Collection[int]) -> Mapping[int, tuple[str, ...]]:
    """Names of the permissions of editions that each of these users holds, in their order; without whoever has none."""
    query = select(UserPermission.user_id, UserPermission.permission).where(
        UserPermission.user_id.in_(user_ids), UserPermission.permission != SYSTEM_ADMINISTRATOR
    )
    with read_connection() as connection:
        rows = sorted((row.user_id, row.permission) for row in connection.execute(query))
    return {user_id: tuple(name for _, name in held) for user_id, held in groupby(rows, key=itemgetter(0))}


def names_of(user_ids: Sequence[int]) -> tuple[str, ...]:
    """Names of the deleted users among these, in the order of names."""
    query = select(User.name).where(User.id.in_(user_ids[:MOST_AT_ONCE]), User.deleted_at.is_not(None))
    with read_connection() as connection:
        return tuple(connection.execute(query.order_by(User.name_key, User.id)).scalars())


def find(login: str, *, deleted: bool | None = False) -> int:
    """The id of the user with this login name, in any spelling that folds to it; ``deleted`` None takes either.

    Raises:
        Refusal: ``user_unknown``, or ``user_not_deleted`` where a deleted one was asked for.
    """
    query = select(User.id, User.login, User.deleted_at).where(User.login_key == fold(login))
    with read_connection() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or (deleted is False and row.deleted_at is not None):
        raise Refusal(auth_reasons.USER_UNKNOWN, login=login)
    if deleted is True and row.deleted_at is None:
        raise Refusal(auth_reasons.USER_NOT_DELETED, login=row.login)
    return int(row.id)


def deletion(user_ids: Sequence[int]) -> Deletion:
    """What deleting these users would do.

    Raises:
        Refusal: ``nobody_chosen``.
    """
    chosen = User.id.in_(user_ids[:MOST_AT_ONCE]) & User.deleted_at.is_(None)
    query = select(User.id, User.name, User.login, _PRIVILEGED).where(chosen).order_by(User.name_key, User.id)
    logged_in = (
        select(func.count(distinct(UserSession.user_id)))
        .join(User, User.id == UserSession.user_id)
        .where(chosen, UserSession.expires_at > clock.now())
    )
    with read_connection() as connection:
        rows = connection.execute(query).all()
        open_now = connection.execute(logged_in).scalar_one()
    if not rows:
        raise Refusal(NOBODY_CHOSEN)
    return Deletion(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        tuple(row[2] for row in rows),
        sum(bool(row[3]) for row in rows),
        open_now,
    )
