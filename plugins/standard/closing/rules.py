"""What closing and opening do: which days change, and in which direction.

Pure. A day in the future cannot be closed: it holds nothing that needs protection yet, and a mistyped year would stop
everybody from recording hours until somebody notices. Today can be, after a warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.sdk import N_, Reason, Refusal
from plugins.standard.months import month_of

_SHOWN = 40
"""Characters of what was typed that a refusal repeats."""
_ONE_DAY = timedelta(days=1)

NOT_A_DAY = Reason(
    "closing_day_invalid",
    N_("“%(text)s” is no day."),
    N_("Write year, month and day, such as 2026-11-30."),
)
DAY_MISSING = Reason(
    "closing_day_missing",
    N_("No day was given."),
    N_("Write year, month and day, such as 2026-11-30."),
)
IN_FUTURE = Reason(
    "closing_in_future",
    N_("A day that has not come yet cannot be closed."),
    N_("Choose today or an earlier day."),
)


class Mode(StrEnum):
    """What is asked for."""

    THROUGH = "through"
    """Days are closed through a day."""
    NOTHING = "nothing"
    """Nothing is closed."""
    FOLLOW = "follow"
    """Of one person: as for everybody."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an administrator wants, for everybody or for one person."""

    mode: Mode
    through: date | None = None
    """With ``Mode.THROUGH``."""
    person: int | None = None
    """Id of the person; None for everybody."""


class Direction(StrEnum):
    """What becomes of days."""

    CLOSES = "closes"
    OPENS = "opens"
    NEITHER = "neither"
    """No day changes."""


@dataclass(frozen=True, slots=True)
class Change:
    """From which closing date to which one."""

    before: date | None
    """The last closed day; None where nothing is closed."""
    after: date | None

    @property
    def direction(self) -> Direction:
        """Whether days are closed or opened."""
        if self.before == self.after:
            return Direction.NEITHER
        return Direction.CLOSES if _place(self.before) < _place(self.after) else Direction.OPENS

    @property
    def first(self) -> date | None:
        """The first day that changes; None where none does, or all up to ``last`` do."""
        low = min(self.before, self.after, key=_place)
        return None if low is None or self.last is None else low + _ONE_DAY

    @property
    def last(self) -> date | None:
        """The last day that changes; None where none does."""
        return max(self.before, self.after, key=_place) if self.before != self.after else None

    def holds(self, day: date) -> bool:
        """Whether ``day`` changes."""
        last = self.last
        return last is not None and (self.first is None or self.first <= day) and day <= last


def _place(day: date | None) -> int:
    """Where a closing date stands in time; nothing closed comes before all of them."""
    return 0 if day is None else day.toordinal()


def read_wanted(values: Mapping[str, str], person: int | None, *, today: date) -> Wanted:
    """What an address or a form asks for with ``mode`` and ``through``; anything else asks for a day.

    Raises:
        Refusal: ``closing_day_missing``, ``closing_day_invalid`` or ``closing_in_future``, at the field ``through``.
    """
    mode = values.get("mode", "")
    if mode == Mode.NOTHING:
        return Wanted(Mode.NOTHING, person=person)
    if mode == Mode.FOLLOW and person is not None:
        return Wanted(Mode.FOLLOW, person=person)
    text = values.get("through", "").strip()
    if not text:
        raise Refusal(DAY_MISSING, field="through")
    through = _day(text)
    if through is None:
        raise Refusal(NOT_A_DAY, field="through", text=text[:_SHOWN])
    if through > today:
        raise Refusal(IN_FUTURE, field="through")
    return Wanted(Mode.THROUGH, through, person)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None  # Python reads weeks and days without dashes too


def useful_days(present: date | None, today: date) -> tuple[date, ...]:
    """The ends of the last two months as far as they are open yet: what is closed most often, latest first."""
    last = month_of(today).previous
    months = (last, None if last is None else last.previous)
    return tuple(month.last for month in months if month is not None and _place(month.last) > _place(present))
