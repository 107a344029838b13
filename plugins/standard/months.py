"""Months of the calendar, as addresses name them: ``2026-11``."""

import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta

_CODE = re.compile(r"(\d{4})-(\d{2})")
_DECEMBER = 12
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a year."""

    year: int
    number: int
    """1 is January."""

    @property
    def code(self) -> str:
        """The month as it stands in addresses."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        following = self.next
        return date.max if following is None else following.first - _ONE_DAY

    @property
    def days(self) -> tuple[date, ...]:
        """All of its days."""
        return tuple(self.first + timedelta(days=number) for number in range(self.last.day))

    @property
    def previous(self) -> "Month | None":
        """The month before; None at the beginning of the calendar."""
        if self.number > 1:
            return Month(self.year, self.number - 1)
        return Month(self.year - 1, _DECEMBER) if self.year > MINYEAR else None

    @property
    def next(self) -> "Month | None":
        """The month after; None at the end of the calendar."""
        if self.number < _DECEMBER:
            return Month(self.year, self.number + 1)
        return Month(self.year + 1, 1) if self.year < MAXYEAR else None


def month_of(day: date) -> Month:
    """The month that ``day`` is in."""
    return Month(day.year, day.month)


def read_month(code: str) -> Month | None:
    """The month ``code``, such as ``2026-11``; None where there is no such month."""
    match = _CODE.fullmatch(code)
    if match is None or not code.isascii():
        return None
    year, number = int(match[1]), int(match[2])
    return Month(year, number) if year >= MINYEAR and 1 <= number <= _DECEMBER else None
