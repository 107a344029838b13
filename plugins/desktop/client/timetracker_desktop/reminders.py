"""What a person is reminded of, and when: at most once a day each. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from timetracker_desktop.local_truth import View
from timetracker_desktop.model import Day
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
        shown: the day on which each kind was last shown.
    """
    if not preferences.remind or view.state is None:
        return None
    if shown.get(Kind.MISSING) != now.date() and _at(preferences.morning) <= now.time() < _at(preferences.evening):
        missing = _missing(view)
        if missing:
            return Reminder(Kind.MISSING, missing)
    timer = view.timer
    if timer is None or shown.get(Kind.FORGOTTEN) == now.date():
        return None
    if now.time() >= _at(preferences.evening) or now - timer.started_at >= _FORGOTTEN_AFTER:
        task = view.task(timer.task_id)
        return Reminder(Kind.FORGOTTEN, task="" if task is None else task.name, started_at=timer.started_at)
    return None


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
