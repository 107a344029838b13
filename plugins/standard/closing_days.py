"""Which days are closed: the one answer for the sheet, the timer, imports and whatever else writes hours."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Select, select
from sqlalchemy.orm import Session

from plugins.standard.models import Closing

EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """Up to which day somebody's hours are closed."""

    through: date | None
    """The last closed day; None where nothing is closed."""

    def holds(self, day: date) -> bool:
        """Whether ``day`` is closed."""
        return self.through is not None and day <= self.through


def scope_of(user_id: int) -> str:
    """The scope of the row that is one person's own."""
    return f"user:{user_id}"


def closed_days(connection: Connection, user_id: int) -> ClosedDays:
    """The days that are closed for ``user_id``: those of the person's own row where there is one, else everybody's."""
    return _effective({row.scope: row.closed_through for row in connection.execute(_rows_of(user_id))}, user_id)


def lock_closed_days(session: Session, user_id: int) -> ClosedDays:
    """The same inside a transaction that writes hours; nobody closes or opens a day until it ends.

    On SQLite the transaction has the one write lock already. On PostgreSQL the row for everybody is locked, which the
    first migration makes and nobody removes; whoever closes a day for one person locks it too.
    """
    everybody = select(Closing.scope).where(Closing.scope == EVERYBODY)
    session.execute(everybody.with_for_update(read=True))
    return _effective({row.scope: row.closed_through for row in session.execute(_rows_of(user_id))}, user_id)


def lock_to_close(session: Session) -> None:
    """Wait for everybody who is writing hours, and let nobody begin, until the transaction ends.

    Whoever closes or opens days begins with it, for one person as for everybody.
    """
    session.execute(select(Closing.scope).where(Closing.scope == EVERYBODY).with_for_update())


def _rows_of(user_id: int) -> Select[str, date | None]:
    return select(Closing.scope, Closing.closed_through).where(Closing.scope.in_((EVERYBODY, scope_of(user_id))))


def _effective(rows: dict[str, date | None], user_id: int) -> ClosedDays:
    return ClosedDays(rows.get(scope_of(user_id), rows.get(EVERYBODY)))
