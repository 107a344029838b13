"""The days of reports: presets, neighbours and what they are cut into, at any day of the calendar; and charts."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.standard.charts import Value, bar, columns, scale_step
from plugins.standard.reports.forms import asked_days
from plugins.standard.reports.periods import (
    Days,
    Preset,
    Unit,
    chart_unit,
    cut,
    day_of_ordinal,
    days_of,
    month_of_ordinal,
    neighbour,
    unit_of,
    whole,
)
from plugins.standard.reports.query import Dimension, Filters, ReportQuery, Sort
from plugins.standard.week import WeekStart

THURSDAY = date(2026, 11, 26)
MONDAY = WeekStart.MONDAY
days = st.dates()
starts = st.sampled_from(list(WeekStart))
units = st.sampled_from(list(Unit))
periods = st.tuples(days, days).map(lambda pair: Days(min(pair), max(pair)))


@pytest.mark.parametrize(
    ("preset", "first", "last"),
    [
        (Preset.THIS_WEEK, "2026-11-23", "2026-11-29"),
        (Preset.LAST_WEEK, "2026-11-16", "2026-11-22"),
        (Preset.THIS_MONTH, "2026-11-01", "2026-11-30"),
        (Preset.LAST_MONTH, "2026-10-01", "2026-10-31"),
        (Preset.THIS_QUARTER, "2026-10-01", "2026-12-31"),
        (Preset.LAST_QUARTER, "2026-07-01", "2026-09-30"),
        (Preset.THIS_YEAR, "2026-01-01", "2026-12-31"),
        (Preset.LAST_YEAR, "2025-01-01", "2025-12-31"),
    ],
)
def test_presets_move_on_with_the_calendar(preset: Preset, first: str, last: str) -> None:
    assert days_of(preset, THURSDAY, MONDAY) == Days(date.fromisoformat(first), date.fromisoformat(last))


@given(units, days, starts)
def test_every_day_is_in_one_whole_unit(unit: Unit, day: date, start: WeekStart) -> None:
    found = whole(unit, day, start)
    assert found.first <= day <= found.last
    assert whole(unit, found.first, start) == whole(unit, found.last, start) == found
    if unit is Unit.WEEK and found.first != date.min:
        assert found.first.weekday() == start


@given(units, days, starts)
def test_neighbours_of_whole_units_touch_and_lead_back(unit: Unit, day: date, start: WeekStart) -> None:
    here = whole(unit, day, start)
    following = neighbour(here, start, forward=True)
    if following is None:
        assert here.last == date.max
        return
    assert following.first == here.last + timedelta(days=1)
    # The first week of the calendar may be one day long, and is then a day rather than a week.
    if unit_of(here, start) is unit and unit_of(following, start) is unit:
        assert neighbour(following, start, forward=False) == here


@given(periods, starts, st.booleans())
def test_neighbours_of_any_days_are_as_many_or_a_whole_unit(here: Days, start: WeekStart, forward: bool) -> None:
    there = neighbour(here, start, forward=forward)
    if there is not None:
        assert (there.first > here.last) if forward else (there.last < here.first)
        assert unit_of(here, start) is not None or len(there) == len(here)


@given(st.tuples(days, st.integers(0, 800)), units, starts)
def test_what_days_are_cut_into_leaves_no_day_out(made: tuple[date, int], unit: Unit, start: WeekStart) -> None:
    last = date.fromordinal(min(made[0].toordinal() + made[1], date.max.toordinal()))
    parts = list(cut(Days(made[0], last), unit, start))
    assert (parts[0].first, parts[-1].last) == (made[0], last)
    for part, following in pairwise(parts):
        assert following.first == part.last + timedelta(days=1)
        assert whole(unit, part.first, start) != whole(unit, following.first, start)


def test_a_chart_has_neither_too_many_columns_nor_too_few() -> None:
    for length, unit in ((1, Unit.DAY), (35, Unit.DAY), (36, Unit.WEEK), (195, Unit.WEEK), (196, Unit.MONTH)):
        here = Days(THURSDAY, THURSDAY + timedelta(days=length - 1))
        assert chart_unit(here) is unit
    assert chart_unit(Days(date(2021, 1, 1), date(2025, 12, 31))) is Unit.MONTH
    assert chart_unit(Days(date.min, date.max)) is Unit.YEAR
    assert chart_unit(Days(THURSDAY, THURSDAY + timedelta(days=60)), Unit.DAY) is Unit.DAY
    assert chart_unit(Days(THURSDAY, THURSDAY + timedelta(days=6)), Unit.MONTH) is Unit.MONTH
    for wanted in (Unit.DAY, Unit.WEEK, Unit.MONTH):
        assert chart_unit(Days(date.min, date.max), wanted) is Unit.YEAR


@given(days)
def test_numbers_of_statements_are_days_and_months_again(day: date) -> None:
    assert day_of_ordinal(day.toordinal()) == day
    month = month_of_ordinal(12 * day.year + day.month - 1)
    assert (month.year, month.number) == (day.year, day.month)


@given(
    periods,
    st.sampled_from([None, *Preset]),
    st.sampled_from(list(Dimension)),
    st.sampled_from([None, *Dimension]),
    st.builds(Filters, st.none() | st.integers(1), st.none(), st.none() | st.integers(1), st.sampled_from(["", "m"])),
    st.integers(1, 99),
)
def test_an_address_says_all_and_only_in_texts(
    asked: Days, preset: Preset | None, group: Dimension, then: Dimension | None, filters: Filters, page: int
) -> None:
    query = ReportQuery(asked, preset, group, then, filters, Sort.NAME, page)
    address = query.address()
    assert all(isinstance(value, str) and value for value in address.values())
    assert ("since" in address) is (preset is None)
    assert address["group"] == group.value
    assert address.get("page", "1") == str(page)


def test_days_typed_over_a_preset_win() -> None:
    month = days_of(Preset.THIS_MONTH, THURSDAY, MONDAY)
    assert asked_days("", None, None, THURSDAY, MONDAY) == (month, Preset.THIS_MONTH)
    assert asked_days("this_month", month.first, month.last, THURSDAY, MONDAY) == (month, Preset.THIS_MONTH)
    typed = Days(month.first, THURSDAY)
    assert asked_days("this_month", typed.first, typed.last, THURSDAY, MONDAY) == (typed, None)
    assert asked_days("nonsense", month.first, month.last, THURSDAY, MONDAY) == (month, None)


@given(st.sampled_from(list(Dimension)), st.booleans())
def test_following_groups_ends_at_single_entries(group: Dimension, sees_people: bool) -> None:
    """However one goes down, no level comes twice, and the last one leads to entries."""
    query = ReportQuery(Days(date(2026, 1, 1), date(2026, 12, 31)), None, group)
    seen = set[Dimension]()
    while True:
        assert query.group not in seen
        seen.add(query.group)
        days = {Dimension.MONTH: 30, Dimension.WEEK: 6, Dimension.DAY: 0}.get(query.group, 364)
        part = Days(query.days.first, min(query.days.last, query.days.first + timedelta(days=days)))
        narrowed = query.within(query.group, 7, part, login="m.sakai")
        finer = narrowed.beneath(query.group, sees_people=sees_people)
        if finer is None:
            return
        query = narrowed.by(finer)


# Charts -------------------------------------------------------------------------------------------------------------

minutes = st.integers(0, 10**9)


@given(minutes)
def test_a_scale_has_few_lines_and_reaches_the_largest(largest: int) -> None:
    step = scale_step(largest)
    lines = -(-largest // step)
    assert lines <= 5
    assert largest <= 15 or lines >= 2


@given(st.lists(st.tuples(minutes, minutes).map(lambda pair: (max(pair), min(pair))), max_size=400))
def test_columns_stay_within_the_chart(made: list[tuple[int, int]]) -> None:
    drawn = columns([Value("long", "short", whole_of_it, part) for whole_of_it, part in made])
    for column, (whole_of_it, part) in zip(drawn.columns, made, strict=True):
        assert 0 <= column.y <= column.y + column.height <= column.part_y <= drawn.base + 1
        assert (column.height + column.part_height > 0) is (whole_of_it > 0)
        assert (column.part_height > 0) is (part > 0)
        assert float(column.x[:-1]) + float(column.width[:-1]) <= 100.01


@given(st.integers(1, 400))
def test_few_labels_stand_below_columns_and_fewer_on_a_phone(number: int) -> None:
    drawn = columns([Value("long", "short", 60, 0)] * number).columns
    labelled = [column for column in drawn if column.label]
    assert 1 <= sum(not column.is_left_out_if_narrow for column in labelled) <= 4
    assert len(labelled) <= 14


@given(st.tuples(minutes, minutes, minutes).map(sorted))
def test_bars_are_as_long_as_their_minutes(made: list[int]) -> None:
    part, whole_of_it, largest = made
    drawn = bar(whole_of_it, part, largest)
    assert 0 <= float(drawn.part[:-1]) + float(drawn.rest[:-1]) <= 100.01
