"""The resources of Standard: the same services, permissions and refusals as its screens."""

from datetime import date
from typing import Any

from app.sdk import (
    N_,
    Answer,
    ApiBlueprint,
    Refusal,
    Scope,
    abort,
    changed_meanwhile,
    current_user,
    operation,
    requires_feature,
    seen_version,
    time_zone,
    today,
)
from plugins.standard.api.models import (
    ClosingOut,
    EntryIn,
    EntryOut,
    EntryPage,
    EntryPath,
    EntryQuery,
    StoppedDay,
    TaskOut,
    TaskPage,
    TaskQuery,
    TimerIn,
    TimerNow,
    TimerOut,
    TimerStopped,
    WeekOut,
    WeekPath,
)
from plugins.standard.api.service import closed_through, entries_between, entry_at
from plugins.standard.entries import (
    EMPTY,
    Cell,
    CellChange,
    CellsChangedMeanwhile,
    CellsRefused,
    Writer,
    save_cells,
)
from plugins.standard.timer.blueprint import FEATURE as TIMER
from plugins.standard.timer.rules import TIMER_GONE
from plugins.standard.timer.service import discard_timer, running_timer, start_timer, stop_timer
from plugins.standard.timesheet.asked import present_times
from plugins.standard.timesheet.service import find_tasks, read_sheet
from plugins.standard.week import day_of, week_of

resources = ApiBlueprint("standard_api", __name__, feature="timesheet.week")
_NOT_FOUND = 404


@resources.get("/tasks")
@operation(N_("Tasks that hours can be recorded on"), scope=Scope.DATA_READ, query=TaskQuery, answers=TaskPage)
def tasks(query: TaskQuery) -> TaskPage:
    """Favourites and recent ones first."""
    _, found = find_tasks(current_user(), None, query.q, today())
    return TaskPage(tasks=[TaskOut.of(task) for task in found.tasks], has_more=found.has_more)


# Entries ------------------------------------------------------------------------------------------------------------


@resources.get("/entries")
@operation(N_("Your hours from one day to another"), scope=Scope.DATA_READ, query=EntryQuery, answers=EntryPage)
def entries(query: EntryQuery) -> EntryPage:
    """By day and task, page by page."""
    after: Cell | None = None
    if query.cursor:
        day, _, task_id = query.cursor.partition(".")
        after = int(task_id), date.fromisoformat(day)
    found, has_more = entries_between(current_user(), query.from_, query.to, after, query.limit)
    shown = [EntryOut.of(cell, value) for cell, value in found]
    cursor = f"{shown[-1].day.isoformat()}.{shown[-1].task_id}" if has_more else None
    return EntryPage(entries=shown, next_cursor=cursor)


@resources.get("/entries/<day>/<task_id>")
@operation(N_("Your hours of one day on one task"), scope=Scope.DATA_READ, path=EntryPath, answers=EntryOut)
def entry(path: EntryPath) -> Answer:
    """One entry with its version; 404 where there are no hours."""
    cell = (path.task_id, path.day)
    value = entry_at(current_user(), cell)
    if value is None:
        abort(_NOT_FOUND)
    return Answer(EntryOut.of(cell, value), version=value.version)


@resources.put("/entries/<day>/<task_id>")
@operation(
    N_("Record or change hours of one day on one task"),
    scope=Scope.DATA_WRITE,
    path=EntryPath,
    body=EntryIn,
    answers=EntryOut,
    versioned=True,
)
def put_entry(path: EntryPath, body: EntryIn) -> Any:
    """Write one entry, of the version that was seen."""
    return _save(CellChange(path.task_id, path.day, body.minutes, body.memo, seen_version()))


@resources.delete("/entries/<day>/<task_id>")
@operation(N_("Remove hours of one day on one task"), scope=Scope.DATA_WRITE, path=EntryPath, versioned=True)
def delete_entry(path: EntryPath) -> Any:
    """Empty one entry, of the version that was seen."""
    return _save(CellChange(path.task_id, path.day, 0, "", seen_version()))


