"""Slows guessing down: per account and per address, in the database, for the log-in and the set-up code.

A few failures are free; from then on each one closes the key for twice as long as the last, up to fifteen minutes.
The libraries for rate limits keep their counts in memory or in servers that this product does not ask for.
"""

import hashlib
import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Self

from sqlalchemy import Connection, bindparam, delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.auth.models import Throttle
from app.auth.reasons import TOO_MANY_ATTEMPTS
from app.database import Transaction, UtcDateTime, connection_of, read_connection
from app.refusal import Refusal

IPV4 = 4
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=1)

# Made once: each log-in runs them, and making a statement costs more than running it.
_KEYS = ("throttled", "throttled_as_well")
_OF_KEYS = Throttle.key.in_([bindparam(name) for name in _KEYS])
_CLOSED_UNTIL = select(func.max(Throttle.open_again_at)).where(_OF_KEYS)
CLOSED_UNTIL = _CLOSED_UNTIL.scalar_subquery()
"""When all keys are open again, null where none has failed; for a statement that reads something else besides."""
IS_OPEN = ~exists().where(_OF_KEYS, Throttle.open_again_at > bindparam("now", type_=UtcDateTime()))
"""Whether none of the keys is closed at ``now``; for a statement that is to do nothing otherwise."""
_FORGET = delete(Throttle).where(Throttle.key == bindparam("forgotten"))


@dataclass(frozen=True, slots=True)
class Key:
    """What is slowed down: ``kind`` is ``account``, ``address`` or ``setup``, and ``free`` failures cost nothing."""

    kind: str
    value: str
    free: int

    @classmethod
    def of_address(cls, kind: str, remote: str, *, free: int) -> Self:
        """The key of one client address; of IPv6 the network of 64 bits, since a single client has all of it."""
        return cls(kind, _network(remote), free)

    @property
    def digest(self) -> str:
        """SHA-256 in hex, as stored: the table names neither people nor addresses."""
        return hashlib.sha256(f"{self.kind}\0{self.value}".encode("utf-8", "surrogatepass")).hexdigest()


def account(login_key: str) -> Key:
    """The key of one login name, whether such a user exists or not."""
    return Key("account", login_key, free=5)


def address(remote: str) -> Key:
    """The key of one client address; an office behind one address shares it, hence more is free."""
    return Key.of_address("address", remote, free=20)


def setup(remote: str) -> Key:
    """The key of the set-up code for one client address."""
    return Key.of_address("setup", remote, free=5)


def _network(remote: str) -> str:
    try:
        parsed = ip_address(remote)
    except ValueError:
        return remote
    return remote if parsed.version == IPV4 else str(ip_network((parsed, 64), strict=False))


def password_change(user_id: int) -> Key:
    """The key of changing one's own password."""
    return Key("password change", str(user_id), free=5)


def require_open(keys: tuple[Key, ...], now: datetime, connection: Connection | None = None) -> None:
    """Refuse while one of ``keys`` is closed.

    Args:
        keys: what is slowed down together.
        now: the request's instant.
        connection: where to look, such as that of the write transaction; None reads outside of one.

    Raises:
        Refusal: ``too_many_attempts``, with the minutes to wait.
    """
    refuse_until(_closed_until(keys, connection), now)


def refuse_until(closed_until: datetime | None, now: datetime) -> None:
    """Refuse where ``closed_until`` (the value of ``CLOSED_UNTIL``) is still to come.

    Raises:
        Refusal: ``too_many_attempts``, with the minutes to wait.
    """
    if closed_until is not None and closed_until > now:
        seconds = math.ceil((closed_until - now).total_seconds())
        raise Refusal(TOO_MANY_ATTEMPTS, retry_after=seconds, minutes=math.ceil(seconds / 60))


def is_open(keys: tuple[Key, ...], now: datetime, connection: Connection | None = None) -> bool:
    """Whether none of ``keys`` is closed."""
    closed_until = _closed_until(keys, connection)
    return closed_until is None or closed_until <= now


def _closed_until(keys: tuple[Key, ...], connection: Connection | None) -> datetime | None:
    if connection is None:
        with read_connection() as outside:
            return _closed_until(keys, outside)
    return connection.execute(_CLOSED_UNTIL, digests(keys)).scalar_one()


def digests(keys: tuple[Key, ...]) -> dict[str, str]:
    """The parameters of a statement that has ``CLOSED_UNTIL`` or ``IS_OPEN`` in it, for one key or for two."""
    each = [key.digest for key in keys]
    return dict(zip(_KEYS, each * (len(_KEYS) // len(each)), strict=True))


def count_failure(session: Session, keys: tuple[Key, ...], now: datetime) -> None:
    """Count one failure for each of ``keys`` and close those that have failed too often."""
    session.execute(delete(Throttle).where(Throttle.forgotten_at < now))
    for key in keys:
        entry = _locked(session, key)
        entry.failures += 1
        over = entry.failures - key.free
        wait = min(_FIRST_WAIT * 2 ** min(max(over - 1, 0), 10), _LONGEST_WAIT) if over > 0 else timedelta()
        entry.open_again_at = now + wait
        entry.forgotten_at = now + max(wait, _FORGOTTEN_AFTER)


def _locked(session: Session, key: Key) -> Throttle:
    """The row of ``key``, made where there is none; two that fail for the first time at once make one and share it."""
    entry = session.get(Throttle, key.digest, with_for_update=True)
    if entry is not None:
        return entry
    never = datetime(1970, 1, 1, tzinfo=UTC)
    with suppress(IntegrityError), session.begin_nested():
        session.add(Throttle(key=key.digest, failures=0, open_again_at=never, forgotten_at=never))
    return session.get_one(Throttle, key.digest, with_for_update=True)


def forget(transaction: Transaction, key: Key) -> None:
    """Forget the failures of ``key`` after a success."""
    connection_of(transaction).execute(_FORGET, {"forgotten": key.digest})
