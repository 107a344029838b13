"""The week: read, saved, filled from last week, and the tasks that can be added to it."""

from datetime import date
from http import HTTPStatus
from typing import Any

from werkzeug.wrappers import Response

from app.sdk import (
    current_user,
    flash,
    redirect,
    render_template,
    request,
    today,
    url_for,
)
from plugins.standard.entries import CellsChangedMeanwhile, CellsRefused
from plugins.standard.settings import granularity, week_start
from plugins.standard.timesheet.asked import as_id, asked_address, asked_person, asked_words, present_times
from plugins.standard.timesheet.blueprint import pages
from plugins.standard.timesheet.presenter import (
    Overlay,
    copied_text,
    interval,
    present_sheet,
    saved_text,
)
from plugins.standard.timesheet.service import (
    Act,
    Action,
    Saved,
    SheetOfWeek,
    find_tasks,
    read_sheet,
    save_sheet,
    suggested_tasks,
)
from plugins.standard.timesheet.typed import TypedCell, changes_of, read_typed
from plugins.standard.week import Week, day_of, week_of

Answer = tuple[str, int]


@pages.get("/")
def week() -> Answer:
    """The sheet of this week, or of ``?week=2026-W48``; of ``?person=12`` for those who look after their hours.

    A week that does not exist is answered with this week.
    """
    shown = _week()
    read = read_sheet(current_user(), asked_person(), shown, present_times())
    return _page(read, Overlay()), HTTPStatus.OK


@pages.post("/")
def save() -> Answer | Response:
    """Save what was typed, and do what else the pressed button says."""
    shown, times, user_id = _week(), present_times(), asked_person()
    typed = read_typed(request.form, {day.date for day in shown.days})
    changes, refusals = changes_of(typed, step=granularity())
    action = _action()
    if refusals:
        return _again(shown, typed, Overlay(refusals=refusals), HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        saved = save_sheet(current_user(), user_id, shown, times, changes, action)
    except CellsRefused as refused:
        return _again(shown, typed, Overlay(refusals=refused.refusals), HTTPStatus.UNPROCESSABLE_ENTITY)
    except CellsChangedMeanwhile as changed:
        return _again(shown, typed, Overlay(conflicts=changed.present), HTTPStatus.CONFLICT)
    _tell(saved, action, had_changes=bool(changes))
    if action.act is Act.SEARCH:
        return _see_other("standard_timesheet.tasks", q=request.form.get("q", "").strip() or None)
    added = f"row-{action.task_id}" if action.act is Act.ADD else None
    return _see_other("standard_timesheet.week", at=_wanted_day_if_chosen(shown), _anchor=added)


@pages.get("/tasks")
def tasks() -> str:
    """Tasks to add to the sheet, searched for with ``?q=``; favourites and recent ones first."""
    words = asked_words()
    sheet, found = find_tasks(current_user(), asked_person(), words, today())
    return render_template(
        "standard/timesheet/tasks.html", sheet=sheet, found=found, words=words, week=_week(), address=asked_address()
    )


def _page(read: SheetOfWeek, overlay: Overlay) -> str:
    user, grid = read.sheet, read.grid
    present = {row.task.id for row in grid.rows}
    # Whoever corrects another's sheet searches for tasks, so that it costs no more statements than one's own.
    offers = user.is_own and not read.rules.is_read_only and not all(day.is_closed for day in grid.days)
    suggestions = suggested_tasks(user, present, today()) if offers else ()
    page = present_sheet(read, overlay=overlay, suggestions=suggestions, wanted_day=_wanted_day())
    return render_template(
        "standard/timesheet/week.html",
        page=page,
        sheet=user,
        grid=grid,
        week=grid.week,
        this_week=week_of(today(), today=today(), start=week_start()).code,
        week_range=interval(grid.week),
        step=granularity(),
        address=asked_address(),
    )


def _again(shown: Week, typed: tuple[TypedCell, ...], overlay: Overlay, status: HTTPStatus) -> Answer:
    """The page once more, with all that was typed and what is wrong with it."""
    read = read_sheet(current_user(), asked_person(), shown, present_times())
    overlay = Overlay({cell.place: cell for cell in typed}, overlay.refusals, overlay.conflicts)
    return _page(read, overlay), status


def _tell(saved: Saved, action: Action, *, had_changes: bool) -> None:
    if saved.copied is not None:
        copied = saved.copied
        is_whole = not (copied.left_out_tasks or copied.on_closed_days or copied.on_holidays or copied.on_full_days)
        flash(copied_text(copied), "ok" if is_whole else "warn")
    elif action.act is Act.SAVE or had_changes:
        flash(saved_text(saved.cells), "ok" if saved.cells else "info")


def _action() -> Action:
    """What the pressed button says, such as ``remove-12``; anything else saves."""
    name, _, task = request.form.get("action", "").partition("-")
    try:
        return Action(Act(name), as_id(task) or 0)
    except ValueError:
        return Action(Act.SAVE)


def _week() -> Week:
    day = today()
    return week_of(day_of(request.args.get("week", "")) or day, today=day, start=week_start())


def _wanted_day() -> date | None:
    """The day that a narrow screen shows."""
    try:
        return date.fromisoformat(request.values.get("at", ""))
    except ValueError:
        return None


def _wanted_day_if_chosen(shown: Week) -> str | None:
    """The same for the address after saving, where it is another one than would be shown anyway."""
    wanted, days = _wanted_day(), [day.date for day in shown.days]
    usual = today() if today() in days else days[0]
    return wanted.isoformat() if wanted in days and wanted is not None and wanted != usual else None


def _see_other(endpoint: str, **values: str | None) -> Response:
    address: dict[str, Any] = {"week": _week().code, **asked_address(), **values}
    return redirect(url_for(endpoint, **address), HTTPStatus.SEE_OTHER)
