"""Pairing a device with a person (RFC 8628): asked for, confirmed in the browser, fetched by the device once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, exists, select, update
from sqlalchemy.orm import Session

from app.sdk import (
    AuditEvent,
    Identity,
    Refusal,
    ThrottleKey,
    count_failure,
    issue_device_token,
    now,
    password_seal,
    read_connection,
    record_audit,
    require_open,
    write_transaction,
)
from plugins.desktop.models import Pairing
from plugins.desktop.pairing.rules import (
    CODE_UNKNOWN,
    FETCHED_WITHIN,
    INTERVAL,
    NAME_INVALID,
    NAME_LENGTH,
    VALID_FOR,
    Codes,
    OauthError,
    PairingState,
    hash_of,
    hash_of_typed,
    is_device_name,
    new_codes,
    plain_code,
    shown_code,
)

_FREE_GUESSES = 5
_FREE_BEGINNINGS = 20


class NotPaired(Exception):  # noqa: N818 - an answer that RFC 8628 provides for
    """There is no token for the device, or not yet."""

    def __init__(self, error: OauthError) -> None:
        super().__init__(error.value)
        self.error = error


@dataclass(frozen=True, slots=True)
class Begun:
    """A pairing that has begun."""

    codes: Codes
    expires_in: timedelta
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits for somebody to say that it is theirs."""

    device_name: str
    shown_code: str
    """The code as the device shows it, however it was typed."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A device that has its token."""

    token: str = field(repr=False)
    device_name: str


def begin(device_name: str, address: str) -> Begun:
    """Let a device wait. One network address that does so over and over is slowed down.

    Raises:
        Refusal: ``device_name_invalid`` or ``too_many_attempts``.
    """
    if not is_device_name(device_name):
        raise Refusal(NAME_INVALID, field="device_name", limit=NAME_LENGTH)
    codes, at = new_codes(), now()
    keys = (ThrottleKey.of_address("pairing", address, free=_FREE_BEGINNINGS),)
    require_open(keys, at)
    with write_transaction() as session:
        count_failure(session, keys, at)
        session.execute(delete(Pairing).where(Pairing.expires_at < at - VALID_FOR))
        session.add(
            Pairing(
                device_code_hash=hash_of(codes.device_code),
                user_code_hash=hash_of_typed(codes.user_code),
                device_name=device_name,
                state=PairingState.WAITING.value,
                expires_at=at + VALID_FOR,
                next_poll_at=at,
                interval=INTERVAL.seconds,
            )
        )
    return Begun(codes, VALID_FOR, INTERVAL)


def find_waiting(reader: Identity, user_code: str) -> Waiting:
    """The device that waits with this code, as it was typed; wrong codes are counted, and slow their reader down.

    Raises:
        Refusal: ``pairing_code_unknown`` or ``too_many_attempts``.
    """
    keys, at = _guesses(reader), now()
    require_open(keys, at)
    with read_connection() as connection:
        row = connection.execute(_waiting(user_code, at)).one_or_none()
    if row is None:
        if plain_code(user_code):
            with write_transaction() as session:
                count_failure(session, keys, at)
        raise Refusal(CODE_UNKNOWN, field="user_code")
    return Waiting(row.device_name, shown_code(plain_code(user_code)))


def decide(reader: Identity, user_code: str, *, is_confirmed: bool) -> str:
    """Say that the waiting device is the reader's, or that it is not; returns its name.

    Raises:
        Refusal: ``pairing_code_unknown``, ``too_many_attempts`` or ``session_ended``.
    """
    find_waiting(reader, user_code)
    state = PairingState.CONFIRMED if is_confirmed else PairingState.DENIED
    with write_transaction() as session:
        seal = password_seal(session, reader)
        row = session.execute(_waiting(user_code, now()).with_for_update()).one_or_none()
        if row is None:  # somebody else was quicker
            raise Refusal(CODE_UNKNOWN, field="user_code")
        decided = update(Pairing).where(Pairing.id == row.id)
        values = {"state": state.value, "user_id": reader.user_id, "seal": seal, "expires_at": now() + FETCHED_WITHIN}
        session.execute(decided.values(values))
        action = "desktop.confirm" if is_confirmed else "desktop.deny"
        record_audit(session, AuditEvent(action, target=row.device_name))
    return str(row.device_name)


def fetch_token(device_code: str) -> Paired:
    """The token of a device that somebody has confirmed; it is fetched once.

    Raises:
        NotPaired: what the device is told instead.
    """
    of_device = Pairing.device_code_hash == hash_of(device_code)
    with read_connection() as connection:
        if not connection.execute(select(exists().where(of_device))).scalar_one():
            raise NotPaired(OauthError.INVALID_GRANT)  # whoever makes codes up makes nobody wait who writes
    with write_transaction() as session:
        pairing = session.execute(select(Pairing).where(of_device).with_for_update()).scalar_one_or_none()
        if pairing is None:
            raise NotPaired(OauthError.INVALID_GRANT)
        error = _obstacle(session, pairing)
        if error is None:
            return Paired(_issue(session, pairing), pairing.device_name)
    raise NotPaired(error)


def _issue(session: Session, pairing: Pairing) -> str:
    """The token, in place of the pairing; none where whoever has confirmed it is gone or has a new password since."""
    if pairing.user_id is None or pairing.seal is None:
        raise NotPaired(OauthError.INVALID_GRANT)
    session.delete(pairing)
    try:
        return issue_device_token(session, pairing.user_id, pairing.device_name, seal=pairing.seal)
    except Refusal as refusal:
        raise NotPaired(OauthError.INVALID_GRANT) from refusal


def _obstacle(session: Session, pairing: Pairing) -> OauthError | None:
    at = now()
    if pairing.expires_at <= at:
        return OauthError.EXPIRED_TOKEN
    if pairing.state == PairingState.DENIED.value:
        session.delete(pairing)
        return OauthError.ACCESS_DENIED
    if pairing.state == PairingState.CONFIRMED.value:
        return None
    is_early = at < pairing.next_poll_at
    if is_early:
        pairing.interval += INTERVAL.seconds
    pairing.next_poll_at = at + timedelta(seconds=pairing.interval) - _LENIENCE
    return OauthError.SLOW_DOWN if is_early else OauthError.AUTHORIZATION_PENDING


_LENIENCE = timedelta(seconds=1)
"""A question that comes by so much early is none that comes too early: networks are not that exact."""


def _waiting(user_code: str, at: datetime) -> Select[int, str]:
    return select(Pairing.id, Pairing.device_name).where(
        Pairing.user_code_hash == hash_of_typed(user_code),
        Pairing.state == PairingState.WAITING.value,
        Pairing.expires_at > at,
    )


def _guesses(reader: Identity) -> tuple[ThrottleKey, ...]:
    return (ThrottleKey("pairing code", str(reader.user_id), free=_FREE_GUESSES),)
