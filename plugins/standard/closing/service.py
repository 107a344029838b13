"""Reading and moving closing dates; what a move would do is counted before it is made."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, select, true, update
from sqlalchemy.orm import Session

from app.sdk import AuditEvent, Identity, Refusal, now, read_connection, record_audit, users, write_transaction
from plugins.standard.access import NO_SUCH_PERSON
from plugins.standard.closing.rules import Change, Direction, Mode, Wanted
from plugins.standard.closing_days import EVERYBODY, lock_to_close, scope_of
from plugins.standard.models import Closing, Entry, RunningTimer
from plugins.standard.people_hours import Period, Seen, hours_of_people
from plugins.standard.timesheet.service import AnyRow, AnySelect

PAGE = 25
"""Exceptions on a page."""
LOOK_BACK = 92
"""How many days back missing days are looked for: whoever lacks older ones will hardly fill them in now."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A closing date, and who set it."""

    through: date | None
    """The last closed day; None where nothing is closed."""
    at: datetime
    by: str
    """Login; empty where nobody has set anything yet."""


@dataclass(frozen=True, slots=True)
class PersonClosed:
    """One person's closing date."""

    user_id: int
    login: str
    name: str
    is_deleted: bool
    own: Closed | None
    """None where it is everybody's."""


@dataclass(frozen=True, slots=True)
class Overview:
    """What is closed for everybody, and a page of those who have a day of their own."""

    everybody: Closed
    exceptions: tuple[PersonClosed, ...]
    number: int
    """Of the page, from 1."""
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Lacking:
    """Somebody who has missing days among those that are being closed."""

    user_id: int
    name: str
    days: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What it does to set a closing date."""

    wanted: Wanted
    person: PersonClosed | None
    """None for everybody."""
    change: Change
    is_other_row: bool
    """Whether anything is written at all, be it that no day changes."""
    people: int
    """For how many registered people days change."""
    left_out: int
    """How many registered people have a day of their own, which stays."""
    entries: int
    minutes: int
    """Of those entries."""
    timers: int
    """How many timers have been running since a day that is being closed."""
    lacking: tuple[Lacking, ...]
    """Those with most missing days first; of nobody where days are opened."""
    seen: str
    """Digits that are others as soon as somebody else has moved a date that counts here."""


class ClosingChangedMeanwhile(Exception):  # noqa: N818 - not an error: what the page shows is out of date
    """Somebody else has moved the date since the page was made; nothing was written."""


@dataclass(frozen=True, slots=True)
class _Present:
    everybody: Closed
    person: PersonClosed | None

    @property
    def through(self) -> date | None:
        """What counts for whom it is about."""
        own = None if self.person is None else self.person.own
        return self.everybody.through if own is None else own.through

    @property
    def mark(self) -> str:
        own = None if self.person is None else self.person.own
        return "-".join(str(int(each.at.timestamp() * 1_000_000)) for each in (self.everybody, own) if each is not None)


# Reading ------------------------------------------------------------------------------------------------------------


def read_overview(page: int) -> Overview:
    """What is closed, with page ``page`` of the exceptions, or the nearest that there is."""
    own = select(func.count()).select_from(Closing).where(Closing.user_id.is_not(None))
    with read_connection() as connection:
        everybody = _everybody(connection)
        total = connection.execute(own).scalar_one()
        number = min(max(page, 1), max(1, -(-total // PAGE)))
        rows = connection.execute(
            _people()
            .where(Closing.user_id.is_not(None))
            .order_by(users.c.name, users.c.id)
            .limit(PAGE)
            .offset((number - 1) * PAGE)
        )
        return Overview(everybody, tuple(_person_of(row) for row in rows), number, total)


def read_person(user_id: int) -> tuple[Closed, PersonClosed]:
    """What is closed for everybody, and for one person.

    Raises:
        Refusal: ``person_unknown``.
    """
    with read_connection() as connection:
        present = _present(connection, user_id)
    if present.person is None:
        raise Refusal(NO_SUCH_PERSON)
    return present.everybody, present.person


def foresee(wanted: Wanted, seen: Seen) -> Effect:
    """What it would do to set a closing date.

    Raises:
        Refusal: ``person_unknown``.
    """
    with read_connection() as connection:
        return _effect(connection, _present(connection, wanted.person), wanted, seen)


def _everybody(connection: Connection) -> Closed:
    row = connection.execute(select(Closing).where(Closing.scope == EVERYBODY)).one()
    return Closed(row.closed_through, row.changed_at, row.changed_by)


def _people() -> AnySelect:
    return (
        select(users.c.id, users.c.login, users.c.name, users.c.deleted_at)
        .add_columns(Closing.scope, Closing.closed_through, Closing.changed_at, Closing.changed_by)
        .select_from(users)
        .outerjoin(Closing, Closing.user_id == users.c.id)
    )


def _person_of(row: AnyRow) -> PersonClosed:
    own = None if row.scope is None else Closed(row.closed_through, row.changed_at, row.changed_by)
    return PersonClosed(row.id, row.login, row.name, row.deleted_at is not None, own)


def _present(connection: Connection, user_id: int | None) -> _Present:
    everybody = _everybody(connection)
    if user_id is None:
        return _Present(everybody, None)
    row = connection.execute(_people().where(users.c.id == user_id)).one_or_none()
    if row is None:
        raise Refusal(NO_SUCH_PERSON)
    return _Present(everybody, _person_of(row))


# What it does -------------------------------------------------------------------------------------------------------


def _effect(connection: Connection, present: _Present, wanted: Wanted, seen: Seen) -> Effect:
    after = present.everybody.through if wanted.mode is Mode.FOLLOW else wanted.through
    change = Change(present.through, after)
    whom = _whom(wanted.person)
    people, left_out = _counted(connection, wanted.person)
    entries, minutes = _entries(connection, change, whom)
    closes = change.direction is Direction.CLOSES
    return Effect(
        wanted=wanted,
        person=present.person,
        change=change,
        is_other_row=_is_other_row(present, wanted),
        people=people,
        left_out=left_out,
        entries=entries,
        minutes=minutes,
        timers=_timers(connection, change, whom, seen) if closes else 0,
        lacking=_lacking(connection, change, whom, seen) if closes else (),
        seen=present.mark,
    )


def _is_other_row(present: _Present, wanted: Wanted) -> bool:
    own = None if present.person is None else present.person.own
    if wanted.mode is Mode.FOLLOW:
        return own is not None
    if wanted.person is not None and own is None:
        return True
    return present.through != wanted.through


def _whom(person: int | None) -> ColumnElement[bool]:
    """The condition on ``users`` that a date counts for somebody: the person, or all who have none of their own."""
    if person is not None:
        return users.c.id == person
    return and_(users.c.deleted_at.is_(None), ~_has_own())


def _has_own() -> ColumnElement[bool]:
    return exists().where(Closing.user_id == users.c.id).correlate(users)


def _counted(connection: Connection, person: int | None) -> tuple[int, int]:
    """For how many registered people the date counts, and how many have one of their own."""
    if person is not None:
        return 1, 0
    own = _has_own()
    query = select(own.label("own"), func.count()).select_from(users).where(users.c.deleted_at.is_(None))
    counts = {bool(has_own): people for has_own, people in connection.execute(query.group_by(own))}
    return counts.get(False, 0), counts.get(True, 0)


def _entries(connection: Connection, change: Change, whom: ColumnElement[bool]) -> tuple[int, int]:
    """How many entries are on the days that change, and their minutes."""
    if change.last is None:
        return 0, 0
    since = true() if change.first is None else Entry.day >= change.first
    query = (
        select(func.count(), func.coalesce(func.sum(Entry.minutes), 0))
        .select_from(Entry)
        .join(users, users.c.id == Entry.user_id)
        .where(Entry.day <= change.last, since, whom)
    )
    entries, minutes = connection.execute(query).one()
    return entries, int(minutes)


def _timers(connection: Connection, change: Change, whom: ColumnElement[bool], seen: Seen) -> int:
    """How many timers have been running since the last day that changes, or longer."""
    if change.last is None or change.last == date.max:
        return 0
    end = datetime.combine(change.last + timedelta(days=1), time.min, seen.zone)
    running = select(func.count()).select_from(RunningTimer).join(users, users.c.id == RunningTimer.user_id)
    return connection.execute(running.where(RunningTimer.started_at < end, whom)).scalar_one()


def looked_at(change: Change) -> Period | None:
    """The days in which missing ones are looked for; None where none is closed."""
    if change.last is None:
        return None
    earliest = date.fromordinal(max(1, change.last.toordinal() - LOOK_BACK))
    return Period(earliest if change.first is None else max(change.first, earliest), change.last)


def _lacking(connection: Connection, change: Change, whom: ColumnElement[bool], seen: Seen) -> tuple[Lacking, ...]:
    period = looked_at(change)
    if period is None:
        return ()
    people = hours_of_people(connection, period, seen, whom)
    found = (Lacking(each.user_id, each.name, each.hours.missing) for each in people if each.hours.missing)
    return tuple(sorted(found, key=lambda each: (-each.days, each.name, each.user_id)))


# Writing ------------------------------------------------------------------------------------------------------------


def carry_out(wanted: Wanted, shown: str, by: Identity, seen: Seen) -> Effect:
    """Set a closing date; what it has done.

    Args:
        wanted: which one, for whom.
        shown: ``Effect.seen`` of what was shown before.
        by: who does it.
        seen: from where it is looked at.

    Raises:
        Refusal: ``person_unknown``.
        ClosingChangedMeanwhile: somebody else has moved it since.
    """
    with write_transaction() as session:
        lock_to_close(session)
        connection = session.connection()
        present = _present(connection, wanted.person)
        if present.mark != shown:
            raise ClosingChangedMeanwhile
        effect = _effect(connection, present, wanted, seen)
        if effect.is_other_row:
            _write(session, present, wanted, by)
            _record(session, present, effect)
        return effect


def _write(session: Session, present: _Present, wanted: Wanted, by: Identity) -> None:
    scope = EVERYBODY if wanted.person is None else scope_of(wanted.person)
    values = {"closed_through": wanted.through, "changed_at": _later(present), "changed_by": by.login}
    if wanted.mode is Mode.FOLLOW:
        session.execute(delete(Closing).where(Closing.scope == scope))
    elif wanted.person is not None and present.person is not None and present.person.own is None:
        session.execute(insert(Closing).values(scope=scope, user_id=wanted.person, **values))
    else:
        session.execute(update(Closing).where(Closing.scope == scope).values(**values))


def _later(present: _Present) -> datetime:
    """Now, and later than every instant that a page may have shown, be the clock what it may."""
    own = () if present.person is None or present.person.own is None else (present.person.own,)
    return max(now(), *(each.at + timedelta(microseconds=1) for each in (present.everybody, *own)))


def _record(session: Session, present: _Present, effect: Effect) -> None:
    opens = effect.change.direction is Direction.OPENS
    was_own = present.person is not None and present.person.own is not None
    record_audit(
        session,
        AuditEvent(
            "closing.reopen" if opens else "closing.close",
            target=EVERYBODY if effect.person is None else effect.person.login,
            before=_audited(effect.change.before, present.person, is_own=was_own),
            after=_audited(effect.change.after, present.person, is_own=effect.wanted.mode is not Mode.FOLLOW),
        ),
    )


def _audited(through: date | None, person: PersonClosed | None, *, is_own: bool) -> dict[str, str | bool]:
    closed: dict[str, str | bool] = {"closed_through": "" if through is None else through.isoformat()}
    return closed if person is None else {**closed, "own_closing_date": is_own}
