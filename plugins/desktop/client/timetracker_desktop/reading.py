"""Reading JSON of a server, or of an earlier run, without trusting it: typed, or a ``ReadingError``."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class ReadingError(ValueError):
    """Something is not what the protocol says."""


def text(source: Mapping[str, Any], name: str) -> str:
    """A text."""
    return _typed(source, name, str)


def text_or(source: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text, or the default where it is absent or null."""
    return default if source.get(name) is None else _typed(source, name, str)


def whole(source: Mapping[str, Any], name: str) -> int:
    """A whole number; ``true`` is none."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ReadingError(name)
    return value


def whole_or_none(source: Mapping[str, Any], name: str) -> int | None:
    """A whole number, or None where it is absent or null."""
    return None if source.get(name) is None else whole(source, name)


def flag(source: Mapping[str, Any], name: str) -> bool:
    """A truth value, false where it is absent."""
    return source.get(name) is not None and _typed(source, name, bool)


def day(source: Mapping[str, Any], name: str) -> date:
    """A day as ``2026-11-26``; of an instant, its date."""
    return _parsed(source, name, lambda value: date.fromisoformat(value[:10]))


def day_or_none(source: Mapping[str, Any], name: str) -> date | None:
    """A day, or None where it is absent or null."""
    return None if source.get(name) is None else day(source, name)


def last_day_or_none(source: Mapping[str, Any], name: str) -> date | None:
    """The last day of something: as it is, or of the first instant at which it is over; None where there is none.

    The day is that of the instant's own zone, which is the installation's.
    """
    if source.get(name) is None:
        return None
    if len(text(source, name)) == len("2026-11-26"):
        return day(source, name)
    return (_parsed(source, name, datetime.fromisoformat) - timedelta(microseconds=1)).date()


def instant(source: Mapping[str, Any], name: str) -> datetime:
    """An aware instant in UTC."""
    found = _parsed(source, name, datetime.fromisoformat)
    if found.tzinfo is None:
        raise ReadingError(name)
    return found.astimezone(UTC)


def part(source: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object."""
    return _typed(source, name, dict)


def parts(source: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """A list of objects."""
    found = source.get(name)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ReadingError(name)
    return found


def _typed(source: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = source.get(name)
    if not isinstance(value, kind):
        raise ReadingError(name)
    return value


def _parsed(source: Mapping[str, Any], name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(_typed(source, name, str))
    except ValueError as error:
        raise ReadingError(name) from error
