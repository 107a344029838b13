"""What the person sees: what the server last said, and what was done here since, applied to it in order. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from timetracker_desktop.model import Day, Entry, State, Task, Timer
from timetracker_desktop.operation_queue import OperationState, Queued
from timetracker_desktop.operations import Action, Addition, Correction, Start, Status, Stop

_MINUTE = timedelta(minutes=1)
_STUCK = (OperationState.REFUSED, OperationState.CONFLICT)


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """A row of today."""

    entry: Entry
    waiting: bool
    """Whether the server does not know it yet."""


@dataclass(frozen=True, slots=True)
class ShownWeek:
    """The week of today."""

    start: date
    days: tuple[Day, ...]
    """Without what is expected where the server has not said it."""
    minutes: int
    target_minutes: int | None
    """None while off line in a week of which nothing is known."""


@dataclass(frozen=True, slots=True)
class View:
    """All of it, at one instant."""

    state: State | None
    today: date
    timer: Timer | None
    entries: tuple[ShownEntry, ...]
    """Of all days that are known."""
    week: ShownWeek | None
    waiting: tuple[Queued, ...]
    stuck: tuple[Queued, ...]
    of_others: tuple[Queued, ...] = ()

    @property
    def todays(self) -> tuple[ShownEntry, ...]:
        """The rows of today; an emptied one stays until the server knows it."""
        return tuple(shown for shown in self.entries if shown.entry.day == self.today)

    def task(self, task_id: int) -> Task | None:
        """The task of that number."""
        return None if self.state is None else self.state.task(task_id)

    def minutes_of(self, task_id: int) -> int:
        """Of a task in this week."""
        if self.week is None:
            return 0
        days = {day.day for day in self.week.days}
        return sum(s.entry.minutes for s in self.entries if s.entry.task_id == task_id and s.entry.day in days)

    def entry(self, cell: tuple[int, date]) -> Entry:
        """What a cell holds; an empty one has the version 0."""
        return next((s.entry for s in self.entries if s.entry.cell == cell), Entry(*cell, 0, "", 0))


def view_of(state: State | None, operations: Sequence[Queued], now: datetime, of_others: Sequence[Queued] = ()) -> View:
    """What to show.

    Args:
        state: the server's last word, or None before there was one.
        operations: of the person, in the order in which they were made.
        now: by the server's clock.
        of_others: what other people have left on this computer.
    """
    today = now.astimezone(UTC if state is None else state.person.zone).date()
    stuck = tuple(queued for queued in operations if queued.state in _STUCK)
    waiting = tuple(q for q in operations if q.state in (OperationState.PENDING, OperationState.SENT))
    if state is None:
        return View(None, today, None, (), None, waiting, stuck, tuple(of_others))
    sheet = _Sheet(state, {queued.id for queued in stuck})
    for queued in operations:
        sheet.apply(queued)
    entries = sheet.shown()
    return View(state, today, sheet.timer, entries, _week(state, today, entries), waiting, stuck, tuple(of_others))


class _Sheet:
    """Cells and timer, while operations are applied to them."""

    def __init__(self, state: State, stuck: set[str]) -> None:
        self.timer = state.timer
        self._zone = state.person.zone
        self._stuck = stuck
        self._cells = {entry.cell: entry for entry in state.entries}
        self._waiting: set[tuple[int, date]] = set()

    def apply(self, queued: Queued) -> None:
        if queued.state in _STUCK:
            return
        known = queued.state is OperationState.DONE
        if queued.status is not Status.ALREADY:
            self._record(queued.action, waiting=not known)
        self._run(queued.id, queued.action)

    def _run(self, identifier: str, action: Action) -> None:
        """What it does to the timer."""
        if isinstance(action, Start):
            running = self.timer
            goes_on = running is not None and running.task_id == action.task_id
            begin = running.started_at if running is not None and goes_on else action.started_at
            self.timer = Timer(action.task_id, begin, action.memo, identifier)
        elif isinstance(action, Stop) and self._is_running(action):
            self.timer = None

    def _is_running(self, stop: Stop) -> bool:
        return self.timer is not None and self.timer.start_id == stop.start_id

    def _record(self, action: Action, *, waiting: bool) -> None:
        """What it does to the cells."""
        match action:
            case Start():
                # Not ours to stop, or its stop would stand before: the server stops and records it as the web does.
                if self.timer is not None and self.timer.task_id != action.task_id:
                    self._add_interval(self.timer.task_id, self.timer.started_at, action.started_at, self.timer.memo)
            case Stop():
                begin = action.started_at
                if self.timer is not None and self._is_running(action):
                    begin = self.timer.started_at
                if self._is_running(action) or action.start_id in self._stuck:
                    self._add_interval(action.task_id, begin, action.stopped_at, action.memo)
            case Correction():
                present = self._cells.get(action.cell)
                version = action.version if present is None else present.version
                self._put(Entry(action.task_id, action.day, action.minutes, action.memo, version), waiting=waiting)
            case Addition():
                self._add(action.cell, action.minutes, action.memo, waiting=waiting)

    def _add_interval(self, task_id: int, started_at: datetime, ended_at: datetime, memo: str) -> None:
        for day, minutes in cut_into_days(started_at, ended_at, self._zone):
            self._add((task_id, day), minutes, memo, waiting=True)

    def _add(self, cell: tuple[int, date], minutes: int, memo: str, *, waiting: bool) -> None:
        present = self._cells.get(cell, Entry(*cell, 0, "", 0))
        added = replace(present, minutes=present.minutes + minutes, memo=merged_memo(present.memo, memo))
        self._put(added, waiting=waiting)

    def _put(self, entry: Entry, *, waiting: bool) -> None:
        self._cells[entry.cell] = entry
        if waiting:
            self._waiting.add(entry.cell)

    def shown(self) -> tuple[ShownEntry, ...]:
        return tuple(
            ShownEntry(entry, cell in self._waiting)
            for cell, entry in self._cells.items()
            if entry.minutes or cell in self._waiting
        )


def cut_into_days(started_at: datetime, ended_at: datetime, zone: ZoneInfo) -> list[tuple[date, int]]:
    """The minutes of a timer by day of ``zone``, by the server's rule.

    It counts from the minute in which it was started, as many whole minutes as have passed since the very second.
    """
    at = started_at.astimezone(UTC).replace(second=0, microsecond=0)
    end = at + max(0, (ended_at - started_at) // _MINUTE) * _MINUTE
    parts: list[tuple[date, int]] = []
    while at < end:
        day = at.astimezone(zone).date()
        midnight = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
        until = min(end, max(midnight, at + _MINUTE))
        parts.append((day, (until - at) // _MINUTE))
        at = until
    return parts


def merged_memo(present: str, added: str) -> str:
    """The memo of an entry and that of a timer: one below the other, and once where the entry has it already."""
    if not added or f"\n{added}\n" in f"\n{present}\n":
        return present
    return f"{present}\n{added}" if present else added


def _week(state: State, today: date, entries: Iterable[ShownEntry]) -> ShownWeek:
    """The week of today: what the server says of it, with the hours that it does not know yet."""
    minutes: dict[date, int] = {}
    for shown in entries:
        minutes[shown.entry.day] = minutes.get(shown.entry.day, 0) + shown.entry.minutes
    if state.week.start <= today <= state.week.end:
        known = {day.day: day for day in state.week.days}
        days = tuple(replace(day, minutes=minutes.get(day.day, 0)) for day in known.values())
        return ShownWeek(state.week.start, days, sum(day.minutes for day in days), state.week.target_minutes)
    start = state.week.start + timedelta(days=(today - state.week.start).days // 7 * 7)
    week = [start + timedelta(days=number) for number in range(7)]
    days = tuple(Day(day, minutes.get(day, 0), 0, closed=False) for day in week)
    return ShownWeek(start, days, sum(day.minutes for day in days), None)
