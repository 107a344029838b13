"""The life of a user: added, changed, deleted, restored, privileged. The one place for screen and CLI.

What is here works inside a write transaction that its caller has opened, and whose first statement was
``lock_installation``: rules that span users (who is the last system administrator, how many seats are taken) are
decided upon one after another, however many ask at once.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, selectinload

from app.audit import Event, record
from app.auth import reasons
from app.auth.acting import Acting
from app.auth.folding import fold, search_text
from app.auth.models import User, UserPermission
from app.auth.passwords import check_password_rules, hash_password
from app.auth.sessions import end_sessions_of
from app.auth.tokens import end_tokens_of
from app.events import UserAdded, UserChanged, UserDeleted, UserRestored, announce
from app.refusal import Refusal
from app.security import SYSTEM_ADMINISTRATOR

LOGIN_LENGTH = 64
NAME_LENGTH = 200
_LOGIN_KEY_LENGTH = 256
_KEY_BYTES = 2_000  # PostgreSQL indexes no more than 2,704 bytes a row; some characters fold to eighteen


@dataclass(frozen=True, slots=True)
class UserDetails:
    """What a person types about a user; checked when it is made."""

    login: str
    name: str
    email: str | None = None
    language: str | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the columns or the rules do not take, naming the field."""
        for refusal in details_refusals(self):
            raise refusal


def _is_login(text: str) -> bool:
    if not (1 <= len(text) <= LOGIN_LENGTH) or not text.isprintable() or any(map(str.isspace, text)):
        return False
    key = fold(text)
    return bool(key) and " " not in key and len(key) <= _LOGIN_KEY_LENGTH


def _is_name(text: str) -> bool:
    if not (1 <= len(text.strip()) <= NAME_LENGTH) or not text.isprintable():
        return False
    return 1 <= len(fold(text).encode()) <= _KEY_BYTES


@dataclass(frozen=True, slots=True)
class UserState:
    """A user as it is at one instant: what was seen, what is to be, and what the audit log keeps of either."""

    login: str
    name: str
    email: str | None
    language: str | None
    time_zone: str | None
    is_system_administrator: bool
    permissions: tuple[str, ...] = ()
    """Names of the permissions of editions that the user holds, in their order; of editions that are gone as well."""


def details_refusals(typed: UserDetails | UserState) -> Iterator[Refusal]:
    """Everything that the columns or the rules do not take of what was typed, each with its field."""
    if not _is_login(typed.login):
        yield Refusal(reasons.LOGIN_INVALID, field="login")
    if not _is_name(typed.name):
        yield Refusal(reasons.NAME_INVALID, field="name")
    if typed.time_zone is not None and typed.time_zone not in available_timezones():
        yield Refusal(reasons.TIME_ZONE_INVALID, field="time_zone")
    if typed.email is not None and not _is_email(typed.email):
        yield Refusal(reasons.EMAIL_INVALID, field="email")


