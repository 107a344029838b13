"""What pages say of a timer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from operator import itemgetter
from zoneinfo import ZoneInfo

from app.sdk import Refusal, RefusalTexts, code_texts, gettext, listed, now, sentences
from plugins.standard.duration import show_clock, show_duration
from plugins.standard.entries import Cell
from plugins.standard.timer.rules import Moment, moment_of
from plugins.standard.timer.service import Running, Started, Stopped
from plugins.standard.timesheet.presenter import short_day


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into the forms of the page, and what is wrong with it, by form and field: ``end.time``."""

    start_memo: str = ""
    task_id: int | None = None
    memo: str | None = None
    started: Moment | None = None
    ended: Moment | None = None
    errors: Mapping[str, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimerView:
    """A timer that runs, as the template shows it."""

    running: Running
    since: str
    """When it was started: a time of today, or a day with a time."""
    task_id: int
    """The task in the form, and what else stands in it."""
    memo: str
    started: Moment
    ended: Moment
    errors: Mapping[str, RefusalTexts]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing was recorded."""

    day: str
    """The day at which it is."""
    texts: RefusalTexts


def present_timer(running: Running, zone: ZoneInfo, typed: Typed) -> TimerView:
    """Put what was typed over what is there. A forgotten timer proposes its first day and no time."""
    started = moment_of(running.started_at, zone)
    ended = Moment(started.day, "") if running.is_forgotten else moment_of(now(), zone)
    return TimerView(
        running,
        since_text(running, zone),
        running.task.id if typed.task_id is None else typed.task_id,
        running.memo if typed.memo is None else typed.memo,
        typed.started or started,
        typed.ended or ended,
        {name: code_texts(refusal) for name, refusal in typed.errors.items()},
    )


def since_text(running: Running, zone: ZoneInfo) -> str:
    """When it was started: ``9:05`` today, ``Wed 25 Nov, 9:05`` before."""
    local = running.started_at.astimezone(zone)
    time = show_clock(local.hour * 60 + local.minute)
    if local.date() == now().astimezone(zone).date():
        return time
    return gettext("%(day)s, %(time)s", day=short_day(local.date()), time=time)


def problems_of(refusals: Mapping[Cell, Refusal]) -> tuple[Problem, ...]:
    """What is wrong, day by day."""
    by_day = {day: refusal for (_, day), refusal in refusals.items()}
    return tuple(
        Problem(short_day(day), code_texts(refusal)) for day, refusal in sorted(by_day.items(), key=itemgetter(0))
    )


def stopped_text(stopped: Stopped) -> str:
    """What was recorded, on which days."""
    if not stopped.minutes:
        return gettext("The timer ran for less than a minute: nothing was recorded.")
    if len(stopped.days) == 1:
        return gettext("%(time)s recorded on %(task)s.", time=show_duration(stopped.minutes), task=stopped.task.name)
    return gettext(
        "%(time)s recorded on %(task)s: %(days)s.",
        time=show_duration(stopped.minutes),
        task=stopped.task.name,
        days=listed(_days(stopped.days.items())),
    )


def _days(days: Iterable[tuple[date, int]]) -> Iterable[str]:
    return (f"{short_day(day)} {show_duration(minutes)}" for day, minutes in days)


def started_text(started: Started) -> str:
    """What runs now, and what was recorded of what ran before."""
    if started.ran_already:
        return gettext("The timer runs on %(task)s already.", task=started.task.name)
    runs = gettext("The timer runs on %(task)s.", task=started.task.name)
    return sentences(stopped_text(started.stopped), runs) if started.stopped else runs
