"""A day as times from when to when: what was typed is read, what overlaps is refused, what passed is counted. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.sdk import N_, Reason, Refusal
from plugins.standard.duration import DAY

BREAK = "break"
"""What the choice of a line says that is a break."""
LINES_LIMIT = 100
"""How many lines a form may have."""
_CLOCK = re.compile(r"(\d{1,2})[:.h時]?([0-5]\d)?分?|(\d{2})([0-5]\d)", re.ASCII)
_LONGEST_INPUT = 16

NOT_A_TIME = Reason(
    "time_invalid",
    N_("“%(text)s” is no time of day."),
    N_("Write it as 9:05 or 17:30."),
)
TIME_MISSING = Reason(
    "time_missing",
    N_("A time is missing."),
    N_("Type when it began and when it ended, or remove both."),
)
ENDS_TOO_EARLY = Reason(
    "ends_before_start",
    N_("It ends before it begins."),
    N_("What goes past midnight is two lines on two days; a day ends at 24:00."),
)
TASK_MISSING = Reason(
    "task_missing",
    N_("What was done is missing."),
    N_("Choose a task, or Break."),
)
OVERLAPS = Reason(
    "times_overlap",
    N_("This overlaps %(starts)s–%(ends)s."),
    N_("Change one of them."),
)
TIME_SKIPPED = Reason(
    "time_skipped",
    N_("Clocks skip %(time)s on this day."),
    N_("Type the time that clocks showed after the change."),
)


@dataclass(frozen=True, slots=True)
class TimedSpan:
    """From when to when one thing was done, or a break was had."""

    starts: int
    """Minute of the day in the person's time zone."""
    ends: int
    task_id: int | None
    """None for a break."""
    minutes: int
    """What passed between them, which on a day when clocks change is not their difference."""


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line of the form."""

    number: int
    starts: str
    ends: str
    task: str

    @property
    def is_empty(self) -> bool:
        """Whether there is no time in it, so that it is none."""
        return not self.starts.strip() and not self.ends.strip()


@dataclass(frozen=True, slots=True)
class ReadDay:
    """What was typed, as far as it could be read."""

    spans: tuple[TimedSpan, ...]
    numbers: Mapping[int, TimedSpan]
    """The spans by the number of their line."""
    refusals: Mapping[str, Refusal]
    """What is wrong, by the name of the field."""


def read_lines(form: Mapping[str, str]) -> tuple[TypedLine, ...]:
    """The lines that have been filled in."""
    lines = (
        TypedLine(
            number, form.get(f"start-{number}", ""), form.get(f"end-{number}", ""), form.get(f"task-{number}", "")
        )
        for number in range(LINES_LIMIT)
        if f"start-{number}" in form
    )
    return tuple(line for line in lines if not line.is_empty)


def parse_time(text: str) -> int:
    """Read a time of day, such as ``9:05``, ``0905``, ``9`` or ``24:00``, in full-width digits as well.

    Returns:
        The minute of the day, 0 to 1440.

    Raises:
        Refusal: ``time_invalid`` or ``time_missing``.
    """
    plain = "".join(unicodedata.normalize("NFKC", text[: 2 * _LONGEST_INPUT]).lower().split())
    if not plain:
        raise Refusal(TIME_MISSING)
    match = _CLOCK.fullmatch(plain)
    if match is None or len(text) > _LONGEST_INPUT:
        raise Refusal(NOT_A_TIME, text=text.strip()[:_LONGEST_INPUT])
    hours, minutes = (match[1], match[2]) if match[1] is not None else (match[3], match[4])
    minute = int(hours) * 60 + int(minutes or 0)
    if minute > DAY:
        raise Refusal(NOT_A_TIME, text=text.strip())
    return minute


def instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """When clocks in ``zone`` show ``minute``; the first time where they show it twice.

    Raises:
        Refusal: ``time_skipped`` where they never do.
    """
    # A wall clock is what is meant here, so the arithmetic is without a zone, which is put on afterwards.
    wall = datetime.combine(day, time.min) + timedelta(minutes=minute)
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != wall:
        raise Refusal(TIME_SKIPPED, time=f"{minute // 60}:{minute % 60:02}")
    return instant


def elapsed(day: date, starts: int, ends: int, zone: ZoneInfo) -> int:
    """Minutes that pass between two times of a day, also where clocks change between them.

    Raises:
        Refusal: ``time_skipped``, with the field ``start`` or ``end``.
    """
    instants = []
    for field, minute in (("start", starts), ("end", ends)):
        try:
            instants.append(instant_of(day, minute, zone))
        except Refusal as refusal:
            refusal.field = field
            raise
    return int((instants[1] - instants[0]).total_seconds()) // 60


def read_day(
    lines: Iterable[TypedLine], day: date, zone: ZoneInfo, *, kept: Sequence[TimedSpan], before: Sequence[TimedSpan]
) -> ReadDay:
    """Read the lines of a day.

    Args:
        lines: as typed.
        day: the local date.
        zone: the person's.
        kept: spans that the form cannot change, which nothing may overlap.
        before: spans as they are now; one whose times are left as they are keeps its minutes, which a timer may have
            counted by the second.
    """
    known = {(span.starts, span.ends): span.minutes for span in before}
    numbers: dict[int, TimedSpan] = {}
    refusals: dict[str, Refusal] = {}
    for line in lines:
        try:
            numbers[line.number] = _span(line, day, zone, known)
        except Refusal as refusal:
            refusals[f"{refusal.field}-{line.number}"] = refusal
    taken = list(kept)
    for number, span in sorted(numbers.items(), key=lambda item: (item[1].starts, item[0])):
        other = next((other for other in taken if span.starts < other.ends and other.starts < span.ends), None)
        if other is not None:
            refusals[f"start-{number}"] = Refusal(
                OVERLAPS,
                field="start",
                starts=f"{other.starts // 60}:{other.starts % 60:02}",
                ends=f"{other.ends // 60}:{other.ends % 60:02}",
            )
        taken.append(span)
    return ReadDay(tuple(numbers.values()), numbers, refusals)


def _span(line: TypedLine, day: date, zone: ZoneInfo, known: Mapping[tuple[int, int], int]) -> TimedSpan:
    starts, ends = _parsed(line.starts, "start"), _parsed(line.ends, "end")
    if ends <= starts:
        raise Refusal(ENDS_TOO_EARLY, field="end")
    task_id = _task(line.task)
    minutes = known.get((starts, ends))
    return TimedSpan(starts, ends, task_id, elapsed(day, starts, ends, zone) if minutes is None else minutes)


def _parsed(text: str, field: str) -> int:
    try:
        return parse_time(text)
    except Refusal as refusal:
        refusal.field = field
        raise


def _task(text: str) -> int | None:
    if text == BREAK:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(2**63)) - 1):
        raise Refusal(TASK_MISSING, field="task")
    return int(text)