def _is_email(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


class ChangedMeanwhile(Refusal):
    """Somebody else has changed the user since it was shown; ``present`` is how it is now."""

    def __init__(self, present: UserState) -> None:
        super().__init__(reasons.CHANGED_MEANWHILE)
        self.present = present


def write_details(user: User, details: UserDetails) -> None:
    """Put ``details`` and their folded forms on ``user``."""
    user.login = details.login
    user.login_key = fold(details.login)
    user.name = details.name.strip()
    user.name_key = fold(details.name)
    user.email = details.email
    user.email_key = fold(details.email) if details.email else None
    user.search_text = search_text(user.login_key, user.name_key, user.email_key)
    user.language = details.language
    user.time_zone = details.time_zone


def new_password_hash(password: str, details: UserDetails | UserState, *, field: str = "password") -> str:
    """Check and hash a password; before the transaction, so that no lock is held meanwhile.

    Raises:
        Refusal: one of the ``password_…`` codes, at ``field``.
    """
    check_password_rules(password, personal=(details.login, details.name, details.email or ""), field=field)
    return hash_password(password)


def add_user(
    session: Session,
    details: UserDetails,
    *,
    password: str | None = None,
    password_hash: str | None = None,
    permissions: frozenset[str] = frozenset(),
    now: datetime,
    actor: str | None = None,
) -> User:
    """Add a user, who takes one seat at once; past the seats too (design 3.8).

    Args:
        session: the write transaction.
        details: checked already.
        password: None, with ``password_hash`` None, for a user who cannot log in until one is set.
        password_hash: what ``new_password_hash`` has made beforehand, in place of ``password``.
        permissions: names out of ``app.editions.permissions``.
        now: the request's instant.
        actor: login for the audit log, None for whoever is logged in.

    Raises:
        Refusal: ``login_taken``, ``login_deleted`` or one of the ``password_…`` codes.
    """
    if password is not None:
        password_hash = new_password_hash(password, details)
    require_free_login(session, details.login)
    user = User(password_hash=password_hash, created_at=now)
    write_details(user, details)
    user.permissions = [UserPermission(permission=name) for name in sorted(permissions)]
    session.add(user)
    session.flush()
    after = {"name": user.name, "email": user.email, "permissions": sorted(permissions)}
    record(session, Event("user.add", target=user.login, after=after, actor=actor))
    announce(session, UserAdded(user.id, user.login))
    return user


def require_free_login(session: Session, login: str, *, but: int | None = None) -> None:
    """Refuse a login name that another user has or had; a deleted user's stays reserved.

    Raises:
        Refusal: ``login_taken`` or ``login_deleted``, at the field ``login``.
    """
    found = session.execute(select(User.id, User.deleted_at).where(User.login_key == fold(login))).one_or_none()
    if found is None or found.id == but:
        return
    reason = reasons.LOGIN_TAKEN if found.deleted_at is None else reasons.LOGIN_DELETED
    raise Refusal(reason, field="login", login=login)


def registered_user(session: Session, user_id: int) -> User:
    """The user with this id.

    Raises:
        Refusal: ``user_unknown``, for a deleted one as well.
    """
    user = session.get(User, user_id)
    if user is None or user.deleted_at is not None:
        raise Refusal(reasons.USER_UNKNOWN, login=user.login if user is not None else "")
    return user


def state_of(user: User) -> UserState:
    """The user as it is in the transaction that ``user`` belongs to."""
    held = {held.permission for held in user.permissions}
    return UserState(
        user.login,
        user.name,
        user.email,
        user.language,
        user.time_zone,
        SYSTEM_ADMINISTRATOR in held,
        tuple(sorted(held - {SYSTEM_ADMINISTRATOR})),
    )


def change_user(
    session: Session,
    user_id: int,
    details: UserDetails,
    *,
    administrator: bool,
    permissions: Collection[str],
    seen: UserState,
    acting: Acting,
) -> bool:
    """Change what is known about a user, and what the user may; returns whether anything changed.

    Args:
        session: the write transaction.
        user_id: of the user.
        details: checked already.
        administrator: whether the user is to hold the System Administrator privilege.
        permissions: names of all permissions of editions that the user is to hold.
        seen: how the user was when whoever acts decided.
        acting: who acts.

    Raises:
        ChangedMeanwhile: the user is no longer as it was ``seen``.
        Refusal: ``user_unknown``, ``login_taken``, ``login_deleted``, ``own_account``, ``last_administrator``.
    """
    user = registered_user(session, user_id)
    before = state_of(user)
    if before != seen:
        raise ChangedMeanwhile(before)
    require_free_login(session, details.login, but=user.id)
    write_details(user, details)
    after = state_of(user)
    if after != before:
        changed = [name for name in _FIELDS if getattr(before, name) != getattr(after, name)]
        of = {name: getattr(before, name) for name in changed}, {name: getattr(after, name) for name in changed}
        record(session, Event("user.change", target=before.login, before=of[0], after=of[1]))
    is_changed = _set_administrator(session, user, administrator=administrator, acting=acting)
    is_changed = _set_permissions(session, user, permissions) or is_changed or after != before
    if is_changed:
        announce(session, UserChanged(user.id, user.login))
    return is_changed


_FIELDS = ("login", "name", "email", "language", "time_zone")


def set_administrator(session: Session, user: User, *, administrator: bool, acting: Acting) -> bool:
    """Grant or withdraw the System Administrator privilege; returns whether that was a change.

    Raises:
        Refusal: ``own_account`` or ``last_administrator``, at the field ``administrator``.
    """
    is_changed = _set_administrator(session, user, administrator=administrator, acting=acting)
    if is_changed:
        announce(session, UserChanged(user.id, user.login))
    return is_changed


def _set_administrator(session: Session, user: User, *, administrator: bool, acting: Acting) -> bool:
    if state_of(user).is_system_administrator == administrator:
        return False
    if administrator:
        user.permissions.append(UserPermission(permission=SYSTEM_ADMINISTRATOR))
    else:
        _require_administrators_left(session, [user], acting, field="administrator")
        user.permissions = [held for held in user.permissions if held.permission != SYSTEM_ADMINISTRATOR]
    action = "user.grant_admin" if administrator else "user.withdraw_admin"
    before, after = {SYSTEM_ADMINISTRATOR: not administrator}, {SYSTEM_ADMINISTRATOR: administrator}
    record(session, Event(action, target=user.login, before=before, after=after))
    session.flush()
    return True


def set_permissions(session: Session, user: User, wanted: Collection[str]) -> bool:
    """Let the user hold exactly these permissions of editions; returns whether that was a change."""
    is_changed = _set_permissions(session, user, wanted)
    if is_changed:
        announce(session, UserChanged(user.id, user.login))
    return is_changed


def _set_permissions(session: Session, user: User, wanted: Collection[str]) -> bool:
    before, after = state_of(user).permissions, tuple(sorted(wanted))
    if before == after:
        return False
    kept = [held for held in user.permissions if held.permission in {*wanted, SYSTEM_ADMINISTRATOR}]
    user.permissions = kept + [UserPermission(permission=name) for name in after if name not in before]
    of = {"permissions": list(before)}, {"permissions": list(after)}
    record(session, Event("user.permissions", target=user.login, before=of[0], after=of[1]))
    session.flush()
    return True


def _require_administrators_left(
    session: Session, going: Collection[User], acting: Acting, *, field: str | None = None
) -> None:
    """Refuse what would take the privilege from oneself, or from the last who has it."""
    if any(user.id == acting.user_id for user in going):
        raise Refusal(reasons.OWN_ACCOUNT, field=field)
    losing = [user for user in going if state_of(user).is_system_administrator]
    remaining = (
        select(func.count())
        .select_from(UserPermission)
        .join(User, User.id == UserPermission.user_id)
        .where(
            UserPermission.permission == SYSTEM_ADMINISTRATOR,
            User.deleted_at.is_(None),
            User.id.not_in([user.id for user in losing]),
        )
    )
    if losing and session.execute(remaining).scalar_one() == 0:
        raise Refusal(reasons.LAST_ADMINISTRATOR, field=field, login=losing[-1].login)


def _chosen(session: Session, user_ids: Sequence[int], *, deleted: bool) -> list[User]:
    is_deleted = User.deleted_at.is_not(None) if deleted else User.deleted_at.is_(None)
    query = select(User).where(User.id.in_(user_ids), is_deleted).order_by(User.name_key, User.id)
    return list(session.execute(query.options(selectinload(User.permissions))).scalars())


def delete_users(session: Session, user_ids: Sequence[int], *, now: datetime, acting: Acting) -> list[User]:
    """Delete users softly: their sessions and tokens end, their seats are free, their records and login names stay.

    Those who are deleted already are left out. Returns whom it deleted.

    Raises:
        Refusal: ``own_account`` or ``last_administrator``; then nobody is deleted.
    """
    users = _chosen(session, user_ids, deleted=False)
    _require_administrators_left(session, users, acting)
    end_sessions_of(session, [user.id for user in users])
    end_tokens_of(session, [user.id for user in users])
    session.execute(update(User).where(User.id.in_([user.id for user in users])).values(deleted_at=now))
    for user in users:
        record(session, Event("user.delete", target=user.login, before=_audited(user)))
        announce(session, UserDeleted(user.id, user.login))
    return users


def restore_users(session: Session, user_ids: Sequence[int]) -> list[User]:
    """Restore deleted users with what they had, privileges included; each takes one seat. Returns whom it restored."""
    users = _chosen(session, user_ids, deleted=True)
    session.execute(update(User).where(User.id.in_([user.id for user in users])).values(deleted_at=None))
    for user in users:
        record(session, Event("user.restore", target=user.login, after=_audited(user)))
        announce(session, UserRestored(user.id, user.login))
    return users


def _audited(user: User) -> dict[str, object]:
    return {"name": user.name, "email": user.email, "permissions": sorted(held.permission for held in user.permissions)}


def set_password(session: Session, user_id: int, password_hash: str, *, acting: Acting) -> User:
    """Set somebody's password and end their sessions and tokens; of oneself, the session that one acts in goes on.

    Raises:
        Refusal: ``user_unknown``.
    """
    user = registered_user(session, user_id)
    user.password_hash = password_hash
    end_sessions_of(session, [user.id], but=acting.session_id if user.id == acting.user_id else None)
    end_tokens_of(session, [user.id])
    record(session, Event("user.password", target=user.login))
    return user


def merged(seen: UserState, typed: UserState, present: UserState) -> UserState:
    """What a form is to show after ``ChangedMeanwhile``: what was typed, and the present where nothing was typed."""
    names = (*_FIELDS, "is_system_administrator")
    untouched = [name for name in names if getattr(typed, name) == getattr(seen, name)]
    granted, withdrawn = set(typed.permissions) - set(seen.permissions), set(seen.permissions) - set(typed.permissions)
    permissions = tuple(sorted({*present.permissions, *granted} - withdrawn))
    return replace(typed, permissions=permissions, **{name: getattr(present, name) for name in untouched})
