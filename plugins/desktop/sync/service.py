"""Carrying out what devices tell, each operation once, whatever of it is refused."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.sdk import Identity, Refusal, code_texts, now, write_transaction
from plugins.desktop.models import Operation as Told
from plugins.desktop.sync.grouping import Group, groups
from plugins.desktop.sync.messages import (
    Add,
    Batch,
    Operation,
    Present,
    Result,
    Set,
    Start,
    Status,
    Stop,
)
from plugins.standard.interface import (
    EMPTY,
    CellChange,
    CellsChangedMeanwhile,
    CellsRefused,
    Worked,
    Writer,
    lock_hours,
    merged_memo,
    present_cells,
    record_all,
    record_work,
    save_cells_in,
    start_at,
    stop_at,
)

KEPT_FOR = timedelta(days=90)
"""For how long it is known what has been told; a device that has been off line for longer asks people first."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of an operation, and the mark of the timer that runs because of it."""

    result: Result
    timer: str | None = None


@dataclass(frozen=True, slots=True)
class _Desk:
    """Whose operations are carried out, in which transaction."""

    session: Session
    person: Identity
    zone: ZoneInfo

    @property
    def writer(self) -> Writer:
        """The person, who writes their own hours."""
        return Writer(self.person.user_id, self.person.login, by=self.person.login)

    def timer_of(self, start_id: UUID) -> str | None:
        """The mark of the timer that a start has begun; None of one that was never told, refused or deferred."""
        query = select(Told.timer).where(Told.user_id == self.person.user_id, Told.operation_id == start_id)
        return self.session.execute(query).scalar_one_or_none()


def carry_out(person: Identity, batch: Batch, zone: ZoneInfo) -> list[Result]:
    """Carry out a batch in one transaction, in order.

    What is refused loses no other, and what was told before is answered as it was then.

    Args:
        person: whose device it is.
        batch: what it tells.
        zone: the person's.
    """
    with write_transaction() as session:
        desk = _Desk(session, person, zone)
        lock_hours(session, desk.writer)  # two devices of one person, one after the other
        session.execute(delete(Told).where(Told.at < now() - KEPT_FOR))
        known = _known(desk, (operation.id for operation in batch.operations))
        fresh = {operation.id: operation for operation in batch.operations if operation.id not in known}
        for group in groups(tuple(fresh.values())):
            known |= {outcome.result.id: outcome.result for outcome in _carry_out_group(desk, group)}
        return [known[operation.id] for operation in batch.operations]


def _known(desk: _Desk, ids: Iterable[UUID]) -> dict[UUID, Result]:
    query = select(Told.operation_id, Told.result)
    rows = desk.session.execute(query.where(Told.user_id == desk.person.user_id, Told.operation_id.in_(set(ids))))
    return {row.operation_id: Result.model_validate(row.result) for row in rows}


def _note(desk: _Desk, outcomes: Iterable[_Outcome]) -> None:
    """Keep what was told, and what was answered."""
    rows = [
        {
            "user_id": desk.person.user_id,
            "operation_id": outcome.result.id,
            "result": outcome.result.model_dump(mode="json", exclude_none=True),
            "timer": outcome.timer,
            "at": now(),
        }
        for outcome in outcomes
    ]
    desk.session.execute(insert(Told), rows)


def _carry_out_group(desk: _Desk, group: Group) -> list[_Outcome]:
    """All at once, or, where that cannot be, one by one."""
    outcomes = _carry_out_at_once(desk, group) if len(group) > 1 else None
    if outcomes is not None:
        _note(desk, outcomes)
        return outcomes
    outcomes = []
    for operation in group:
        outcomes.append(_attempt(desk, operation))
        _note(desk, outcomes[-1:])  # a stop asks what its start has begun
    return outcomes


def _carry_out_at_once(desk: _Desk, group: Group) -> list[_Outcome] | None:
    """The outcomes, or None where any is refused, which loses no other, or a timer runs that the first may stop."""
    savepoint = desk.session.begin_nested()
    try:
        outcomes = _add_all(desk, group) if isinstance(group[0], Add) else _record_timers(desk, group)
    except (Refusal, CellsRefused, CellsChangedMeanwhile):
        outcomes = None
    (savepoint.rollback if outcomes is None else savepoint.commit)()
    return outcomes


