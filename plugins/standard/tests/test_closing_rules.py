"""Which days a closing date changes, and what can be asked for."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import plugins.standard
from app.sdk import Refusal
from plugins.standard.closing.rules import Change, Direction, Mode, Wanted, read_wanted, useful_days
from plugins.standard.closing_days import ClosedDays

TODAY = date(2026, 11, 26)
CLOSING_DATES = st.none() | st.dates()


@given(CLOSING_DATES, CLOSING_DATES, st.dates())
def test_exactly_those_days_change_that_are_closed_before_or_after(
    before: date | None, after: date | None, day: date
) -> None:
    change = Change(before, after)
    assert change.holds(day) == (ClosedDays(before).holds(day) != ClosedDays(after).holds(day))


@given(CLOSING_DATES, CLOSING_DATES)
def test_the_way_back_changes_the_same_days_the_other_way(before: date | None, after: date | None) -> None:
    there, back = Change(before, after), Change(after, before)
    assert (there.first, there.last) == (back.first, back.last)
    opposite = {Direction.CLOSES: Direction.OPENS, Direction.OPENS: Direction.CLOSES}
    assert back.direction == opposite.get(there.direction, Direction.NEITHER)


@given(st.text(max_size=20), st.text(max_size=20), st.none() | st.integers())
def test_whatever_is_sent_is_a_wish_or_a_refusal(mode: str, through: str, person: int | None) -> None:
    try:
        wanted = read_wanted({"mode": mode, "through": through}, person, today=TODAY)
    except Refusal:
        return
    assert wanted.through is None or wanted.through <= TODAY


@given(st.dates(max_value=TODAY))
def test_every_day_until_today_can_be_closed(day: date) -> None:
    assert read_wanted({"through": day.isoformat()}, None, today=TODAY) == Wanted(Mode.THROUGH, day)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "closing_day_missing"),
        ("2026-11-27", "closing_in_future"),
        ("9999-12-31", "closing_in_future"),
        ("0000-01-01", "closing_day_invalid"),
        ("2026-11-31", "closing_day_invalid"),
        ("20261126", "closing_day_invalid"),
        ("2026-W48-4", "closing_day_invalid"),
        ("26.11.2026", "closing_day_invalid"),
        ("\0" * 10, "closing_day_invalid"),
        ("２０２６-11-26", "closing_day_invalid"),
    ],
)
def test_a_day_that_cannot_be_closed_is_refused_with_the_reason(text: str, code: str) -> None:
    with pytest.raises(Refusal) as raised:
        read_wanted({"through": text}, None, today=TODAY)
    assert raised.value.code == code


def test_only_a_person_can_follow_everybody() -> None:
    assert read_wanted({"mode": "follow"}, 7, today=TODAY) == Wanted(Mode.FOLLOW, person=7)
    with pytest.raises(Refusal):
        read_wanted({"mode": "follow"}, None, today=TODAY)


@given(CLOSING_DATES, st.dates())
def test_month_ends_are_offered_that_are_over_and_open(closed: date | None, today: date) -> None:
    for day in useful_days(closed, today):
        assert day < today
        assert (day + timedelta(days=1)).day == 1
        assert not ClosedDays(closed).holds(day)


def test_the_last_two_month_ends_are_offered() -> None:
    assert useful_days(None, TODAY) == (date(2026, 10, 31), date(2026, 9, 30))
    assert useful_days(date(2026, 9, 30), TODAY) == (date(2026, 10, 31),)


def test_hours_are_written_in_one_place() -> None:
    writes = re.compile(r"\b(insert|update|delete)\(Entry\)|\.add\(Entry\(|add_all\(\s*Entry\(")
    folder = Path(plugins.standard.__file__).parent
    files = [path for path in folder.rglob("*.py") if not {"tests", "demo", "migrations"} & set(path.parts)]
    assert [path.name for path in files if writes.search(path.read_text())] == ["entries.py"]
