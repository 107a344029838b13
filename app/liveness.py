"""Whether a pooled connection to PostgreSQL still holds, mostly without asking the server.

A server that ends a connection closes its end, which the socket tells at once; only after a pause may the network have
lost it unnoticed, as firewalls do. SQLAlchemy's ``pool_pre_ping`` asks each time, which costs a way there and back
before every statement.
"""

import select
from time import monotonic
from typing import Any, Protocol

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

UNASKED_SECONDS = 30.0
"""How long a connection is trusted after its last use."""
_USED_AT = "timetracker_used_at"


class _Socketed(Protocol):
    def fileno(self) -> int: ...


def check_liveness(engine: Engine) -> None:
    """Look at each connection of ``engine`` before it is lent; one that is gone is replaced, and all others with it."""

    def note(connection: object, entry: ConnectionPoolEntry) -> None:  # noqa: ARG001 - SQLAlchemy's signature
        entry.info[_USED_AT] = monotonic()

    def check(connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        used_at = entry.info.get(_USED_AT)
        if used_at is not None and monotonic() - used_at < UNASKED_SECONDS and _is_quiet(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError("the server has gone") from error

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", check)


def _is_quiet(connection: _Socketed) -> bool:
    """Whether the server has sent nothing: to somebody who has not asked, it says that it goes, or that it has gone."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)
