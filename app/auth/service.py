"""Signing in and out, the first administrator, and one's own account."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NoReturn

from flask import current_app, g, request, session
from flask_login import UserMixin, login_user, logout_user
from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, select, true

from app import clock
from app.audit import Event, record, record_refusal
from app.auth import reasons, throttle
from app.auth.acting import own_transaction
from app.auth.folding import fold
from app.auth.identity import Identity, load_identity
from app.auth.models import User, UserPermission, UserSession
from app.auth.passwords import check_password_rules, hash_password, password_matches
from app.auth.session_start import SessionHolder, start_session
from app.auth.sessions import end_session, end_sessions_of
from app.auth.setup import is_setup_code
from app.auth.tokens import end_tokens_of
from app.auth.users import UserDetails, UserState, add_user, details_refusals, write_details
from app.config import Settings
from app.database import read_connection, write_transaction
from app.events import UserChanged, announce
from app.license.models import SeatCount
from app.license.reasons import LicenseError
from app.license.service import current_standing
from app.refusal import Refusal
from app.security import SYSTEM_ADMINISTRATOR
from app.settings.models import Installation, lock_installation
from app.settings.state import INSTALLATION_JOIN, SEAT_COUNT_JOIN, STATE_COLUMNS, state_from_row

_LOCKED_OUT_RECORDED = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Whoever is trying to log in, as far as the database knows the login name."""

    user_id: int | None
    login: str
    password_hash: str | None
    is_system_administrator: bool
    has_failed: bool
    """Whether one of the throttle's keys counts failures."""


_PRIVILEGED = exists().where(UserPermission.user_id == User.id, UserPermission.permission == SYSTEM_ADMINISTRATOR)
_CANDIDATE = (
    select(
        User.id,
        User.login,
        User.password_hash,
        _PRIVILEGED.label("privileged"),
        throttle.CLOSED_UNTIL.label("closed_until"),
        *STATE_COLUMNS,
    )
    .select_from(Installation)
    .join(SeatCount, SEAT_COUNT_JOIN)
    .outerjoin(User, and_(User.login_key == bindparam("key"), User.deleted_at.is_(None)))
    .where(INSTALLATION_JOIN)
)
"""The candidate, the throttle and the installation's state at one instant; a row for an unknown login as well."""


def log_in(login: str, password: str) -> None:
    """Start a session for whoever has this login name and password.

    That members are locked out by the license is told only after a correct password, and no session is made
    (design 3.4).

    Raises:
        Refusal: ``too_many_attempts``, ``wrong_credentials``, or the code of a restricted standing.
    """
    now = clock.now()
    keys = (throttle.account(fold(login)), throttle.address(request.remote_addr or ""))
    candidate = _find(login, keys, now)
    if not password_matches(candidate.password_hash, password) or candidate.user_id is None:
        _count_failed_login(keys, login, now)
        raise Refusal(reasons.WRONG_CREDENTIALS)
    standing = current_standing()
    is_locked_out = standing.restricted and not candidate.is_system_administrator
    if is_locked_out and throttle.is_open(keys, now):
        code = standing.code or standing.kind.value
        event = Event("session.start", target=candidate.login, actor=candidate.login)
        record_refusal(event, code, at_most_every=_LOCKED_OUT_RECORDED)
        raise LicenseError(code)
    token = None if is_locked_out else _start(candidate, keys, now)
    if token is None:
        _count_failed_login(keys, login, now)
        raise Refusal(reasons.WRONG_CREDENTIALS)
    login_user(_NewSession(token))


def _find(login: str, keys: tuple[throttle.Key, ...], now: datetime) -> _Candidate:
    with read_connection() as connection:
        row = connection.execute(_CANDIDATE, {"key": fold(login), **throttle.digests(keys)}).one()
    throttle.refuse_until(row.closed_until, now)
    g.installation_state = state_from_row(row)
    has_failed = row.closed_until is not None
    if row.id is None:
        return _Candidate(None, login, None, is_system_administrator=False, has_failed=has_failed)
    return _Candidate(row.id, row.login, row.password_hash, row.privileged, has_failed)


