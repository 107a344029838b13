"""What a report is asked for: days, groups, filters; and the address that says so.

Pure. One address shows the same report to whoever may see it, so that it can be kept and handed on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from app.sdk import N_
from plugins.standard.reports.periods import Days, Preset, Unit


class Dimension(StrEnum):
    """By what hours are added up."""

    CUSTOMER = "customer"
    PROJECT = "project"
    TASK = "task"
    PERSON = "person"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def unit(self) -> Unit | None:
        """Which part of the time it is; None where it is none."""
        return Unit(self.value) if self in _OF_TIME else None


_OF_TIME = (Dimension.DAY, Dimension.WEEK, Dimension.MONTH)
TITLES: Mapping[Dimension, str] = {
    Dimension.CUSTOMER: N_("Customer"),
    Dimension.PROJECT: N_("Project"),
    Dimension.TASK: N_("Task"),
    Dimension.PERSON: N_("Person"),
    Dimension.DAY: N_("Day"),
    Dimension.WEEK: N_("Week"),
    Dimension.MONTH: N_("Calendar month"),
}
_BENEATH: Mapping[Dimension, tuple[Dimension, ...]] = {
    Dimension.CUSTOMER: (Dimension.PROJECT, Dimension.TASK, Dimension.PERSON, Dimension.DAY),
    Dimension.PROJECT: (Dimension.TASK, Dimension.PERSON, Dimension.DAY),
    Dimension.TASK: (Dimension.PERSON, Dimension.DAY),
    Dimension.PERSON: (Dimension.PROJECT, Dimension.TASK, Dimension.DAY),
    Dimension.MONTH: (Dimension.WEEK, Dimension.DAY),
    Dimension.WEEK: (Dimension.DAY,),
    Dimension.DAY: (Dimension.PERSON, Dimension.TASK),
}
"""What a group is taken apart into by following it: the first of these that is not settled already."""


class Sort(StrEnum):
    """In which order groups stand; parts of the time always stand in their own."""

    HOURS = "hours"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which hours are added up; None and an empty login leave all in."""

    customer: int | None = None
    project: int | None = None
    task: int | None = None
    person: str = ""
    """Login of the person whose hours they are."""
    person_id: int = 0
    """Id of that person; 0, which nobody has, where it is only to be an address."""
    billable: bool | None = None

    def settles(self, dimension: Dimension) -> bool:
        """Whether there can be one group of ``dimension`` at most."""
        match dimension:
            case Dimension.CUSTOMER:
                return self.customer is not None or self.settles(Dimension.PROJECT)
            case Dimension.PROJECT:
                return self.project is not None or self.settles(Dimension.TASK)
            case Dimension.TASK:
                return self.task is not None
            case Dimension.PERSON:
                return bool(self.person)
        return False


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """One report."""

    days: Days
    preset: Preset | None
    """The name of those days where they move on with the calendar."""
    group: Dimension = Dimension.PROJECT
    then: Dimension | None = None
    """Into what each group is taken apart in the same table."""
    filters: Filters = Filters()
    sort: Sort = Sort.HOURS
    page: int = 1

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """The levels of the table."""
        return (self.group,) if self.then is None else (self.group, self.then)

    def of_days(self, days: Days, preset: Preset | None = None) -> "ReportQuery":
        """The same of other days."""
        return replace(self, days=days, preset=preset, page=1)

    def on(self, page: int) -> "ReportQuery":
        """Another page of it."""
        return replace(self, page=page)

    def sorted_by(self, sort: Sort) -> "ReportQuery":
        """The same in another order."""
        return replace(self, sort=sort, page=1)

    def by(self, group: Dimension) -> "ReportQuery":
        """The same in groups of one level."""
        return replace(self, group=group, then=None, page=1)

    def within(self, dimension: Dimension, key: int, days: Days, *, login: str = "") -> "ReportQuery":
        """The same of one group alone.

        Args:
            dimension: what it is a group of.
            key: its id, where it is no part of the time.
            days: those of it, where it is.
            login: of the person whose hours it is.
        """
        if dimension.unit is not None:
            return self.of_days(days)
        filters = {
            Dimension.CUSTOMER: replace(self.filters, customer=key),
            Dimension.PROJECT: replace(self.filters, project=key),
            Dimension.TASK: replace(self.filters, task=key),
            Dimension.PERSON: replace(self.filters, person=login),
        }
        return replace(self, filters=filters[dimension], page=1)

    def beneath(self, dimension: Dimension, *, sees_people: bool) -> Dimension | None:
        """What a group of ``dimension`` is taken apart into; None for single entries.

        Whoever sees their own hours alone (``sees_people``) is not shown a level with one person in it.
        """
        finer = (
            _BENEATH[dimension] if self.then is None or dimension != self.group else (self.then, *_BENEATH[dimension])
        )
        return next((each for each in finer if not self._is_settled(each, sees_people=sees_people)), None)

    def _is_settled(self, dimension: Dimension, *, sees_people: bool) -> bool:
        if dimension is Dimension.PERSON and not sees_people:
            return True
        return len(self.days) == 1 if dimension.unit is not None else self.filters.settles(dimension)

    def address(self) -> dict[str, Any]:
        """What an address says of it, as texts, and nothing besides."""
        named = {
            "period": self.preset,
            "since": None if self.preset else self.days.first,
            "until": None if self.preset else self.days.last,
            "group": self.group,
            "then": self.then,
            "customer": self.filters.customer,
            "project": self.filters.project,
            "task": self.filters.task,
            "person": self.filters.person or None,
            "billable": None if self.filters.billable is None else ("yes" if self.filters.billable else "no"),
            "sort": None if self.sort is Sort.HOURS else self.sort,
            "page": None if self.page == 1 else self.page,
        }
        return {name: str(value) for name, value in named.items() if value is not None}
