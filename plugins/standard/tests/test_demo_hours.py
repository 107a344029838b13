"""The hours of the demo data are those of people: nothing lies ahead, nothing overlaps, and every day is the same."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.standard.demo.company import (
    CUSTOMERS,
    LEAVE,
    PEOPLE,
    PROJECT_OF,
    PROJECTS,
    SICK,
    TASKS,
    DemoPerson,
    is_finished,
    roles_of,
)
from plugins.standard.demo.hours import PersonHours, beginning, closed_through, hours_of
from plugins.standard.duration import DAY
from plugins.standard.work_items.palette import COLOURS
from plugins.standard.workdays import WorkCalendar

CALENDAR = WorkCalendar(480, frozenset(range(5)), country="JP")
THURSDAY_NOON = datetime(2026, 11, 26, 15, 20)  # noqa: DTZ001 - the wall clock of the installation

instants = st.datetimes(datetime(2024, 1, 1), datetime(2034, 12, 31))  # noqa: DTZ001 - as above
people = st.sampled_from(PEOPLE)


def hours(login: str) -> PersonHours:
    person = next(person for person in PEOPLE if person.login == login)
    return hours_of(person, CALENDAR, THURSDAY_NOON)


@settings(max_examples=30, deadline=None)
@given(people, instants)
def test_no_hour_lies_ahead_or_before_the_beginning(person: DemoPerson, now: datetime) -> None:
    made = hours_of(person, CALENDAR, now)
    assert all(beginning(now.date()) <= entry.day <= now.date() for entry in made.entries)
    minute = now.hour * 60 + now.minute
    assert all(span.ends <= minute for span in made.spans if span.day == now.date() and span.task is not None)
    today = sum(entry.minutes for entry in made.entries if entry.day == now.date())
    assert today <= max(0, minute - person.begins)


@settings(max_examples=30, deadline=None)
@given(people, instants)
def test_a_day_has_each_task_once_and_holds_what_it_has(person: DemoPerson, now: datetime) -> None:
    made = hours_of(person, CALENDAR, now)
    cells = [(entry.task, entry.day) for entry in made.entries]
    assert len(cells) == len(set(cells))
    days: Counter[object] = Counter()
    for entry in made.entries:
        assert entry.minutes > 0
        days[entry.day] += entry.minutes
    assert all(minutes <= DAY for minutes in days.values())


@settings(max_examples=30, deadline=None)
@given(people, instants)
def test_the_times_of_a_task_add_up_to_its_entry_and_none_overlap(person: DemoPerson, now: datetime) -> None:
    made = hours_of(person, CALENDAR, now)
    minutes: Counter[object] = Counter()
    ends: dict[object, int] = {}
    for span in made.spans:
        assert ends.get(span.day, 0) <= span.starts < span.ends <= DAY
        ends[span.day] = span.ends
        if span.task is not None:
            minutes[span.task, span.day] += span.ends - span.starts
    entries = {(entry.task, entry.day): entry.minutes for entry in made.entries}
    assert {cell: entries[cell] for cell in minutes} == dict(minutes)  # type: ignore[index]  # cells of both


@settings(max_examples=30, deadline=None)
@given(people, instants)
def test_nobody_works_on_holidays_and_whoever_has_left_stays_away(person: DemoPerson, now: datetime) -> None:
    made = hours_of(person, CALENDAR, now)
    assert all(CALENDAR.is_working_day(entry.day) for entry in made.entries)
    assert made.last is None or all(entry.day <= made.last for entry in made.entries)


@settings(max_examples=30, deadline=None)
@given(people, instants)
def test_hours_on_finished_work_are_weeks_old(person: DemoPerson, now: datetime) -> None:
    late = now.date() - timedelta(weeks=4)
    for entry in hours_of(person, CALENDAR, now).entries:
        assert entry.day < late or not is_finished(entry.task)


@settings(max_examples=30, deadline=None)
@given(instants)
def test_the_last_month_but_one_is_closed(now: datetime) -> None:
    through = closed_through(now.date())
    assert (through + timedelta(days=1)).day == 1
    assert (now.year * 12 + now.month) - (through.year * 12 + through.month) == 2


def test_the_sheet_of_this_week_has_the_rows_of_the_last_ones_before_anything_is_typed() -> None:
    assert set(hours("m.sakai").rows) <= set(TASKS) - {LEAVE, SICK}
    assert len(hours("m.sakai").rows) >= 3


def test_the_same_day_gives_the_same_hours() -> None:
    assert hours("m.sakai") == hours("m.sakai")


def test_people_differ() -> None:
    assert hours("s.kondo").entries != hours("n.mori").entries
    worked = {login: sum(entry.minutes for entry in hours(login).entries) for login in ("s.kondo", "e.matsuda")}
    assert worked["s.kondo"] > worked["e.matsuda"] + 20 * 60


def test_it_looks_like_a_company() -> None:
    assert len(CUSTOMERS) == 5
    assert len(PROJECTS) == 12
    assert len(TASKS) == sum(len(project.tasks) for project in PROJECTS), "a code is given twice"
    assert {project.colour for project in PROJECTS} == set(COLOURS)
    everybody = [hours_of(person, CALENDAR, THURSDAY_NOON) for person in PEOPLE]
    recorded = {entry.task for made in everybody for entry in made.entries}
    assert TASKS.keys() - recorded == {"RX-301"}, "tasks without hours, beside the study that is finished"
    memos = "".join(entry.memo for made in everybody for entry in made.entries)
    assert memos.isascii() is False
    assert "Call with Tokai" in memos


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.login)
def test_everybody_may_record_what_they_record(person: DemoPerson) -> None:
    named = roles_of(person)
    assert all(
        PROJECT_OF[code].for_everybody or PROJECT_OF[code].code in named for code in (*person.tasks, *person.favourites)
    )
