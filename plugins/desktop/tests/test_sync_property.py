"""Whatever a device tells, in whatever batches and however often: each operation takes effect once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugins.desktop.tests.conftest import Device, operation
from plugins.standard.duration import DAY
from plugins.standard.tests.company import Company
from plugins.standard.tests.sheet import entries

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
CLOSED = date(2025, 12, 31)
TASKS = ("drawing", "review", "of others")
STALE = 7
"""A version that no cell has ever had."""

new = st.tuples(
    st.sampled_from(["add", "set"]),
    st.sampled_from(TASKS),
    st.integers(0, 2),
    st.sampled_from([0, 1, 30, 700, DAY]),
    st.booleans(),
)
again = st.integers(0, 30)
batches = st.lists(st.lists(new | again, max_size=8), max_size=6)


@dataclass
class Sheet:
    """What a sheet is after each operation was carried out once: minutes and version of each cell that is not empty."""

    cells: dict[tuple[str, date], tuple[int, int]] = field(default_factory=dict)

    def carry_out(self, told: dict[str, Any], task: str, at: datetime) -> str:
        """What becomes of an operation that was never told before; the status of the answer."""
        day = date.fromisoformat(told["day"])
        minutes, version = self.cells.get((task, day), (0, 0))
        wanted = told["minutes"] + (minutes if told["kind"] == "add" else 0)
        if wanted == minutes:
            return "done"
        if day <= CLOSED or task == "of others":
            return "refused"
        if told.get("version", version) != version:
            return "conflict"
        others = sum(found for (_, on), (found, _) in self.cells.items() if on == day) - minutes
        if wanted and others + wanted > DAY:
            return "refused"
        if wanted:
            self.cells[task, day] = wanted, max(version + 1, int(at.timestamp() * 1_000_000))
        else:
            del self.cells[task, day]
        return "done"


@pytest.fixture
def days() -> Iterator[date]:
    """Days that no example before has used, two for each."""
    return (date(2026, 1, 1) + timedelta(days=2 * number) for number in count())


@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=batches)
def test_each_operation_takes_effect_once_and_harms_no_other(
    office: Company, device: Device, days: Iterator[date], batches: list[list[Any]]
) -> None:
    office.close(CLOSED)
    first = next(days)
    places = (first, first + timedelta(days=1), CLOSED)
    sheet = Sheet()
    told: list[tuple[dict[str, Any], str]] = []
    answers: dict[str, dict[str, object]] = {}
    for number, batch in enumerate(batches):
        at = NOON + timedelta(seconds=number)
        known_before = dict(sheet.cells)
        sent = []
        for item in batch:
            if isinstance(item, int):
                if told:
                    sent.append(told[item % len(told)])
                continue
            kind, task, place, minutes, is_stale = item
            values = {"task_id": office.tasks[task], "day": places[place].isoformat(), "minutes": minutes}
            if kind == "set":
                values["version"] = STALE if is_stale else known_before.get((task, places[place]), (0, 0))[1]
            sent.append((operation(kind, **values), task))
            told.append(sent[-1])
        with time_machine.travel(at, tick=False):
            results = device.tell(*(each for each, _ in sent))
        assert [result["id"] for result in results] == [each["id"] for each, _ in sent]
        for (each, task), result in zip(sent, results, strict=True):
            if each["id"] not in answers:
                assert result["status"] == sheet.carry_out(each, task, at)
            assert answers.setdefault(each["id"], result) == result

    expected = {(office.tasks[task], day): (minutes, "") for (task, day), (minutes, _) in sheet.cells.items()}
    assert {cell: value for cell, value in entries(office).items() if cell[1] in places} == expected
