"""Two presses of one timer at the same moment, in two real transactions on both engines."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlalchemy import select

from app.sdk import Identity, Refusal, read_connection
from plugins.standard.models import RunningTimer, Span
from plugins.standard.tests.company import THURSDAY, Company
from plugins.standard.tests.sheet import entries
from plugins.standard.tests.test_closing_races import A_MOMENT, PATIENCE, started
from plugins.standard.timer import service
from plugins.standard.timer.service import Stopped, discard_timer, running_timer, start_timer, stop_timer

TOKYO = ZoneInfo("Asia/Tokyo")
NINE = datetime(THURSDAY.year, THURSDAY.month, THURSDAY.day, 9, tzinfo=TOKYO).astimezone(UTC)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads with connections of their own."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield pool


@pytest.fixture
def reader(office: Company) -> Identity:
    return cast(Identity, SimpleNamespace(user_id=office.writer.user_id, login=office.writer.login))


@pytest.fixture
def mark(office: Company, reader: Identity) -> Iterator[str]:
    """Of a timer that has run for an hour."""
    with time_machine.travel(NINE, tick=False) as clock, office.app.app_context():
        start_timer(reader, office.tasks["drawing"], "Flange", TOKYO)
        clock.move_to(NINE + timedelta(hours=1))
        running = running_timer(reader)
        assert running is not None
        yield running.mark


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[Event, Event]:
    """The first who stops a timer says so and waits, in the midst of the transaction."""
    holds, goes_on, stop = Event(), Event(), service._stop

    def hold(*arguments: Any) -> Stopped:
        if not holds.is_set():
            holds.set()
            assert goes_on.wait(PATIENCE)
        return stop(*arguments)

    monkeypatch.setattr(service, "_stop", hold)
    return holds, goes_on


Press = Callable[[Identity, str], object]


@pytest.mark.parametrize(
    "press",
    [lambda reader, mark: stop_timer(reader, mark, TOKYO), discard_timer],
    ids=["stop", "discard"],
)
def test_of_two_who_press_at_the_same_moment_one_records_the_hours_once_and_the_other_is_told(
    office: Company,
    reader: Identity,
    mark: str,
    threads: ThreadPoolExecutor,
    held: tuple[Event, Event],
    press: Press,
) -> None:
    holds, goes_on = held
    first = started(threads, office, lambda: stop_timer(reader, mark, TOKYO))
    assert holds.wait(PATIENCE)
    second = started(threads, office, lambda: press(reader, mark))
    with pytest.raises(TimeoutError):
        second.result(A_MOMENT)
    goes_on.set()
    assert cast(Stopped, first.result(PATIENCE)).minutes == 60
    refusal = second.exception(PATIENCE)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "timer_gone"
    assert entries(office) == {(office.tasks["drawing"], THURSDAY): (60, "Flange")}
    with office.app.app_context(), read_connection() as connection:
        assert len(connection.execute(select(Span.id)).all()) == 1
        assert connection.execute(select(RunningTimer.user_id)).all() == []