def _save(change: CellChange) -> Any:
    user = current_user()
    try:
        save_cells(Writer(user.user_id, user.login, by=user.login), [change])
    except CellsRefused as refused:
        raise refused.refusals[change.cell] from refused
    except CellsChangedMeanwhile as changed:
        present = changed.present[change.cell]
        shown = EntryOut.of(change.cell, present) if present != EMPTY else None
        return changed_meanwhile(shown, present.version)
    value = entry_at(user, change.cell) if change.minutes else None
    return Answer(None) if value is None else Answer(EntryOut.of(change.cell, value), version=value.version)


# Timer --------------------------------------------------------------------------------------------------------------


@resources.get("/timer")
@requires_feature(TIMER)
@operation(N_("Your timer"), scope=Scope.DATA_READ, answers=TimerNow)
def timer() -> TimerNow:
    """The timer that runs, if one does."""
    return _timer_now()


def _timer_now() -> TimerNow:
    running = running_timer(current_user())
    if running is None:
        return TimerNow(timer=None)
    shown = TimerOut(task_id=running.task.id, started_at=running.started_at, memo=running.memo, minutes=running.minutes)
    return TimerNow(timer=shown)


@resources.put("/timer")
@requires_feature(TIMER)
@operation(N_("Start your timer, or switch it to another task"), scope=Scope.DATA_WRITE, body=TimerIn, answers=TimerNow)
def put_timer(body: TimerIn) -> TimerNow:
    """Start it; one that runs on another task is stopped and recorded."""
    _recorded(lambda: start_timer(current_user(), body.task_id, body.memo, time_zone()))
    return _timer_now()


@resources.post("/timer/stop")
@requires_feature(TIMER)
@operation(N_("Stop your timer and record its hours"), scope=Scope.DATA_WRITE, answers=TimerStopped)
def stop() -> TimerStopped:
    """Stop it now."""
    seen = _mark()
    stopped = _recorded(lambda: stop_timer(current_user(), seen, time_zone()))
    days = [StoppedDay(day=day, minutes=minutes) for day, minutes in sorted(stopped.days.items())]
    return TimerStopped(task_id=stopped.task.id, minutes=stopped.minutes, days=days)


@resources.delete("/timer")
@requires_feature(TIMER)
@operation(N_("End your timer and record nothing"), scope=Scope.DATA_WRITE)
def delete_timer() -> None:
    """Discard it."""
    discard_timer(current_user(), _mark())


def _mark() -> str:
    running = running_timer(current_user())
    if running is None:
        raise Refusal(TIMER_GONE)
    return running.mark


def _recorded(act: Any) -> Any:
    """Do it; what is refused of a day is refused with the reason of that day."""
    try:
        return act()
    except CellsRefused as refused:
        raise next(iter(refused.refusals.values())) from refused


# Week and closing ---------------------------------------------------------------------------------------------------


@resources.get("/weeks/<week>")
@operation(N_("A week with its days and your hours"), scope=Scope.DATA_READ, path=WeekPath, answers=WeekOut)
def week(path: WeekPath) -> WeekOut:
    """A week by its code or one of its days."""
    times = present_times()
    wanted = day_of(path.week) if "W" in path.week else _day_or_404(path.week)
    if wanted is None:
        abort(_NOT_FOUND)
    wanted_week = week_of(wanted, today=times.today, start=times.start)
    return WeekOut.of(read_sheet(current_user(), None, wanted_week, times).grid)


@resources.get("/closing")
@operation(N_("Up to which day your hours are closed"), scope=Scope.DATA_READ, answers=ClosingOut)
def closing() -> ClosingOut:
    """The last closed day."""
    return ClosingOut(closed_through=closed_through(current_user()))


def _day_or_404(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        abort(_NOT_FOUND)
