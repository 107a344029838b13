"""The list of people: searched, filtered, sorted and cut into pages.

Pure. All people are looked at for each page, for a list that is sorted by balance has to know everybody's; and that
finds Japanese and full-width names the same way on every database.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from app.sdk import fold
from plugins.standard.balance import Hours
from plugins.standard.people_hours import PersonHours

PAGE_SIZE = 50


class Order(StrEnum):
    """What the list is sorted by."""

    NAME = "name"
    MINUTES = "minutes"
    """The hours that are in the balance."""
    RECORDED = "recorded"
    """All hours, also of days that are not in the balance yet."""
    EXPECTED = "expected"
    BALANCE = "balance"
    MISSING = "missing"
    DAYS = "days"
    CLOSED = "closed"


class Which(StrEnum):
    """Filter."""

    ALL = "all"
    LACKING = "lacking"
    """Who has missing days; where nothing is known of what was expected, who has no hours."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for."""

    search: str = ""
    which: Which = Which.ALL
    order: Order = Order.NAME
    descending: bool = False
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether the list may leave somebody out."""
        return bool(self.search) or self.which is not Which.ALL


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A row of the list."""

    hours: PersonHours
    may_correct: bool
    """Whether the reader is corrector of a project that the person has a part in."""


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of those who were found, and what all of them have together."""

    people: tuple[ListedPerson, ...]
    number: int
    """From 1."""
    pages: int
    first: int
    """Place of the first one among all who were found, from 1; 0 where nobody was."""
    last: int
    total: int
    hours: Hours


def page_of(people: Iterable[ListedPerson], query: Query, *, is_partial: bool, size: int = PAGE_SIZE) -> PeoplePage:
    """Search, filter, sort and cut out the page, the nearest that there is.

    Args:
        people: in any order.
        query: what is asked for.
        is_partial: whether nothing is known of what was expected.
        size: how many stand on a page.
    """
    found = [each for each in people if _is_found(each.hours, query, is_partial=is_partial)]
    found.sort(key=lambda each: (fold(each.hours.name), each.hours.user_id))
    found.sort(key=lambda each: _KEYS[query.order](each.hours), reverse=query.descending)
    pages = max(1, -(-len(found) // size))
    number = min(max(query.page, 1), pages)
    first = (number - 1) * size
    shown = tuple(found[first : first + size])
    hours = together(each.hours.hours for each in found)
    return PeoplePage(shown, number, pages, first + 1 if found else 0, first + len(shown), len(found), hours)


_KEYS: dict[Order, Callable[[PersonHours], Any]] = {
    Order.NAME: lambda each: (fold(each.name), each.user_id),
    Order.MINUTES: lambda each: each.hours.counted_minutes,
    Order.RECORDED: lambda each: each.hours.minutes,
    Order.EXPECTED: lambda each: each.hours.counted_expected,
    Order.BALANCE: lambda each: each.hours.balance,
    Order.MISSING: lambda each: each.hours.missing,
    Order.DAYS: lambda each: each.days,
    Order.CLOSED: lambda each: date.min if each.closed_through is None else each.closed_through,
}


def _is_found(person: PersonHours, query: Query, *, is_partial: bool) -> bool:
    if query.which is Which.LACKING and not (person.hours.minutes == 0 if is_partial else person.hours.missing):
        return False
    name, login = fold(person.name), fold(person.login)
    return all(word in name or word in login for word in fold(query.search).split())


def together(hours: Iterable[Hours]) -> Hours:
    """What several people have."""
    of_all: Collection[Hours] = tuple(hours)
    return Hours(
        sum(each.minutes for each in of_all),
        sum(each.expected for each in of_all),
        sum(each.counted_minutes for each in of_all),
        sum(each.counted_expected for each in of_all),
        sum(each.missing for each in of_all),
    )