def _count_failed_login(keys: tuple[throttle.Key, ...], login: str, now: datetime) -> None:
    with write_transaction() as session:
        throttle.count_failure(session, keys, now)
        event = Event("session.start", target=login, actor="")
        record(session, event, code=reasons.WRONG_CREDENTIALS.code)


@dataclass(frozen=True, slots=True)
class _NewSession(UserMixin):
    """All that Flask-Login is to know of a session that has just begun; who it is, the next request reads."""

    token: str = field(repr=False)

    def get_id(self) -> str:
        """As ``Identity.get_id``."""
        return self.token


def _start(candidate: _Candidate, keys: tuple[throttle.Key, ...], now: datetime) -> str | None:
    """Start a session and return its token; what the visitor's cookie held before is gone.

    None where the password is no longer the one that was compared, where the user has been deleted, or where others
    have closed the account meanwhile: guesses that ran side by side with the one that closed it do not profit from
    being right, and are answered as if they were wrong.
    """
    settings: Settings = current_app.extensions["settings"]
    holder = SessionHolder(
        candidate.user_id or 0, candidate.login, candidate.password_hash, keys, has_failed=candidate.has_failed
    )
    token = start_session(holder, now=now, settings=settings)
    if token is None:
        return None
    language = session.get("language")
    # Whatever stood in the cookie before belongs to whoever had it: its CSRF token above all.
    session.clear()
    if language:
        session["language"] = language
    return token


def log_out(identity: Identity) -> None:
    """End the session on the server and forget it in the browser."""
    with write_transaction() as transaction:
        end_session(transaction, identity)
        record(transaction, Event("session.end", target=identity.login))
    logout_user()
    g.pop("identity", None)
    session.clear()


def set_up_refusals(code: str, typed: UserState, password: str) -> tuple[Refusal, ...]:
    """All that stands against setting the installation up with what was typed, so that it is told at once.

    What was left empty is not judged: the form asks for it. Whoever has tried too often learns that alone, since
    judging a password costs time. Nothing is written but a failed attempt.
    """
    refusals: list[Refusal] = []
    try:
        if code:
            _require_setup_code(code, clock.now())
    except Refusal as refusal:
        if refusal.reason is reasons.TOO_MANY_ATTEMPTS:
            return (refusal,)
        refusals.append(refusal)
    refusals.extend(details_refusals(typed))
    try:
        if password:
            personal = (typed.login, typed.name, typed.email or "")
            check_password_rules(password, personal=personal, field="password")
    except Refusal as refusal:
        refusals.append(refusal)
    return tuple(refusals)


def _require_setup_code(code: str, now: datetime) -> None:
    """Refuse a wrong set-up code, and count it; raises Refusal ``too_many_attempts`` or ``wrong_setup_code``."""
    keys = (throttle.setup(request.remote_addr or ""),)
    throttle.require_open(keys, now)
    if is_setup_code(code):
        return
    with write_transaction() as transaction:
        throttle.count_failure(transaction, keys, now)
        record(transaction, Event("installation.set_up", actor=""), code=reasons.WRONG_SETUP_CODE.code)
    raise Refusal(reasons.WRONG_SETUP_CODE, field="setup_code")


def create_first_administrator(code: str, details: UserDetails, password: str) -> None:
    """Set the installation up: its first user, its language and its time zone. Of two people at once, one wins.

    Raises:
        Refusal: ``too_many_attempts``, ``wrong_setup_code``, ``setup_finished``, or what ``add_user`` refuses.
    """
    now = clock.now()
    _require_setup_code(code, now)
    with write_transaction() as transaction:
        installation = lock_installation(transaction)
        if transaction.execute(select(exists(select(User.id)))).scalar_one():
            raise Refusal(reasons.SETUP_FINISHED)
        user = add_user(
            transaction,
            replace(details, time_zone=None),  # it is the installation's, which the administrator follows
            password=password,
            permissions=frozenset({SYSTEM_ADMINISTRATOR}),
            now=now,
            actor=details.login,
        )
        installation.time_zone = details.time_zone or installation.time_zone
        installation.language = details.language or installation.language
        after = {"time_zone": installation.time_zone, "language": installation.language}
        record(transaction, Event("installation.set_up", after=after, actor=details.login))
        first = _Candidate(user.id, user.login, user.password_hash, is_system_administrator=True, has_failed=False)
    current_app.extensions["setup_finished"].set()
    token = _start(first, (throttle.account(fold(details.login)),), now)
    if token is not None:
        login_user(load_identity(token))


