"""Slows guessing down: per account and per address, in the database, for the log-in and the set-up code.

A few failures are free; from then on each one closes the key for twice as long as the last, up to fifteen minutes.
The libraries for rate limits keep their counts in memory or in servers that this product does not ask for.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.orm import Session

from app.auth.models import Throttle
from app.auth.reasons import TOO_MANY_ATTEMPTS
from app.database import read_connection
from app.refusal import Refusal

IPV4 = 4
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(hours=1)

# Made once: each log-in runs them, and making a statement costs more than running it.
_FAILED = select(Throttle.key, Throttle.open_again_at).where(Throttle.key.in_(bindparam("keys", expanding=True)))
_FORGET = delete(Throttle).where(Throttle.key == bindparam("forgotten"))


@dataclass(frozen=True, slots=True)
class Key:
    """What is slowed down: ``kind`` is ``account``, ``address`` or ``setup``, and ``free`` failures cost nothing."""

    kind: str
    value: str
    free: int

    @property
    def digest(self) -> str:
        """SHA-256 in hex, as stored: the table names neither people nor addresses."""
        return hashlib.sha256(f"{self.kind}\0{self.value}".encode("utf-8", "surrogatepass")).hexdigest()


def account(login_key: str) -> Key:
    """The key of one login name, whether such a user exists or not."""
    return Key("account", login_key, free=5)


def address(remote: str) -> Key:
    """The key of one client address; an office behind one address shares it, hence more is free.

    Of IPv6 it is the network of 64 bits, since a single client has all of its addresses.
    """
    return Key("address", _network(remote), free=20)


def setup(remote: str) -> Key:
    """The key of the set-up code for one client address."""
    return Key("setup", _network(remote), free=5)


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
    closed_until = [until for until in _read(keys, connection).values() if until > now]
    if closed_until:
        wait = max(closed_until) - now
        raise Refusal(TOO_MANY_ATTEMPTS, minutes=-(-int(wait.total_seconds() + 0.999) // 60))


def is_open(keys: tuple[Key, ...], now: datetime, connection: Connection | None = None) -> bool:
    """Whether none of ``keys`` is closed."""
    return all(until <= now for until in _read(keys, connection).values())


def failed_before(keys: tuple[Key, ...], now: datetime, connection: Connection) -> frozenset[Key] | None:
    """Those of ``keys`` that have failed before; None where one of them is closed."""
    found = _read(keys, connection)
    return frozenset(found) if all(until <= now for until in found.values()) else None


def _read(keys: tuple[Key, ...], connection: Connection | None) -> dict[Key, datetime]:
    """The keys that have failed, with the instant from which each is open again."""
    if connection is None:
        with read_connection() as outside:
            return _read(keys, outside)
    by_digest = {key.digest: key for key in keys}
    rows = connection.execute(_FAILED, {"keys": list(by_digest)})
    return {by_digest[row.key]: row.open_again_at for row in rows}


def count_failure(session: Session, keys: tuple[Key, ...], now: datetime) -> None:
    """Count one failure for each of ``keys`` and close those that have failed too often."""
    session.execute(delete(Throttle).where(Throttle.forgotten_at < now))
    for key in keys:
        entry = session.get(Throttle, key.digest, with_for_update=True)
        if entry is None:
            entry = Throttle(key=key.digest, failures=0, open_again_at=datetime(1970, 1, 1, tzinfo=UTC))
            session.add(entry)
        entry.failures += 1
        over = entry.failures - key.free
        wait = min(_FIRST_WAIT * 2 ** min(max(over - 1, 0), 10), _LONGEST_WAIT) if over > 0 else timedelta()
        entry.open_again_at = now + wait
        entry.forgotten_at = now + max(wait, _FORGOTTEN_AFTER)


def forget(session: Session, key: Key) -> None:
    """Forget the failures of ``key`` after a success."""
    session.connection().execute(_FORGET, {"forgotten": key.digest})
