"""What the page of a report shows: rows in words with the addresses that they lead to, charts, and the totals."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from babel.dates import format_interval, format_skeleton
from babel.numbers import format_percent

from app.sdk import format_date, gettext, locale_code, ngettext, url_for
from plugins.standard.charts import Bar, Columns, Value, bar, columns
from plugins.standard.reports.periods import (
    Days,
    Preset,
    Unit,
    chart_unit,
    cut,
    day_of_ordinal,
    month_of_ordinal,
    neighbour,
    unit_of,
    whole,
)
from plugins.standard.reports.query import Dimension, ReportQuery
from plugins.standard.reports.service import Amount, Group, Name, Report
from plugins.standard.week import WeekStart

_BARS = 8
"""So many groups have a bar in the chart; the rest stands in one."""
_SAID_ABOVE = {(Dimension.CUSTOMER, Dimension.PROJECT), (Dimension.PROJECT, Dimension.TASK)}
"""Of these levels the first is what names of the second have beside them."""
_YEARS_AT_MOST = 60
"""From more years than these, those without hours are left out."""
_THURSDAY = 3  # of date.weekday()


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table."""

    name: Name
    amount: Amount
    share: str
    """How much of the whole report it is."""
    address: str
    """The report of it alone, whose total is that of the row."""
    children: tuple["Row", ...] = ()
    hidden: int = 0
    others: Amount = field(default_factory=Amount)
    """What the groups within it that are not shown add up to."""
    bar: Bar | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the time, in the chart and its table."""

    label: str
    amount: Amount
    address: str


@dataclass(frozen=True, slots=True)
class Trend:
    """The hours along the time."""

    unit: Unit
    chart: Columns
    parts: tuple[Part, ...]
    total: Amount
    days_with_hours: int

    @property
    def average(self) -> int:
        """Minutes of a day that has any."""
        return self.total.minutes // max(1, self.days_with_hours)


@dataclass(frozen=True, slots=True)
class Period:
    """The days of the report in words, and those beside them."""

    title: str
    days: str
    previous: str
    following: str
    presets: tuple[tuple[Preset, str, str, bool], ...]
    """Each with its title, its address, and whether it is shown."""


def preset_titles() -> Mapping[Preset, str]:
    """What presets are called."""
    return {
        Preset.THIS_WEEK: gettext("This week"),
        Preset.LAST_WEEK: gettext("Last week"),
        Preset.THIS_MONTH: gettext("This month"),
        Preset.LAST_MONTH: gettext("Last month"),
        Preset.THIS_QUARTER: gettext("This quarter"),
        Preset.LAST_QUARTER: gettext("Last quarter"),
        Preset.THIS_YEAR: gettext("This year"),
        Preset.LAST_YEAR: gettext("Last year"),
    }


def show_period(query: ReportQuery, endpoint: str, start: WeekStart) -> Period:
    """The days of ``query``; ``endpoint`` is of the page that shows them."""
    titles = preset_titles()

    def beside(*, forward: bool) -> str:
        days = neighbour(query.days, start, forward=forward)
        return "" if days is None else url_for(endpoint, **query.of_days(days).address())

    presets = tuple(
        (preset, title, url_for(endpoint, **query.of_days(query.days, preset).address()), preset is query.preset)
        for preset, title in titles.items()
    )
    title = titles[query.preset] if query.preset else _unit_title(query.days, start)
    return Period(title, days_text(query.days), beside(forward=False), beside(forward=True), presets)


def _unit_title(days: Days, start: WeekStart) -> str:
    unit = unit_of(days, start)
    if unit is None or unit is Unit.QUARTER:
        return gettext("These days")
    return part_title(days, unit, start)


def days_text(days: Days) -> str:
    """Days in words: ``5 October – 26 November 2026``."""
    if days.first == days.last:
        return str(format_date(days.first, "full"))
    return format_interval(days.first, days.last, "yMMMMd", locale=locale_code())


def part_title(days: Days, unit: Unit, start: WeekStart) -> str:
    """A part of the time in words: a day, ``Week 48 of 2026``, ``November 2026``, ``2026``."""
    match unit:
        case Unit.DAY:
            return str(format_date(days.first, "full"))
        case Unit.WEEK:
            year, number = _week_number(days.first, start)
            return gettext("Week %(number)s of %(year)s", number=number, year=year)
        case Unit.YEAR:
            return format_skeleton("y", days.first, locale=locale_code())
    return format_skeleton("yMMMM", days.first, locale=locale_code())


def _week_number(day: date, start: WeekStart) -> tuple[int, int]:
    """Year and number of the week that ``day`` is in, by the Thursday in it."""
    thursday = day.toordinal() - (day.weekday() - start) % 7 + (_THURSDAY - start) % 7
    return date.fromordinal(min(max(thursday, 1), date.max.toordinal())).isocalendar()[:2]


def _short(days: Days, unit: Unit) -> str:
    skeleton = {Unit.MONTH: "MMM", Unit.YEAR: "y"}.get(unit, "MMMd")
    return format_skeleton(skeleton, days.first, locale=locale_code())


def percent(part: int, whole_of_it: int) -> str:
    """A part in per cent, with one decimal place."""
    return format_percent(Decimal(part) / max(1, whole_of_it), "#,##0.0%", locale=locale_code())


class Presenter:
    """Puts a report into words and addresses."""

    def __init__(self, report: Report, start: WeekStart, *, sees_people: bool) -> None:
        self._report = report
        self._query = report.query
        self._start = start
        self._sees_people = sees_people

    def rows(self) -> tuple[Row, ...]:
        """The rows of the page."""
        return tuple(self._row(group) for group in self._report.groups)

    def bars(self, rows: tuple[Row, ...]) -> tuple[tuple[str, Amount, Bar], ...]:
        """The largest groups of the page, and the rest of the report in one bar."""
        shown = sorted(rows, key=lambda row: -row.amount.minutes)[:_BARS]
        others = self._report.total - sum((row.amount for row in shown), Amount())
        drawn = [(row.name.text, row.amount) for row in shown]
        if others.minutes:
            number = self._report.number - len(shown)
            drawn.append((ngettext("%(num)s more", "%(num)s more", number), others))
        largest = max((amount.minutes for _, amount in drawn), default=0)
        return tuple((name, amount, bar(amount.minutes, amount.billable, largest)) for name, amount in drawn)

    def _row(self, group: Group) -> Row:
        dimension = self._query.group
        narrowed, name = self._narrowed(self._query, dimension, group.key)
        children = tuple(self._child(narrowed, child) for child in group.children)
        return Row(
            name,
            group.amount,
            self._share(group.amount),
            self._address(narrowed, dimension),
            children,
            group.hidden,
            group.others if group.hidden else Amount(),
        )

    def _child(self, parent: ReportQuery, group: Group) -> Row:
        dimension = self._query.dimensions[1]
        narrowed, name = self._narrowed(parent, dimension, group.key)
        if (self._query.group, dimension) in _SAID_ABOVE:
            name = replace(name, detail="")
        return Row(name, group.amount, self._share(group.amount), self._address(narrowed, dimension))

    def _share(self, amount: Amount) -> str:
        return percent(amount.minutes, self._report.total.minutes)

    def _narrowed(self, query: ReportQuery, dimension: Dimension, key: int) -> tuple[ReportQuery, Name]:
        """The report of one group alone, and what that is called."""
        if dimension.unit is not None:
            days = _days_of(dimension, key, self._start).within(query.days)
            return query.within(dimension, key, days), self._part_name(days, dimension.unit)
        name = self._report.names[dimension].get(key) or Name(gettext("Unknown"))
        return query.within(dimension, key, query.days, login=name.login), name

    def _part_name(self, days: Days, unit: Unit) -> Name:
        return Name(part_title(days, unit, self._start), days_text(days) if unit is Unit.WEEK else "")

    def _address(self, narrowed: ReportQuery, dimension: Dimension) -> str:
        finer = narrowed.beneath(dimension, sees_people=self._sees_people)
        return entries_address(narrowed) if finer is None else report_address(narrowed.by(finer))

    def trend(self, days_with_hours: Mapping[date, Amount], today: date) -> Trend:
        """The hours along the time, cut so that it makes a good chart."""
        query = self._query
        unit = chart_unit(query.days, query.group.unit)
        if unit is Unit.YEAR and days_with_hours:
            spanned = Days(min(days_with_hours), max(days_with_hours))
        else:
            spanned = query.days
        sums: dict[date, Amount] = {}
        for day, amount in days_with_hours.items():
            first = whole(unit, day, self._start).first
            sums[first] = sums.get(first, Amount()) + amount
        parts, values = [], []
        is_sparse = unit is Unit.YEAR and spanned.last.year - spanned.first.year > _YEARS_AT_MOST
        for part in cut(spanned, unit, self._start):
            if is_sparse and whole(unit, part.first, self._start).first not in sums:
                continue
            amount = sums.get(whole(unit, part.first, self._start).first, Amount())
            narrowed = query.of_days(whole(unit, part.first, self._start).within(query.days))
            label = part_title(part, unit, self._start)
            parts.append(Part(label, amount, report_address(narrowed)))
            is_present = part.first <= today <= part.last
            values.append(Value(label, _short(part, unit), amount.minutes, amount.billable, is_present))
        total = sum(days_with_hours.values(), Amount())
        return Trend(unit, columns(values), tuple(parts), total, len(days_with_hours))


def _days_of(dimension: Dimension, key: int, start: WeekStart) -> Days:
    """The days of the part of the time that a statement numbers ``key``."""
    if dimension is Dimension.MONTH:
        month = month_of_ordinal(key)
        return Days(month.first, month.last)
    unit = dimension.unit or Unit.DAY
    return whole(unit, day_of_ordinal(key), start)


def report_address(query: ReportQuery) -> str:
    """Where ``query`` is shown in groups."""
    return url_for("standard_reports.report", **query.address())


def entries_address(query: ReportQuery) -> str:
    """Where the single entries of ``query`` are shown."""
    return url_for("standard_reports.entries", **query.address())
