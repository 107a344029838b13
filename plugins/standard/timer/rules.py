"""What a timer is worth: whole minutes, cut into the days of the person's time zone. Pure.

The one rule of rounding: a timer counts from the minute in which it was started, and for as many whole minutes as have
passed since the very second. So 9:05:40 to 10:05:20 is 9:05–10:04 and 59 minutes; times of day and minutes agree, what
is started as another is stopped never overlaps it, and the parts of a timer add up to the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.sdk import N_, Reason, Refusal
from plugins.standard.duration import DAY
from plugins.standard.timesheet.spans import instant_of, parse_time

ONE_MINUTE = timedelta(minutes=1)
_ONE_DAY = timedelta(days=1)
FORGOTTEN_AFTER = _ONE_DAY
"""A timer that runs for longer is not stopped at once: whoever forgot it says when it ended."""
LONGEST = timedelta(days=31)
"""How long ago a timer may have started that is changed, and how long one may be that is recorded."""

RUNS_FOR_LONG = Reason(
    "timer_forgotten",
    N_("The timer has been running for more than a day."),
    N_("Say when it ended, or discard it."),
    status=409,
)
TIMER_GONE = Reason(
    "timer_gone",
    N_("The timer that the page showed is not running any more: it was stopped, changed or discarded meanwhile."),
    N_("Look at what is shown now."),
    status=409,
)
TIMES_TAKEN = Reason(
    "timer_overlaps",
    N_("The day has %(starts)s–%(ends)s already, which the timer overlaps."),
    N_("Change when the timer started or ended, or the times of the day."),
    status=409,
)
NOT_A_DAY = Reason(
    "day_invalid",
    N_("“%(text)s” is no day."),
    N_("Write it as 2026-11-26."),
)
TOO_LONG_AGO = Reason(
    "timer_too_long_ago",
    N_("A timer is recorded for at most %(days)s days."),
    N_("Record older hours on the time sheet."),
)
IN_THE_FUTURE = Reason(
    "timer_in_future",
    N_("This is still to come."),
    N_("Type a time that has passed."),
)
ENDS_BEFORE_START = Reason(
    "timer_ends_before_start",
    N_("The timer was started later than that."),
    N_("Type a time after its start, or change the start first."),
)


@dataclass(frozen=True, slots=True)
class Part:
    """What a timer is worth on one day, from when to when."""

    day: date
    starts: int
    """Minute of the day in the person's time zone."""
    ends: int
    minutes: int
    """What has passed, which on a day when clocks change is not the difference of the two."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A day and a time of day as they were typed."""

    day: str
    time: str


def whole_minute(instant: datetime) -> datetime:
    """The beginning of the minute that ``instant`` is in."""
    return instant.replace(second=0, microsecond=0)


def elapsed_minutes(started_at: datetime, ended_at: datetime) -> int:
    """The whole minutes that have passed; none where the clock of the server was set back."""
    return max(0, (ended_at - started_at) // ONE_MINUTE)


def is_forgotten(started_at: datetime, at: datetime) -> bool:
    """Whether a timer has been running for so long that nobody can mean all of it."""
    return at - started_at > FORGOTTEN_AFTER


def cut_into_days(started_at: datetime, ended_at: datetime, zone: ZoneInfo) -> tuple[Part, ...]:
    """Cut a timer at each midnight of ``zone``; the parts add up to ``elapsed_minutes`` of it.

    Args:
        started_at: to the second.
        ended_at: likewise.
        zone: the person's.
    """
    return tuple(_cut(whole_minute(started_at).astimezone(UTC), elapsed_minutes(started_at, ended_at), zone))


def _cut(begin: datetime, minutes: int, zone: ZoneInfo) -> Iterator[Part]:
    at, end = begin, begin + minutes * ONE_MINUTE
    while at < end:
        midnight = _next_midnight(at, zone)
        until = min(end, midnight)
        yield from _part(at, until, DAY if until == midnight else _minute_of_day(until, zone), zone)
        at = until


def _next_midnight(at: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after ``at`` at which a day of ``zone`` begins; 1:00 where clocks skip the hour before it."""
    day = at.astimezone(zone).date() + _ONE_DAY
    first, again = (datetime.combine(day, time.min, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    # The second one counts where clocks go back over midnight itself, and `at` is in the hour that comes twice.
    return first if first > at else max(again, at + ONE_MINUTE)


def _part(at: datetime, until: datetime, ends: int, zone: ZoneInfo) -> Iterator[Part]:
    """What lies between two instants of a day: one part, or two where clocks go back to before it began."""
    local = at.astimezone(zone)
    starts, minutes = _minute_of_day(at, zone), (until - at) // ONE_MINUTE
    if starts < ends:
        yield Part(local.date(), starts, ends, minutes)
        return
    before = next(
        passed
        for passed in range(1, minutes + 1)
        if (at + passed * ONE_MINUTE).astimezone(zone).utcoffset() != local.utcoffset()
    )
    yield Part(local.date(), starts, starts + before, before)
    if before < minutes:
        change = at + before * ONE_MINUTE
        yield Part(local.date(), _minute_of_day(change, zone), ends, minutes - before)


def _minute_of_day(instant: datetime, zone: ZoneInfo) -> int:
    local = instant.astimezone(zone)
    return local.hour * 60 + local.minute


def merged_memo(present: str, added: str) -> str:
    """The memo of an entry and that of a timer: one below the other, and once where the entry has it already."""
    if not added or f"\n{added}\n" in f"\n{present}\n":
        return present
    return f"{present}\n{added}" if present else added


def moment_of(instant: datetime, zone: ZoneInfo) -> Moment:
    """An instant as it is typed."""
    local = instant.astimezone(zone)
    return Moment(local.date().isoformat(), f"{local.hour:02}:{local.minute:02}")


def read_moment(moment: Moment, zone: ZoneInfo, *, at: datetime) -> datetime:
    """Read a day and a time of day; with the first where clocks show it twice.

    Args:
        moment: as typed.
        zone: the person's.
        at: the present, which it may not lie after, nor long before.

    Raises:
        Refusal: with the field ``day`` or ``time``.
    """
    try:
        day = date.fromisoformat(moment.day.strip())
    except ValueError:
        raise Refusal(NOT_A_DAY, field="day", text=moment.day.strip()[:16]) from None
    today = at.astimezone(zone).date()
    if day < today - LONGEST:
        raise Refusal(TOO_LONG_AGO, field="day", days=LONGEST.days)
    if day > today:
        raise Refusal(IN_THE_FUTURE, field="day")
    try:
        instant = instant_of(day, parse_time(moment.time), zone)
    except Refusal as refusal:
        refusal.field = "time"
        raise
    if instant > at:
        raise Refusal(IN_THE_FUTURE, field="time")
    return instant