def _add_all(desk: _Desk, group: Group) -> list[_Outcome]:
    additions = [told for told in group if isinstance(told, Add)]
    present = present_cells(desk.session, desk.person.user_id, [(told.task_id, told.day) for told in additions])
    changes: dict[tuple[int, date], CellChange] = {}
    for told in additions:
        cell = told.task_id, told.day
        before = changes.get(cell) or present.get(cell, EMPTY)
        memo = merged_memo(before.memo, told.memo)
        changes[cell] = CellChange(*cell, before.minutes + told.minutes, memo, before.version)
    save_cells_in(desk.session, desk.writer, tuple(changes.values()))
    return [_Outcome(Result(id=told.id, status=Status.DONE, days={told.day: told.minutes})) for told in additions]


def _record_timers(desk: _Desk, group: Group) -> list[_Outcome] | None:
    starts = [told for told in group if isinstance(told, Start)]
    stops = [told for told in group if isinstance(told, Stop)]
    works = [
        (Worked(start.task_id, start.started_at, stop.memo or start.memo), stop.stopped_at)
        for start, stop in zip(starts, stops, strict=True)
    ]
    recorded = record_all(desk.session, desk.person, works, desk.zone)
    if recorded is None:
        return None
    outcomes = []
    for start, stop, (mark, days) in zip(starts, stops, recorded, strict=True):
        outcomes.append(_Outcome(Result(id=start.id, status=Status.DONE), mark))
        outcomes.append(_Outcome(Result(id=stop.id, status=Status.DONE, days=days)))
    return outcomes


def _attempt(desk: _Desk, operation: Operation) -> _Outcome:
    savepoint = desk.session.begin_nested()
    try:
        outcome = _HANDLERS[type(operation)](desk, operation)
    except Refusal as refusal:
        savepoint.rollback()
        return _Outcome(_refused(operation.id, refusal))
    except CellsRefused as refused:
        savepoint.rollback()
        return _Outcome(_refused(operation.id, next(iter(refused.refusals.values()))))
    except CellsChangedMeanwhile as changed:
        savepoint.rollback()
        present = next(iter(changed.present.values()))
        value = Present(minutes=present.minutes, memo=present.memo, version=present.version)
        return _Outcome(Result(id=operation.id, status=Status.CONFLICT, present=value))
    savepoint.commit()
    return outcome


def _refused(operation_id: UUID, refusal: Refusal) -> Result:
    texts = code_texts(refusal)
    return Result(
        id=operation_id, status=Status.REFUSED, code=texts.code, message=texts.message, remedy=texts.remedy or None
    )


def _start(desk: _Desk, told: Start) -> _Outcome:
    mark = start_at(desk.session, desk.person, Worked(told.task_id, told.started_at, told.memo), desk.zone)
    deferred = True if mark is None else None
    return _Outcome(Result(id=told.id, status=Status.DONE, deferred=deferred), mark)


def _stop(desk: _Desk, told: Stop) -> _Outcome:
    mark = desk.timer_of(told.start_id)
    if mark is not None:
        days = stop_at(desk.session, desk.person, mark, told.stopped_at, desk.zone, memo=told.memo)
        if days is None:
            return _Outcome(Result(id=told.id, status=Status.ALREADY))
    else:  # the server has never heard of its start, has refused it, or a later timer was running
        work = Worked(told.task_id, told.started_at, told.memo)
        days = record_work(desk.session, desk.person, work, told.stopped_at, desk.zone)
    return _Outcome(Result(id=told.id, status=Status.DONE, days=days))


def _set(desk: _Desk, told: Set) -> _Outcome:
    change = CellChange(told.task_id, told.day, told.minutes, told.memo, told.version)
    save_cells_in(desk.session, desk.writer, (change,))
    return _Outcome(Result(id=told.id, status=Status.DONE))


def _add(desk: _Desk, told: Add) -> _Outcome:
    return _add_all(desk, (told,))[0]


_HANDLERS: Mapping[type[Any], Callable[[_Desk, Any], _Outcome]] = {
    Start: _start,
    Stop: _stop,
    Set: _set,
    Add: _add,
}
