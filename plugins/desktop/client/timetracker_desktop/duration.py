"""Durations as people type and read them: integer minutes, never a float.

The same rules as on the time sheet of the web: ``1:30``, ``1.5``, ``1,5``, ``90m``, ``1h30`` and ``1時間30分`` are an
hour and a half, in full-width digits as well; a plain number is hours.
"""

import re
import unicodedata
from fractions import Fraction

from timetracker_desktop.texts import N_

DAY = 24 * 60
_LONGEST_INPUT = 32
_DASHES = ("-", "\N{MINUS SIGN}", "\N{EN DASH}", "\N{EM DASH}")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)")
_MINUTES = re.compile(r"(\d{1,5})(?:m|min|mins|minutes?|分)")
_HOURS = re.compile(r"\d{0,4}[.,]\d{1,4}|\d{1,4}")
_UNITS = re.compile(
    r"(?P<hours>\d{1,4}(?:[.,]\d{1,4})?)(?:h|hr|hrs|hours?|時間)(?:(?P<minutes>\d{1,5})(?:m|min|mins|minutes?|分)?)?",
)

NOT_A_DURATION = N_("Write hours and minutes, such as 1:30, 1.5 or 90m.")
NEGATIVE = N_("A duration cannot be less than nothing.")
DAY_TOO_LONG = N_("A day has 24 hours.")


class DurationError(ValueError):
    """What was typed is no duration; the argument is a text for people, not yet translated."""


def parse_duration(text: str) -> int:
    """Read what a person typed: 0 to 1440 minutes. Nothing, a dash and 0 are no time.

    A fraction of an hour that is no whole minute is rounded half up: 0.33 is 20 minutes.

    Raises:
        DurationError: with the reason.
    """
    plain = "".join(unicodedata.normalize("NFKC", text[: 4 * _LONGEST_INPUT]).lower().split())
    if plain in ("", *_DASHES):
        return 0
    if plain[0] in _DASHES and plain[1:2].isdigit():
        raise DurationError(NEGATIVE)
    minutes = _minutes(plain) if len(text) <= _LONGEST_INPUT else None
    if minutes is None:
        raise DurationError(NOT_A_DURATION)
    if minutes > DAY:
        raise DurationError(DAY_TOO_LONG)
    return minutes


def _minutes(plain: str) -> int | None:
    if clock := _CLOCK.fullmatch(plain):
        return int(clock[1]) * 60 + int(clock[2])
    if minutes := _MINUTES.fullmatch(plain):
        return int(minutes[1])
    if _HOURS.fullmatch(plain):
        return _from_hours(plain)
    if units := _UNITS.fullmatch(plain):
        return _from_hours(units["hours"]) + int(units["minutes"] or 0)
    return None


def _from_hours(text: str) -> int:
    """Hours with a decimal point or comma; half a minute and more counts as one."""
    return int(Fraction("0" + text.replace(",", ".")) * 60 + Fraction(1, 2))


def show_duration(minutes: int) -> str:
    """Minutes as ``1:30``, with a true minus sign below nothing."""
    sign = "\N{MINUS SIGN}" if minutes < 0 else ""
    return f"{sign}{abs(minutes) // 60}:{abs(minutes) % 60:02}"
