"""Which days are worked and for how long: what is expected of a day, a week, a month."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType, ModuleType

_NONE: Mapping[date, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """What is expected of each day, by the settings of the installation."""

    daily_minutes: int
    """Minutes expected of a working day."""
    working_days: frozenset[int]
    """Working days as ``date.weekday()`` numbers them: Monday is 0."""
    country: str = ""
    """Code of the country whose public holidays are off, such as ``JP`` (ISO 3166-1); empty where none are."""
    subdivision: str = ""
    """Code of a part of that country which has holidays of its own, such as ``BY``; empty for none."""
    language: str = "en"
    """Language of the names of holidays."""

    def holiday(self, day: date) -> str | None:
        """Name of the public holiday on ``day``; None where it is none."""
        return public_holidays(self.country, self.subdivision, self.language, day.year).get(day)

    def is_working_day(self, day: date) -> bool:
        """Whether anything is expected of ``day``."""
        return day.weekday() in self.working_days and self.holiday(day) is None

    def expected(self, day: date) -> int:
        """Minutes expected of ``day``; none on holidays and on days that are not worked."""
        return self.daily_minutes if self.is_working_day(day) else 0

    def expected_of(self, days: Iterable[date]) -> int:
        """Minutes expected of all of ``days``."""
        return sum(map(self.expected, days))


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str, language: str, year: int) -> Mapping[date, str]:
    """The public holidays of one year by day, in ``language`` where the library has their names in it.

    None where there is no such country: the setting refuses it, and a later version of the library may have renamed
    one. Those of the whole country where it has no such part.
    """
    if country not in countries():
        return _NONE
    part = next((code for code in subdivisions(country) if code.casefold() == subdivision.casefold()), None)
    found = _library().country_holidays(country, subdiv=part, years=year, language=_known(country, language))
    return MappingProxyType(dict(found))


def _known(country: str, language: str) -> str | None:
    """The library's code for ``language`` where it has the country's holidays in it, else for the country's own."""
    known = _library().list_localized_countries().get(country, ())
    own: str | None = _library().country_holidays(country).default_language
    return next((code for code in known if code == language or code.startswith(f"{language}_")), own)


def countries() -> tuple[str, ...]:
    """Codes of the countries whose public holidays are known."""
    return tuple(sorted(code for code in _library().list_supported_countries() if len(code) == len("JP")))


def subdivisions(country: str) -> tuple[str, ...]:
    """Codes of the parts of ``country`` that have holidays of their own."""
    return tuple(_library().list_supported_countries().get(country, ()))


def _library() -> ModuleType:
    """The package ``holidays``, which takes 50 ms to import: not at the start, and not where no country is set."""
    return import_module("holidays")
