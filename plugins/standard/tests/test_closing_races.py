"""Hours that are written while their day is being closed, in two real transactions on both engines."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, timedelta
from threading import Event
from types import SimpleNamespace
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from app.sdk import Identity, write_transaction
from plugins.standard.closing import service
from plugins.standard.closing.rules import Mode, Wanted
from plugins.standard.closing.service import carry_out, foresee
from plugins.standard.closing_days import lock_to_close
from plugins.standard.entries import CellChange, CellsRefused, save_cells, save_cells_in
from plugins.standard.people_hours import Seen
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.sheet import entries
from plugins.standard.workdays import WorkCalendar

SEEN = Seen(WorkCalendar(480, frozenset(range(5))), THURSDAY, ZoneInfo("Asia/Tokyo"))
SOMEBODY = cast(Identity, SimpleNamespace(login="c.endo"))
CLOSING = Wanted(Mode.THROUGH, THURSDAY)
A_MOMENT = 0.3
"""Seconds in which the other transaction would be through if nothing held it."""
PATIENCE = 10


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads with connections of their own."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield pool


def started(pool: ThreadPoolExecutor, office: Company, action: Callable[[], object]) -> Future[object]:
    """Do something in a thread of its own, in a context of its own."""

    def run() -> object:
        with office.app.app_context():
            return action()

    return pool.submit(run)


def hours(office: Company, day: date = THURSDAY) -> list[CellChange]:
    return [CellChange(office.tasks["drawing"], day, 60, "", 0)]


def close(office: Company, wanted: Wanted = CLOSING) -> Callable[[], object]:
    """Close the days as they are seen now."""
    with office.app.app_context():
        shown = foresee(wanted, SEEN).seen
    return lambda: carry_out(wanted, shown, SOMEBODY, SEEN)


@pytest.mark.parametrize("for_one_person", [False, True])
def test_closing_waits_for_hours_that_are_being_written(
    office: Company, threads: ThreadPoolExecutor, *, for_one_person: bool
) -> None:
    wanted = Wanted(Mode.THROUGH, THURSDAY, office.writer.user_id if for_one_person else None)
    closing = close(office, wanted)
    with office.app.app_context(), write_transaction() as session:
        save_cells_in(session, office.writer, hours(office))
        other = started(threads, office, closing)
        with pytest.raises(TimeoutError):
            other.result(A_MOMENT)
    effect = other.result(PATIENCE)
    assert getattr(effect, "entries", None) == 1, "what it counts includes what it has waited for"
    assert len(entries(office)) == 1


def test_hours_wait_for_the_day_that_is_being_closed_and_are_refused(
    office: Company, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing, holds, goes_on = close(office), Event(), Event()

    def hold(session: Session) -> None:
        lock_to_close(session)
        holds.set()
        assert goes_on.wait(PATIENCE)

    monkeypatch.setattr(service, "lock_to_close", hold)
    closed = started(threads, office, closing)
    assert holds.wait(PATIENCE)
    written = started(threads, office, lambda: save_cells(office.writer, hours(office)))
    with pytest.raises(TimeoutError):
        written.result(A_MOMENT)
    goes_on.set()
    closed.result(PATIENCE)
    with pytest.raises(CellsRefused) as raised:
        written.result(PATIENCE)
    assert [refusal.code for refusal in raised.value.refusals.values()] == ["day_closed"]
    assert entries(office) == {}
    with office.app.app_context():
        save_cells(office.writer, hours(office, THURSDAY + timedelta(days=1)))


def test_of_two_administrators_at_the_same_moment_one_is_told(office: Company, threads: ThreadPoolExecutor) -> None:
    opening = Wanted(Mode.THROUGH, THURSDAY - timedelta(days=1))
    both = [started(threads, office, action) for action in (close(office), close(office, opening))]
    errors = [each.exception(PATIENCE) for each in both]
    assert sorted(type(error).__name__ for error in errors) == ["ClosingChangedMeanwhile", "NoneType"]
    assert len(office.audited("closing.close")) == 1
