"""Times of a day: read as people type them, never overlapping, counted in minutes that have passed."""

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sdk import Refusal
from plugins.standard.duration import show_clock
from plugins.standard.timesheet.spans import (
    BREAK,
    ReadDay,
    TimedSpan,
    TypedLine,
    elapsed,
    parse_time,
    read_day,
    read_lines,
)

TOKYO = ZoneInfo("Asia/Tokyo")
BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 26)
SPRING = date(2026, 3, 29)
AUTUMN = date(2026, 10, 25)


def read(*lines: tuple[str, str, str], kept: tuple[TimedSpan, ...] = (), before: tuple[TimedSpan, ...] = ()) -> ReadDay:
    typed = [TypedLine(number, *line) for number, line in enumerate(lines)]
    return read_day(typed, DAY, TOKYO, kept=kept, before=before)


def codes(found: ReadDay) -> dict[str, str]:
    return {field: refusal.code for field, refusal in found.refusals.items()}


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("9:05", 545),
        ("0905", 545),
        ("9", 540),
        ("9.30", 570),
        ("17h30", 1050),
        ("24:00", 1440),
        ("0:00", 0),
        (" 8 : 00 ", 480),
        ("０９：０５", 545),
        ("17時30分", 1050),
        ("17時", 1020),
    ],
)
def test_a_time_of_day_is_read(text: str, minute: int) -> None:
    assert parse_time(text) == minute


@pytest.mark.parametrize("text", ["25:00", "24:01", "9:60", "abc", "-1", "9:5", "1:2:3", "9" * 40, "١٢:٠٠x", "٩:٠٠:"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as raised:
        parse_time(text)
    assert raised.value.code == "time_invalid"


@given(st.integers(0, 1440))
def test_every_minute_that_is_shown_can_be_typed(minute: int) -> None:
    assert parse_time(show_clock(minute)) == minute


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_time_or_refused(text: str) -> None:
    try:
        minute = parse_time(text)
    except Refusal:
        return
    assert 0 <= minute <= 1440


def test_minutes_are_those_that_pass_also_when_clocks_change() -> None:
    assert elapsed(AUTUMN, 60, 240, BERLIN) == 240  # 1:00 to 4:00, with 2:00 to 3:00 twice
    assert elapsed(SPRING, 60, 240, BERLIN) == 120
    assert elapsed(AUTUMN, 0, 1440, BERLIN) == 25 * 60
    assert elapsed(SPRING, 0, 1440, BERLIN) == 23 * 60
    assert elapsed(AUTUMN, 60, 240, TOKYO) == 180


def test_a_time_that_clocks_skip_is_refused_at_its_field() -> None:
    with pytest.raises(Refusal) as raised:
        elapsed(SPRING, 150, 240, BERLIN)
    assert (raised.value.code, raised.value.field) == ("time_skipped", "start")


def test_lines_without_times_are_none() -> None:
    form = {"start-0": "9", "end-0": "10", "task-0": "1", "start-1": " ", "end-1": "", "task-1": "1", "start-x": "1"}
    assert read_lines(form) == (TypedLine(0, "9", "10", "1"),)


def test_a_day_is_read() -> None:
    found = read(("9", "10:30", "7"), ("10:30", "10:45", BREAK), ("10:45", "12", "7"))
    assert found.refusals == {}
    assert [(span.task_id, span.minutes) for span in found.spans] == [(7, 90), (None, 15), (7, 75)]


def test_each_mistake_is_named_at_its_field() -> None:
    found = read(("9", "", "7"), ("x", "10", "7"), ("11", "10", "7"), ("13", "14", ""), ("15", "15", "7"))
    assert codes(found) == {
        "end-0": "time_missing",
        "start-1": "time_invalid",
        "end-2": "ends_before_start",
        "task-3": "task_missing",
        "end-4": "ends_before_start",
    }


def test_what_overlaps_is_refused_at_the_later_line_and_also_beside_what_cannot_be_changed() -> None:
    assert codes(read(("10", "12", "7"), ("9", "11", "7"))) == {"start-0": "times_overlap"}
    assert codes(read(("9", "12", BREAK), ("10", "11", "7"))) == {"start-1": "times_overlap"}
    kept = (TimedSpan(600, 660, 9, 60),)
    assert codes(read(("10:30", "12", "7"), kept=kept)) == {"start-0": "times_overlap"}
    assert codes(read(("11", "12", "7"), kept=kept)) == {}


def test_times_that_stay_keep_the_minutes_that_a_timer_has_counted() -> None:
    before = (TimedSpan(540, 600, 7, 61),)
    assert read(("9:00", "10:00", "7"), before=before).spans[0].minutes == 61
    assert read(("9:00", "10:02", "7"), before=before).spans[0].minutes == 62


spans = st.tuples(st.integers(0, 1440), st.integers(0, 1440), st.sampled_from(["1", "2", BREAK]))


@given(st.lists(spans, max_size=8))
def test_what_is_accepted_never_overlaps_and_fits_a_day(drawn: list[tuple[int, int, str]]) -> None:
    found = read(*((show_clock(starts), show_clock(ends), task) for starts, ends, task in drawn))
    if not found.refusals:
        assert len(found.spans) == len(drawn)
        ordered = sorted(found.spans, key=lambda span: span.starts)
        assert all(first.ends <= second.starts for first, second in pairwise(ordered))
        assert sum(span.minutes for span in found.spans) <= 1440
