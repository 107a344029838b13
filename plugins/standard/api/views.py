"""The resources of Standard: the same services, permissions and refusals as its screens."""

from collections.abc import Callable
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
    seen_tag,
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
    _, found = find_tasks(current_user(), None, query.q, today(), after=query.after)
    end = found.end
    cursor = None if end is None else f"{end.rank}.{end.last_day.isoformat()}.{end.task_id}"
    return TaskPage(tasks=[TaskOut.of(task) for task in found.tasks], next_cursor=cursor)


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
@operation(
    N_("Your hours of one day on one task"), scope=Scope.DATA_READ, path=EntryPath, answers=EntryOut, versioned=True
)
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
@operation(N_("Your timer"), scope=Scope.DATA_READ, answers=TimerNow, versioned=True)
def timer() -> Answer:
    """The timer that runs, if one does."""
    return _timer_now()


def _timer_now() -> Answer:
    running = running_timer(current_user())
    if running is None:
        return Answer(TimerNow(timer=None))
    return Answer(TimerNow(timer=TimerOut.of(running)), version=running.version)


@resources.put("/timer")
@requires_feature(TIMER)
@operation(
    N_("Start your timer, or switch it to another task"),
    scope=Scope.DATA_WRITE,
    body=TimerIn,
    answers=TimerNow,
    versioned=True,
)
def put_timer(body: TimerIn) -> Any:
    """Start it; one that runs on another task is stopped and recorded."""

    def start(seen: str) -> Answer:
        start_timer(current_user(), body.task_id, body.memo, time_zone(), seen=seen)
        return _timer_now()

    return _changing_timer(start)


@resources.post("/timer/stop")
@requires_feature(TIMER)
@operation(N_("Stop your timer and record its hours"), scope=Scope.DATA_WRITE, answers=TimerStopped, versioned=True)
def stop() -> Any:
    """Stop it now."""

    def stop_seen(seen: str) -> TimerStopped:
        stopped = stop_timer(current_user(), seen, time_zone())
        days = [StoppedDay(day=day, minutes=minutes) for day, minutes in sorted(stopped.days.items())]
        return TimerStopped(task_id=stopped.task.id, minutes=stopped.minutes, days=days)

    return _changing_timer(stop_seen)


@resources.delete("/timer")
@requires_feature(TIMER)
@operation(N_("End your timer and record nothing"), scope=Scope.DATA_WRITE, versioned=True)
def delete_timer() -> Any:
    """Discard it."""

    def discard(seen: str) -> None:
        discard_timer(current_user(), seen)

    return _changing_timer(discard)


def _changing_timer(act: Callable[[str], Any]) -> Any:
    """Do it to the timer that the program has seen, by its version, which is empty where it has seen none.

    Where another one runs by now, nothing is done and that one is answered; what is refused of a day is refused with
    the reason of that day.
    """
    try:
        return act(seen_tag() or "")
    except CellsRefused as refused:
        raise next(iter(refused.refusals.values())) from refused
    except Refusal as refusal:
        if refusal.reason is not TIMER_GONE:
            raise
    running = running_timer(current_user())
    return changed_meanwhile(None, "") if running is None else changed_meanwhile(TimerOut.of(running), running.version)


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
