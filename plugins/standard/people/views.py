"""The page of the people whose hours somebody looks after."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sdk import (
    EditionBlueprint,
    current_user,
    format_date,
    render_template,
    request,
    time_zone,
    url_for,
)
from plugins.standard.months import Month, month_of, read_month
from plugins.standard.people.listing import Order, Query, Which
from plugins.standard.people.service import read_people
from plugins.standard.people_hours import Period, Seen
from plugins.standard.timesheet.asked import as_id, present_times
from plugins.standard.timesheet.presenter import a_few, interval, month_title
from plugins.standard.timesheet.service import Times
from plugins.standard.week import Week, day_of, week_of

pages = EditionBlueprint("standard_people", "plugins.standard", feature="timesheet.people", url_prefix="/people")
_LONGEST_SEARCH = 100
_ASCENDING_FIRST = {Order.NAME, Order.BALANCE, Order.CLOSED}
"""Where the first click shows the smallest first: names from A, who has least, who is open longest."""


@dataclass(frozen=True, slots=True)
class Span:
    """The month or week that is shown, and its neighbours as addresses name them."""

    kind: str
    """``month`` or ``week``, which is also the name in addresses."""
    title: str
    code: str
    previous: str | None
    next: str | None
    present: str
    month: str
    """The month that links of people lead to."""
    week: str
    """The week that they lead to."""
    period: Period


@pages.get("/")
def index() -> str:
    """Everybody in this month, in ``?month=2026-11`` or in ``?week=2026-W48``."""
    times = present_times()
    span = _of_week(times) if "week" in request.args else _of_month(times)
    query = _query()
    people = read_people(current_user(), span.period, query, Seen(times.calendar, times.today, time_zone()))
    return render_template(
        "standard/people/index.html",
        people=people,
        page=people.page,
        query=query,
        span=span,
        link=_link(span, query),
        sorted_by=_sorted_by(span, query),
        in_words=lambda day: format_date(day, "medium"),
        named=a_few,
        own_id=current_user().user_id,
    )


def _of_month(times: Times) -> Span:
    present = month_of(times.today)
    shown = read_month(request.args.get("month", "")) or present
    week = _week(shown, times)
    return Span(
        "month",
        month_title(shown),
        shown.code,
        shown.previous.code if shown.previous else None,
        shown.next.code if shown.next else None,
        present.code,
        month=shown.code,
        week=week.code,
        period=Period(shown.first, shown.last),
    )


def _week(month: Month, times: Times) -> Week:
    """The week that a month leads to: this one where it is in it, else its first."""
    day = times.today if month == month_of(times.today) else month.first
    return week_of(day, today=times.today, start=times.start)


def _this_week(times: Times) -> Week:
    return week_of(times.today, today=times.today, start=times.start)


def _of_week(times: Times) -> Span:
    day = day_of(request.args.get("week", "")) or times.today
    shown = week_of(day, today=times.today, start=times.start)
    return Span(
        "week",
        interval(shown),
        shown.code,
        shown.previous,
        shown.next,
        _this_week(times).code,
        month=month_of(shown.thursday).code,
        week=shown.code,
        period=Period(shown.first, shown.last),
    )


def _query() -> Query:
    order = _one_of(Order, request.args.get("sort", ""), Order.NAME)
    return Query(
        search=" ".join(request.args.get("q", "")[:_LONGEST_SEARCH].split()),
        which=_one_of(Which, request.args.get("which", ""), Which.ALL),
        order=order,
        descending=request.args.get("direction") == "descending",
        page=as_id(request.args.get("page", "")) or 1,
    )


def _one_of(kind: Any, text: str, otherwise: Any) -> Any:
    try:
        return kind(text)
    except ValueError:
        return otherwise


def _link(span: Span, query: Query) -> Callable[..., str]:
    """Makes the address of the same list, with something else in it."""
    kept = {
        span.kind: span.code,
        "q": query.search,
        "which": query.which.value if query.which is not Which.ALL else "",
        "sort": query.order.value if query.order is not Order.NAME else "",
        "direction": "descending" if query.descending else "",
    }

    def to(**arguments: Any) -> str:
        given = {name: value for name, value in {**kept, **arguments}.items() if value}
        return url_for("standard_people.index", **given)

    return to


def _sorted_by(span: Span, query: Query) -> Callable[[str], tuple[str, str]]:
    """The address that sorts by a column, and how it is sorted by it now, for ``aria-sort``."""

    def by(name: str) -> tuple[str, str]:
        order = Order(name)
        is_present = order is query.order
        descending = not query.descending if is_present else order not in _ASCENDING_FIRST
        address = _link(span, query)(sort=order.value, direction="descending" if descending else "")
        return address, ("descending" if query.descending else "ascending") if is_present else ""

    return by
