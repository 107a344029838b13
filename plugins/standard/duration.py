"""Durations as people type and read them: integer minutes, never a float.

All of ``1:30``, ``1.5``, ``1,5``, ``90m``, ``90min``, ``1h30``, ``1h 30m``, ``1.5h``, ``1時間30分`` and ``90分`` are an
hour and a half, in full-width digits as well. A plain number is hours: ``8`` is eight hours.
"""

import re
import unicodedata
from fractions import Fraction

from app.sdk import N_, Reason, Refusal

DAY = 24 * 60
"""Minutes of a day; no day takes more (a day on which clocks go back has an hour more, and no sheet needs it)."""
_LONGEST_INPUT = 32
_MINUS = ("-", "\N{MINUS SIGN}", "\N{EN DASH}")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)")
_UNITS = re.compile(
    r"(?:(?P<hours>\d{1,4}(?:[.,]\d{1,4})?)(?:h|hr|hrs|hours?|時間))?"
    r"(?:(?P<minutes>\d{1,5})(?:m|min|mins|minutes?|分)?)?",
)
_MINUTES = re.compile(r"\d{1,5}(?:m|min|mins|minutes?|分)")
_HOURS = re.compile(r"(\d{0,4})[.,](\d{1,4})|(\d{1,4})")

NOT_A_DURATION = Reason(
    "duration_invalid",
    N_("“%(text)s” is no duration."),
    N_("Write hours and minutes, such as 1:30, 1.5 or 90m."),
)
NEGATIVE = Reason(
    "duration_negative",
    N_("A duration cannot be less than nothing."),
    N_("Write hours and minutes, such as 1:30, 1.5 or 90m."),
)
DAY_TOO_LONG = Reason(
    "duration_over_a_day",
    N_("A day has 24 hours."),
    N_("Write at most 24:00 for a day."),
)
NOT_WHOLE_STEPS = Reason(
    "duration_not_in_steps",
    N_("Time is recorded in steps of %(minutes)s minutes."),
    N_("Round it to a multiple of that."),
)


def parse_duration(text: str, *, step: int = 1) -> int:
    """Read what a person typed into a cell; nothing, a dash and 0 are no time.

    Args:
        text: as typed.
        step: the granularity in minutes, of which the result is a multiple.

    Returns:
        Minutes, 0 to 1440. A fraction of an hour that is no whole minute is rounded half up: 0.33 is 20 minutes.

    Raises:
        Refusal: ``duration_invalid``, ``duration_negative``, ``duration_over_a_day`` or ``duration_not_in_steps``.
    """
    plain = "".join(unicodedata.normalize("NFKC", text[: 4 * _LONGEST_INPUT]).lower().split())
    if plain in ("", *_MINUS, "\N{EM DASH}"):
        return 0
    if len(text) > _LONGEST_INPUT:
        raise Refusal(NOT_A_DURATION, text=f"{text[:_LONGEST_INPUT]}…")
    if plain[0] in _MINUS and plain[1:2].isdigit():
        raise Refusal(NEGATIVE)
    minutes = _minutes(plain)
    if minutes is None:
        raise Refusal(NOT_A_DURATION, text=text.strip())
    if minutes > DAY:
        raise Refusal(DAY_TOO_LONG)
    if minutes % step:
        raise Refusal(NOT_WHOLE_STEPS, minutes=step)
    return minutes


def _minutes(plain: str) -> int | None:
    if not plain.isprintable():
        return None
    if clock := _CLOCK.fullmatch(plain):
        return int(clock[1]) * 60 + int(clock[2])
    if _MINUTES.fullmatch(plain):
        return int(re.match(r"\d+", plain)[0])  # type: ignore[index]  # the pattern above begins with digits
    if _HOURS.fullmatch(plain):
        return _from_hours(plain)
    units = _UNITS.fullmatch(plain)
    if units is None or units["hours"] is None:
        return None
    return _from_hours(units["hours"]) + int(units["minutes"] or 0)


def _from_hours(text: str) -> int:
    """Hours with a decimal point or comma; half a minute and more counts as one."""
    return int(Fraction(text.replace(",", ".") if text[0] not in ".," else f"0.{text[1:]}") * 60 + Fraction(1, 2))


def show_duration(minutes: int) -> str:
    """Minutes as ``1:30``, with a true minus sign below nothing: what cells, totals and exports show."""
    sign = "\N{MINUS SIGN}" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"


def show_sum(minutes: int) -> str:
    """The same of a sum of many, whose hours have separators: ``4,040:00``."""
    sign = "\N{MINUS SIGN}" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60:,}:{abs(minutes) % 60:02}"


def show_balance(minutes: int) -> str:
    """The same with a sign on either side of nothing, such as ``+1:30``."""
    return f"+{show_sum(minutes)}" if minutes > 0 else show_sum(minutes)


def show_clock(minute_of_day: int) -> str:
    """A minute of the day as ``09:05``; 1440 is ``24:00``."""
    return f"{minute_of_day // 60:02}:{minute_of_day % 60:02}"
