"""The life of a user: added, changed, deleted, restored, privileged. The one place for screen and CLI."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Event, record
from app.auth import reasons
from app.auth.folding import fold, search_text
from app.auth.models import User, UserPermission
from app.auth.passwords import check_password_rules, hash_password
from app.refusal import Refusal

LOGIN_LENGTH = 64
NAME_LENGTH = 200


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
        if not (1 <= len(self.login) <= LOGIN_LENGTH) or not self.login.isprintable() or " " in self.login:
            raise Refusal(reasons.LOGIN_INVALID, field="login")
        if not fold(self.login) or any(character.isspace() for character in self.login):
            raise Refusal(reasons.LOGIN_INVALID, field="login")
        if not (1 <= len(self.name.strip()) <= NAME_LENGTH) or not self.name.isprintable() or not fold(self.name):
            raise Refusal(reasons.NAME_INVALID, field="name")
        if self.time_zone is not None and self.time_zone not in available_timezones():
            raise Refusal(reasons.TIME_ZONE_INVALID, field="time_zone")
        if self.email is not None:
            try:
                validate_email(self.email, check_deliverability=False, test_environment=True)
            except EmailNotValidError as error:
                raise Refusal(reasons.EMAIL_INVALID, field="email") from error


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


def add_user(
    session: Session,
    details: UserDetails,
    *,
    password: str | None,
    permissions: frozenset[str] = frozenset(),
    now: datetime,
    actor: str | None = None,
) -> User:
    """Add a user, who takes one seat at once; past the seats too (design 3.8).

    Args:
        session: the write transaction.
        details: checked already.
        password: None for a user who cannot log in until one is set.
        permissions: names out of ``app.security.PERMISSIONS``.
        now: the request's instant.
        actor: login for the audit log, None for whoever is logged in.

    Raises:
        Refusal: ``login_taken``, ``login_deleted`` or one of the ``password_…`` codes.
    """
    if password is not None:
        personal = (details.login, details.name, details.email or "")
        check_password_rules(password, personal=personal, field="password")
    require_free_login(session, details.login)
    user = User(password_hash=None if password is None else hash_password(password), created_at=now)
    write_details(user, details)
    user.permissions = [UserPermission(permission=name) for name in sorted(permissions)]
    session.add(user)
    session.flush()
    after = {"name": user.name, "email": user.email, "permissions": sorted(permissions)}
    record(session, Event("user.add", target=user.login, after=after, actor=actor))
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
