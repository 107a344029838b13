"""The addresses of the list of users: what one asks for, and those that lead on from it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from flask import url_for

from app.settings.users import cursor
from app.settings.users.listing import ListQuery, Order, Privilege, Seen, State

_LONGEST_SEARCH = 200
_Choice = TypeVar("_Choice", bound=StrEnum)


def query_of(arguments: Mapping[str, str]) -> ListQuery:
    """Read the address; what it says wrongly is left at its default."""
    search = " ".join(arguments.get("q", "")[:_LONGEST_SEARCH].split())
    state = _choice(State, arguments.get("state"), State.ACTIVE)
    usual = Order.BEST if search else Order.DELETED if state is State.DELETED else Order.NAME
    order = _choice(Order, arguments.get("sort"), usual)
    if order is Order.BEST and not search:
        order = usual
    latest_first = order in (Order.SEEN, Order.DELETED)
    direction = arguments.get("dir")
    return ListQuery(
        state=state,
        search=search,
        privilege=_choice(Privilege, arguments.get("privilege"), Privilege.ANY),
        seen=_choice(Seen, arguments.get("seen"), Seen.ANY) if state is State.ACTIVE else Seen.ANY,
        order=order,
        descending=direction == "desc" or (latest_first and direction != "asc"),
        after=cursor.decode(arguments.get("after")),
        before=cursor.decode(arguments.get("before")) if "after" not in arguments else None,
    )


def _choice(of: type[_Choice], text: str | None, default: _Choice) -> _Choice:
    try:
        return of(text) if text else default
    except ValueError:
        return default


class Links:
    """The addresses that a list leads to: the same list, sorted, filtered or paged otherwise."""

    def __init__(self, query: ListQuery) -> None:
        self._query = query
        self._kept = {
            "state": "" if query.state is State.ACTIVE else query.state.value,
            "q": query.search,
            "privilege": query.privilege.value,
            "seen": query.seen.value,
        }
        self._order = {"sort": query.order.value, "dir": "desc" if query.descending else "asc"}

    def _to(self, **arguments: str) -> str:
        given: dict[str, Any] = {name: value for name, value in arguments.items() if value}
        return url_for("users.index", **given)

    def sorted_by(self, order: str) -> str:
        """The list sorted by ``order``: the other way round where it is sorted by it already."""
        latest_first = order in (Order.SEEN, Order.DELETED)
        down = not self._query.descending if self._query.order == order else latest_first
        return self._to(**self._kept, sort=order, dir="desc" if down else "asc")

    def direction(self, order: str) -> str:
        """The value of ``aria-sort`` for a column, empty where the list is not sorted by it."""
        if self._query.order != order:
            return ""
        return "descending" if self._query.descending else "ascending"

    def after(self, place: cursor.Cursor | None) -> str:
        """The next page."""
        return self._to(**self._kept, **self._order, after=place.encode()) if place is not None else ""

    def before(self, place: cursor.Cursor | None) -> str:
        """The previous page."""
        return self._to(**self._kept, **self._order, before=place.encode()) if place is not None else ""
