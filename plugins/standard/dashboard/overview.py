"""What the dashboard says: the days of the week, what is missing, and where the hours went. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from plugins.standard.balance import DayHours, Presence, day_hours
from plugins.standard.months import Month, month_of
from plugins.standard.timesheet.grid import GridDay, SheetRules, grid_day
from plugins.standard.timesheet.service import Times
from plugins.standard.week import Week

LOOKS_BACK = timedelta(weeks=4)
"""How far back days are missed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry, as the dashboard needs it."""

    day: date
    task_id: int
    minutes: int
    project_id: int
    project: str
    customer: str
    colour: str


@dataclass(frozen=True, slots=True)
class Effort:
    """What a project has."""

    project: str
    customer: str
    colour: str
    week: int
    """Minutes in the week that is shown."""
    month: int
    """Minutes in the month of today."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What an overview is made of besides the hours."""

    presence: Presence
    rules: SheetRules
    times: Times


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it."""

    week: Week
    month: Month
    days: tuple[GridDay, ...]
    lacking: tuple[DayHours, ...]
    """Days that have less than expected and can be filled in, the latest first; whatever week is shown."""
    efforts: tuple[Effort, ...]
    """Those with most hours of the week first."""
    by_task: Counter[int]
    """Minutes of the week by task."""
    has_begun: bool
    """Whether there are any hours at all, so that days can be missed."""

    @property
    def minutes(self) -> int:
        """What the week has."""
        return sum(day.minutes for day in self.days)

    @property
    def expected(self) -> int:
        """What is expected of the week."""
        return sum(day.expected for day in self.days)

    @property
    def month_minutes(self) -> int:
        """What the month of today has."""
        return sum(effort.month for effort in self.efforts)


def build_overview(week: Week, recorded: Iterable[Recorded], facts: Facts) -> Overview:
    """Put together what was read: the entries of the week, of the month of today, and of the weeks before."""
    of_all = tuple(recorded)
    month = month_of(facts.times.today)
    by_day, by_task = Counter[date](), Counter[int]()
    in_week, in_month = Counter[int](), Counter[int]()
    projects: dict[int, Recorded] = {}
    for entry in of_all:
        by_day[entry.day] += entry.minutes
        if week.first <= entry.day <= week.last:
            by_task[entry.task_id] += entry.minutes
            in_week[entry.project_id] += entry.minutes
        if month.first <= entry.day <= month.last:
            in_month[entry.project_id] += entry.minutes
        projects[entry.project_id] = entry
    return Overview(
        week,
        month,
        tuple(
            grid_day(day, by_day[day.date], facts.rules, facts.times.calendar, today=facts.times.today)
            for day in week.days
        ),
        lacking_days(by_day, facts),
        _efforts(projects, in_week, in_month),
        by_task,
        has_begun=facts.presence.first is not None,
    )


def lacking_days(by_day: Counter[date], facts: Facts) -> tuple[DayHours, ...]:
    """The days of the last weeks that have less than expected and can be filled in, the latest first."""
    today, calendar = facts.times.today, facts.times.calendar
    days = (today - timedelta(days=back) for back in range(1, LOOKS_BACK.days + 1))
    hours = (day_hours(day, by_day[day], facts.presence.expected(calendar, day), today=today) for day in days)
    return tuple(day for day in hours if day.balance < 0 and not facts.rules.is_closed(day.date))


def _efforts(projects: dict[int, Recorded], week: Counter[int], month: Counter[int]) -> tuple[Effort, ...]:
    efforts = (
        Effort(entry.project, entry.customer, entry.colour, week[project_id], month[project_id])
        for project_id, entry in projects.items()
        if week[project_id] or month[project_id]
    )
    return tuple(sorted(efforts, key=lambda effort: (-effort.week, -effort.month, effort.project.casefold())))
