"""What a timer is worth: whole minutes, cut at midnights, also where clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sdk import Refusal
from plugins.standard.duration import DAY
from plugins.standard.timer.rules import (
    Moment,
    Part,
    cut_into_days,
    elapsed_minutes,
    is_forgotten,
    merged_memo,
    moment_of,
    read_moment,
    whole_minute,
)
from plugins.standard.timesheet.spans import elapsed

TOKYO = ZoneInfo("Asia/Tokyo")
BERLIN = ZoneInfo("Europe/Berlin")
CAIRO = ZoneInfo("Africa/Cairo")  # clocks skip the first hour of a day, and repeat the last one of another
AZORES = ZoneInfo("Atlantic/Azores")  # clocks repeat the first hour of a day
ZONES = [TOKYO, BERLIN, CAIRO, AZORES, *map(ZoneInfo, ("America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"))]
NIGHT = date(2026, 10, 25)
"""The day on which clocks in Berlin go back from 3:00 to 2:00."""


def at(zone: ZoneInfo, day: date, hour: int, minute: int = 0, second: int = 0, *, fold: int = 0) -> datetime:
    local = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone, fold=fold)
    return local.astimezone(UTC)


def test_it_counts_whole_minutes_from_the_minute_of_its_start() -> None:
    day = date(2026, 11, 26)
    parts = cut_into_days(at(TOKYO, day, 9, 5, 40), at(TOKYO, day, 10, 5, 20), TOKYO)
    assert parts == (Part(day, 545, 604, 59),)
    assert cut_into_days(at(TOKYO, day, 9, 5, 0), at(TOKYO, day, 9, 5, 59), TOKYO) == ()


def test_what_is_started_as_another_is_stopped_does_not_overlap_it() -> None:
    day = date(2026, 11, 26)
    switched = at(TOKYO, day, 10, 5, 20)
    before = cut_into_days(at(TOKYO, day, 9, 5, 20), switched, TOKYO)
    after = cut_into_days(switched, at(TOKYO, day, 11), TOKYO)
    assert (before[0].ends, after[0].starts) == (605, 605)


def test_midnight_of_the_person_cuts_it_and_nothing_is_lost() -> None:
    day = date(2026, 11, 26)
    parts = cut_into_days(at(TOKYO, day, 23, 30, 59), at(TOKYO, day + timedelta(days=2), 1, 0, 58), TOKYO)
    assert parts == (
        Part(day, 1410, 1440, 30),
        Part(day + timedelta(days=1), 0, 1440, 1440),
        Part(day + timedelta(days=2), 0, 59, 59),
    )


def test_a_night_in_which_clocks_go_forward_has_an_hour_less() -> None:
    day = date(2026, 3, 29)
    assert cut_into_days(at(BERLIN, day, 1, 30), at(BERLIN, day, 3, 30), BERLIN) == (Part(day, 90, 210, 60),)


def test_a_night_in_which_clocks_go_back_has_an_hour_more() -> None:
    parts = cut_into_days(at(BERLIN, NIGHT, 1), at(BERLIN, NIGHT, 4), BERLIN)
    assert parts == (Part(NIGHT, 60, 240, 240),)
    assert elapsed(NIGHT, 60, 240, BERLIN) == 240  # as the day view counts it


def test_what_ends_earlier_on_the_clock_than_it_began_is_two_parts() -> None:
    parts = cut_into_days(at(BERLIN, NIGHT, 2, 50), at(BERLIN, NIGHT, 2, 10, fold=1), BERLIN)
    assert parts == (Part(NIGHT, 170, 180, 10), Part(NIGHT, 120, 130, 10))
    exactly = cut_into_days(at(BERLIN, NIGHT, 2, 0), at(BERLIN, NIGHT, 2, 0, fold=1), BERLIN)
    assert exactly == (Part(NIGHT, 120, 180, 60),)


def test_a_day_that_begins_at_one_o_clock_is_cut_there() -> None:
    day = date(2026, 4, 24)
    parts = cut_into_days(at(CAIRO, day - timedelta(days=1), 23, 30), at(CAIRO, day, 1, 30), CAIRO)
    assert parts == (Part(day - timedelta(days=1), 1410, 1440, 30), Part(day, 60, 90, 30))


@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis wants them naive
    length=st.timedeltas(timedelta(0), timedelta(days=4)),
    zone=st.sampled_from(ZONES),
)
def test_the_parts_add_up_and_each_is_a_span_of_its_day(start: datetime, length: timedelta, zone: ZoneInfo) -> None:
    parts = cut_into_days(start, start + length, zone)
    assert sum(part.minutes for part in parts) == elapsed_minutes(start, start + length)
    assert all(0 <= part.starts < part.ends <= DAY and part.minutes > 0 for part in parts)
    days = [part.day for part in parts]
    assert days == sorted(days)
    if parts:
        assert days[0] == start.astimezone(zone).date()


@given(
    change=st.sampled_from([(BERLIN, NIGHT), (CAIRO, date(2026, 10, 29)), (AZORES, NIGHT), (CAIRO, date(2026, 4, 23))]),
    begin=st.integers(0, 2 * DAY),
    minutes=st.integers(0, 2 * DAY),
)
def test_around_a_change_of_clocks_too(change: tuple[ZoneInfo, date], begin: int, minutes: int) -> None:
    zone, day = change
    start = at(zone, day, 0) + timedelta(minutes=begin - 600)
    parts = cut_into_days(start, start + timedelta(minutes=minutes), zone)
    assert sum(part.minutes for part in parts) == minutes
    assert all(0 <= part.starts < part.ends <= DAY for part in parts)
    if minutes:
        assert parts[0].day == start.astimezone(zone).date()
        assert parts[-1].day == (start + timedelta(minutes=minutes - 1)).astimezone(zone).date()


def test_a_clock_that_was_set_back_makes_nothing() -> None:
    start = datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert cut_into_days(start, start - timedelta(hours=1), TOKYO) == ()
    assert not is_forgotten(start, start + timedelta(days=1))
    assert is_forgotten(start, start + timedelta(days=1, seconds=1))


@pytest.mark.parametrize(
    ("present", "added", "merged"),
    [
        ("", "", ""),
        ("a", "", "a"),
        ("", "b", "b"),
        ("a", "b", "a\nb"),
        ("a\nb", "b", "a\nb"),
        ("ab", "b", "ab\nb"),
        ("a\nb\nc", "b\nc", "a\nb\nc"),
    ],
)
def test_memos_are_kept_and_none_stands_twice(present: str, added: str, merged: str) -> None:
    assert merged_memo(present, added) == merged


NOON = at(TOKYO, date(2026, 11, 26), 12)


def test_a_moment_is_read_as_it_is_shown() -> None:
    start = at(TOKYO, date(2026, 11, 25), 9, 5, 40)
    assert moment_of(start, TOKYO) == Moment("2026-11-25", "09:05")
    assert read_moment(Moment(" 2026-11-25", "９：０５"), TOKYO, at=NOON) == whole_minute(start)


@pytest.mark.parametrize(
    ("day", "time", "code", "field"),
    [
        ("", "9:00", "day_invalid", "day"),
        ("0000-01-01", "9:00", "day_invalid", "day"),
        ("٢٠٢٦-11-26", "9:00", "day_invalid", "day"),
        ("0001-01-01", "9:00", "timer_too_long_ago", "day"),
        ("2026-10-25", "9:00", "timer_too_long_ago", "day"),
        ("9999-12-31", "24:00", "timer_in_future", "day"),
        ("2026-11-26", "12:01", "timer_in_future", "time"),
        ("2026-11-26", "", "time_missing", "time"),
        ("2026-11-26", "25:00", "time_invalid", "time"),
        ("2026-11-26", "9\0", "time_invalid", "time"),
    ],
)
def test_a_moment_that_cannot_be_is_refused_at_its_field(day: str, time: str, code: str, field: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_moment(Moment(day, time), TOKYO, at=NOON)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_time_that_clocks_skip_is_refused() -> None:
    present = at(BERLIN, date(2026, 3, 29), 12)
    with pytest.raises(Refusal) as refused:
        read_moment(Moment("2026-03-29", "2:30"), BERLIN, at=present)
    assert (refused.value.code, refused.value.field) == ("time_skipped", "time")
