"""What a person is reminded of, and when: at most once a day each, however often the program is started."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from timetracker_desktop.local_truth import View
from timetracker_desktop.model import Day
from timetracker_desktop.operation_queue import OperationQueue
from timetracker_desktop.preferences import Preferences

_FORGOTTEN_AFTER = timedelta(hours=12)


class Kind(StrEnum):
    """Which reminder."""

    MISSING = "missing"
    FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class Reminder:
    """One that is due."""

    kind: Kind
    days: tuple[Day, ...] = ()
    """Of missing hours, oldest first."""
    task: str = ""
    """Of a timer that runs."""
    started_at: datetime | None = None


def due(view: View, preferences: Preferences, now: datetime, shown: dict[Kind, date]) -> Reminder | None:
    """The reminder to show at this instant, or None.

    Args:
        view: what is known.
        preferences: whether and when.
        now: aware, in the person's own time of day.
        shown: the day on which each kind was last shown; it outlives the program with ``keep_shown``.
    """
    is_open = {
        Kind.FORGOTTEN: preferences.remind_forgotten and shown.get(Kind.FORGOTTEN) != now.date(),
        Kind.MISSING: preferences.remind_missing and shown.get(Kind.MISSING) != now.date(),
    }
    return (_of_timer(view, preferences, now) if is_open[Kind.FORGOTTEN] else None) or (
        _of_days(view, preferences, now) if is_open[Kind.MISSING] else None
    )


def _of_timer(view: View, preferences: Preferences, now: datetime) -> Reminder | None:
    timer = view.timer
    if timer is None:
        return None
    evening = datetime.combine(now.date(), _at(preferences.evening), now.tzinfo)
    # A timer that was started after that is no forgotten one: somebody works in the evening.
    if not timer.started_at < evening <= now and now - timer.started_at < _FORGOTTEN_AFTER:
        return None
    task = view.task(timer.task_id)
    return Reminder(Kind.FORGOTTEN, task="" if task is None else task.name, started_at=timer.started_at)


def _of_days(view: View, preferences: Preferences, now: datetime) -> Reminder | None:
    morning, evening = _at(preferences.morning), _at(preferences.evening)
    # Whoever comes in the evening is not asked for both at once; somebody on night shift has them the other way round.
    is_time = morning <= now.time() and (now.time() < evening or evening <= morning)
    missing = _missing(view) if is_time else ()
    return Reminder(Kind.MISSING, missing) if missing else None


def _missing(view: View) -> tuple[Day, ...]:
    """The days that lack hours as the server knows it, less what was recorded here since."""
    lacking = view.state.lacking if view.state is not None else ()
    days_here = {day.day: day for day in view.week.days} if view.week is not None else {}
    days = (days_here.get(day.day, day) for day in lacking)
    return tuple(day for day in days if day.minutes < day.target_minutes)


def _at(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return time(9)


def read_shown(queue: OperationQueue) -> dict[Kind, date]:
    """The day on which each kind was last shown; what is not understood was never shown."""
    try:
        kept = json.loads(queue.kept("reminded") or "{}")
        return {Kind(kind): date.fromisoformat(day) for kind, day in kept.items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def keep_shown(queue: OperationQueue, shown: dict[Kind, date]) -> None:
    """Keep it."""
    queue.keep("reminded", json.dumps({kind.value: day.isoformat() for kind, day in shown.items()}))
