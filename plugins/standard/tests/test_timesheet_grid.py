"""The grid of a week: rows by project, locks, totals; and what goes over from last week."""

from dataclasses import replace
from datetime import date, timedelta

from plugins.standard.entries import CellValue
from plugins.standard.timesheet.copying import plan_copy
from plugins.standard.timesheet.grid import Lock, SheetRules, TaskOfSheet, WeekGrid, build_grid
from plugins.standard.timesheet.typed import changes_of, field_names, read_typed, shown_of
from plugins.standard.week import WeekStart, week_of
from plugins.standard.workdays import WorkCalendar

THURSDAY = date(2026, 11, 26)
MONDAY = THURSDAY - timedelta(days=3)
A_WEEK = timedelta(weeks=1)
CALENDAR = WorkCalendar(480, frozenset(range(5)), country="JP", language="en")
OPEN = SheetRules(None)
DRAWING = TaskOfSheet(1, "RX-204", "Drawing", 10, "Press line", "Kitamura", "blue", False, True, False)
REVIEW = replace(DRAWING, id=2, code="RX-198", name="Review")
FIXTURE = replace(DRAWING, id=3, code="", name="Fixture", project_id=11, project="Inspection cell")
OLD = replace(DRAWING, id=4, name="Old", is_finished=True, is_recordable=False)


def grid(
    *tasks: TaskOfSheet,
    day: date = THURSDAY,
    values: dict[tuple[int, date], int] | None = None,
    rules: SheetRules = OPEN,
    start: WeekStart = WeekStart.MONDAY,
) -> WeekGrid:
    filled = {place: CellValue(minutes, "", 1) for place, minutes in (values or {}).items()}
    return build_grid(week_of(day, today=THURSDAY, start=start), tasks, filled, rules, CALENDAR, today=THURSDAY)


def test_rows_are_grouped_by_project_and_ordered_by_name_and_code() -> None:
    groups = grid(DRAWING, FIXTURE, REVIEW).groups
    assert [(group.project, [row.task.name for row in group.rows]) for group in groups] == [
        ("Inspection cell", ["Fixture"]),
        ("Press line", ["Review", "Drawing"]),
    ]


def test_rows_days_and_the_week_add_up() -> None:
    shown = grid(DRAWING, REVIEW, values={(1, MONDAY): 60, (2, MONDAY): 90, (2, THURSDAY): 30})
    assert {row.task.name: row.minutes for row in shown.rows} == {"Drawing": 60, "Review": 120}
    assert [day.minutes for day in shown.days] == [150, 0, 0, 30, 0, 0, 0]
    assert shown.minutes == 180


def test_a_holiday_is_named_and_nothing_is_expected_of_it() -> None:
    days = grid(DRAWING).days
    assert (days[0].holiday, days[0].expected) == ("Labor Thanksgiving Day", 0)
    assert [day.expected for day in days] == [0, 480, 480, 480, 480, 0, 0]
    assert [day.is_rest for day in days] == [True, False, False, False, False, True, True]


def test_past_days_lack_what_they_have_not_and_today_does_not() -> None:
    shown = grid(DRAWING, values={(1, MONDAY + timedelta(days=1)): 480})
    assert [day.is_lacking for day in shown.days] == [False, False, True, False, False, False, False]


def test_the_week_begins_where_the_setting_says() -> None:
    assert grid(DRAWING, start=WeekStart.SUNDAY).days[0].date == MONDAY - timedelta(days=1)


def test_locks_name_the_reason_and_the_closed_day_comes_first() -> None:
    left = replace(DRAWING, id=5, is_recordable=False)
    shown = grid(DRAWING, OLD, left, rules=SheetRules(MONDAY))
    locks = {row.task.id: [cell.lock for cell in row.cells[:2]] for row in shown.rows}
    assert locks == {1: [Lock.CLOSED, None], 4: [Lock.CLOSED, Lock.FINISHED], 5: [Lock.CLOSED, Lock.NOT_MEMBER]}
    some = grid(DRAWING, FIXTURE, rules=SheetRules(None, correctable=frozenset({11})))
    assert {row.task.id: row.lock for row in some.rows} == {1: Lock.READ_ONLY, 3: None}


def test_copying_says_what_is_left_out_and_why() -> None:
    tuesday, friday = MONDAY + timedelta(days=1), THURSDAY + timedelta(days=1)
    last = {(1, MONDAY): 60, (1, tuesday): 60, (1, THURSDAY): 600, (2, THURSDAY): 900, (2, friday): 30, (4, friday): 9}
    plan = plan_copy(
        grid(
            DRAWING,
            REVIEW,
            OLD,
            day=THURSDAY - A_WEEK,
            values={(task, day - A_WEEK): m for (task, day), m in last.items()},
        ),
        grid(DRAWING, values={(1, tuesday): 5}),
        with_hours=True,
    )
    assert [row.task.name for row in plan.rows] == ["Review"]
    assert {(change.task_id, change.day): change.minutes for change in plan.changes} == {
        (2, THURSDAY): 900,
        (2, friday): 30,
    }
    assert (plan.on_holidays, plan.already_filled, plan.on_full_days, plan.left_out_tasks) == (1, 1, 1, ["Old"])
    closed = plan_copy(
        grid(DRAWING, day=THURSDAY - A_WEEK, values={(1, tuesday - A_WEEK): 60}),
        grid(rules=SheetRules(tuesday)),
        with_hours=True,
    )
    assert (closed.on_closed_days, closed.changes) == (1, [])


def form_of(value: CellValue, text: str, memo: str) -> dict[str, str]:
    hours, memo_field, shown = field_names((1, THURSDAY))
    return {hours: text, memo_field: memo, shown: shown_of(value).encode()}


def test_only_what_was_changed_by_hand_is_sent_on() -> None:
    value = CellValue(90, "a\nb", 7)
    assert read_typed(form_of(value, "1:30", "a\r\nb "), {THURSDAY}) == ()
    assert read_typed(form_of(value, "1:30", "a\r\nb "), set()) == ()
    (cell,) = read_typed(form_of(value, "2", "a\nb"), {THURSDAY})
    ((change,), refusals) = changes_of([cell], step=1)
    assert (change.minutes, change.memo, change.version, refusals) == (120, "a\nb", 7, {})


def test_the_step_counts_for_hours_that_change() -> None:
    value = CellValue(67, "", 7)
    for text, memo, is_refused in (
        ("1:07", "memo", False),
        ("67m", "memo", False),
        ("1:08", "", True),
        ("0", "", False),
    ):
        _, refusals = changes_of(read_typed(form_of(value, text, memo), {THURSDAY}), step=15)
        assert bool(refusals) is is_refused, text
