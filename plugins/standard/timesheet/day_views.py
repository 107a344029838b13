"""The day: when each thing was begun and ended, and what the day adds up to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus

from werkzeug.wrappers import Response

from app.sdk import (
    Refusal,
    RefusalTexts,
    code_texts,
    current_user,
    flash,
    gettext,
    redirect,
    render_template,
    request,
    time_zone,
    today,
    url_for,
)
from plugins.standard.duration import show_clock
from plugins.standard.entries import CellsRefused
from plugins.standard.settings import week_start
from plugins.standard.timesheet.asked import asked_address, asked_person
from plugins.standard.timesheet.blueprint import pages
from plugins.standard.timesheet.day_service import (
    DayChangedMeanwhile,
    DaySheet,
    choosable_tasks,
    read_day_sheet,
    save_day,
)
from plugins.standard.timesheet.grid import TaskOfSheet
from plugins.standard.timesheet.spans import BREAK, TimedSpan, TypedLine, read_day, read_lines
from plugins.standard.week import Week, week_of

_NEW_LINES = 4
Answer = tuple[str, int]


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as the template shows it."""

    number: int
    starts: str
    ends: str
    task: str
    minutes: int | None
    """What passed between them, where that is known."""
    errors: Mapping[str, RefusalTexts]
    """By the field: ``start``, ``end`` or ``task``."""
    is_changed: bool


@dataclass(frozen=True, slots=True)
class TaskSum:
    """What the day has on one task."""

    task: TaskOfSheet
    minutes: int
    timed: int
    """How many of them have times."""


@pages.get("/day")
def day() -> Answer:
    """The times of today, or of ``?day=2026-11-26``; of ``?person=12`` to be read."""
    read = read_day_sheet(current_user(), asked_person(), _day())
    return _page(read, _lines_of(read)), HTTPStatus.OK


@pages.post("/day")
def save_times() -> Answer | Response:
    """Save the times of one's own day, and the minutes that they add up to."""
    shown = _day()
    present = read_day_sheet(current_user(), None, shown)
    lines = read_lines(request.form)
    kept = [span for span in present.spans if present.is_kept(span)]
    found = read_day(lines, shown, time_zone(), kept=kept, before=present.spans)
    if found.refusals:
        return _again(present, lines, found.refusals, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        changed = save_day(current_user(), shown, found.spans, request.form.get("seen", ""))
    except CellsRefused as refused:
        by_task = {task: refusal for (task, _), refusal in refused.refusals.items()}
        refusals = {
            f"task-{number}": by_task[span.task_id] for number, span in found.numbers.items() if span.task_id in by_task
        }
        return _again(present, lines, refusals, HTTPStatus.UNPROCESSABLE_ENTITY)
    except DayChangedMeanwhile:
        present = read_day_sheet(current_user(), None, shown)
        return _again(present, lines, {}, HTTPStatus.CONFLICT)
    flash(gettext("The day was saved.") if changed else gettext("The day was saved; its hours are as they were."))
    return redirect(url_for("standard_timesheet.day", day=shown.isoformat()), HTTPStatus.SEE_OTHER)


def _again(
    present: DaySheet, lines: tuple[TypedLine, ...], refusals: Mapping[str, Refusal], status: HTTPStatus
) -> Answer:
    views = [
        LineView(line.number, line.starts, line.ends, line.task, None, _errors(line.number, refusals), is_changed=True)
        for line in lines
    ]
    return _page(present, views, is_conflict=status is HTTPStatus.CONFLICT, has_errors=bool(refusals)), status


def _errors(number: int, refusals: Mapping[str, Refusal]) -> dict[str, RefusalTexts]:
    names = {field: f"{field}-{number}" for field in ("start", "end", "task")}
    return {field: code_texts(refusals[name]) for field, name in names.items() if name in refusals}


def _lines_of(read: DaySheet) -> list[LineView]:
    return [_line(number, span) for number, span in enumerate(read.spans) if not read.is_kept(span)]


def _line(number: int, span: TimedSpan) -> LineView:
    task = BREAK if span.task_id is None else str(span.task_id)
    return LineView(
        number, show_clock(span.starts), show_clock(span.ends), task, span.minutes, errors={}, is_changed=False
    )


def _page(read: DaySheet, lines: list[LineView], *, is_conflict: bool = False, has_errors: bool = False) -> str:
    first = max((line.number for line in lines), default=-1) + 1
    new = [LineView(number, "", "", "", None, {}, is_changed=False) for number in range(first, first + _NEW_LINES)]
    is_editable = read.is_editable
    timed = Counter[int | None]()
    for span in read.spans:
        timed[span.task_id] += span.minutes
    sums = [TaskSum(read.tasks[task], value.minutes, timed[task]) for task, value in read.entries.items()]
    return render_template(
        "standard/timesheet/day.html",
        read=read,
        sheet=read.sheet,
        day=read.day,
        is_today=read.day == today(),
        week=_week_of(read.day),
        previous=_neighbour(read.day, -1),
        following=_neighbour(read.day, 1),
        lines=[*lines, *new] if is_editable else lines,
        kept=[span for span in read.spans if read.is_kept(span) or not is_editable],
        choices=choosable_tasks(read.sheet, list(read.tasks)) if is_editable else (),
        sums=sums,
        break_value=BREAK,
        break_minutes=timed[None],
        zone=time_zone().key,
        is_conflict=is_conflict,
        has_errors=has_errors,
        address=asked_address(),
    )


def _week_of(shown: date) -> Week:
    return week_of(shown, today=today(), start=week_start())


def _neighbour(shown: date, days: int) -> str | None:
    try:
        return (shown + timedelta(days=days)).isoformat()
    except OverflowError:
        return None


def _day() -> date:
    """The day that is asked for; today where there is no such day."""
    try:
        return date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return today()