def change_profile(identity: Identity, details: UserDetails, theme: str) -> None:
    """Change one's own name, e-mail, language, time zone and theme; the login stays.

    Raises:
        Refusal: ``session_ended``.
    """
    with own_transaction(identity) as (transaction, user):
        before = _profile(user)
        write_details(user, replace(details, login=user.login))
        user.theme = theme
        after = _profile(user)
        if before != after:
            record(transaction, Event("account.change", target=user.login, before=before, after=after))
            announce(transaction, UserChanged(user.id, user.login))


def end_one_session(identity: Identity, session_id: int) -> bool:
    """End one session of one's own other than the present one; returns whether there was such a session.

    Raises:
        Refusal: ``session_ended``.
    """
    return _end_sessions(identity, UserSession.id == session_id) == 1


def end_other_sessions(identity: Identity) -> int:
    """End every session of one's own but the present one; returns how many there were.

    Raises:
        Refusal: ``session_ended``.
    """
    return _end_sessions(identity, true())


def _end_sessions(identity: Identity, which: ColumnElement[bool]) -> int:
    with own_transaction(identity) as (transaction, user):
        ended = transaction.execute(
            delete(UserSession)
            .where(UserSession.user_id == user.id, UserSession.id != identity.session_id, which)
            .returning(UserSession.address)
        ).scalars()
        addresses = sorted(ended)
        if addresses:
            record(transaction, Event("account.end_sessions", target=user.login, before={"addresses": addresses}))
    return len(addresses)


def _profile(user: User) -> dict[str, str | None]:
    return {
        "name": user.name,
        "email": user.email,
        "language": user.language,
        "time_zone": user.time_zone,
        "theme": user.theme,
    }


def change_password(identity: Identity, current: str, new: str) -> None:
    """Set one's own password; end every other session of one's own, and every token.

    Raises:
        Refusal: ``too_many_attempts``, ``wrong_current_password``, ``session_ended``, or one of the ``password_…``
            codes.
    """
    now = clock.now()
    keys = (throttle.account(fold(identity.login)),)
    throttle.require_open(keys, now)
    with read_connection() as connection:
        old_hash = connection.execute(select(User.password_hash).where(User.id == identity.user_id)).scalar_one()
    if not password_matches(old_hash, current):
        _count_wrong_password(identity, keys, now)
    if new == current:
        raise Refusal(reasons.PASSWORD_UNCHANGED, field="new_password")
    _count_change(identity, now)
    personal = (identity.login, identity.name, identity.email or "")
    check_password_rules(new, personal=personal, field="new_password")
    new_hash = hash_password(new)
    with own_transaction(identity) as (transaction, user):
        # Guesses that ran side by side with the one that closed the account do not profit from being right; nor does
        # the old password once an administrator has set a new one.
        is_open = throttle.is_open(keys, now, transaction.connection())
        if is_open and user.password_hash == old_hash:
            user.password_hash = new_hash
            end_sessions_of(transaction, [user.id], but=identity.session_id)
            end_tokens_of(transaction, [user.id])
            record(transaction, Event("account.password", target=user.login))
            return
    _count_wrong_password(identity, keys, now)


def _count_wrong_password(identity: Identity, keys: tuple[throttle.Key, ...], now: datetime) -> NoReturn:
    with write_transaction() as transaction:
        throttle.count_failure(transaction, keys, now)
        event = Event("account.password", target=identity.login)
        record(transaction, event, code=reasons.WRONG_CURRENT_PASSWORD.code)
    raise Refusal(reasons.WRONG_CURRENT_PASSWORD, field="current_password")


def _count_change(identity: Identity, now: datetime) -> None:
    """Every change counts, right or wrong: judging a new password costs up to a third of a second."""
    keys = (throttle.password_change(identity.user_id),)
    with write_transaction() as transaction:
        throttle.require_open(keys, now, transaction.connection())
        throttle.count_failure(transaction, keys, now)
