"""Which operations of a batch are carried out at once."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from plugins.desktop.sync.grouping import groups
from plugins.desktop.sync.messages import Add, Set, Start, Stop

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
THURSDAY = date(2026, 11, 26)


def start(task: int = 1) -> Start:
    return Start(id=uuid4(), kind="start", task_id=task, started_at=NOON)


def stop_of(begun: Start, task: int = 1) -> Stop:
    instants = {"started_at": begun.started_at, "stopped_at": NOON + timedelta(minutes=5)}
    return Stop(id=uuid4(), kind="stop", start_id=begun.id, task_id=task, **instants)


def addition() -> Add:
    return Add(id=uuid4(), kind="add", task_id=1, day=THURSDAY, minutes=5)


def test_rows_of_additions_and_of_whole_timers_are_groups_and_the_order_stays() -> None:
    one, two, running = start(), start(), start()
    correction = Set(id=uuid4(), kind="set", task_id=1, day=THURSDAY, minutes=5, memo="", version=0)
    told = [addition(), addition(), one, stop_of(one), two, stop_of(two), running, correction, addition()]
    found = groups(told)
    assert [len(group) for group in found] == [2, 4, 1, 1, 1]
    assert [operation for group in found for operation in group] == told


def test_a_stop_of_another_timer_or_on_another_task_makes_no_group() -> None:
    begun = start()
    assert [len(group) for group in groups([begun, stop_of(start())])] == [1, 1]
    assert [len(group) for group in groups([begun, stop_of(begun, task=2)])] == [1, 1]
    assert groups([]) == []
