"""What an address asks for, read and checked; what is wrong is said at its field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from wtforms import DateField, SelectField, StringField
from wtforms.validators import Length, Optional

from app.sdk import Form, SelectChoice, gettext, lazy_gettext
from plugins.standard.reports.periods import Days, Preset, days_of
from plugins.standard.reports.query import TITLES, Dimension, Filters, ReportQuery, Sort
from plugins.standard.reports.service import Choice, Choices
from plugins.standard.timesheet.asked import as_id
from plugins.standard.week import WeekStart

_LONGEST_LOGIN = 256
_LAST_PAGE = 1_000_000
_BILLABLE = {"": None, "yes": True, "no": False}


def _dimensions(*, empty: bool) -> list[SelectChoice]:
    first = [SelectChoice("", lazy_gettext("Nothing more"))] if empty else []
    return [*first, *(SelectChoice(dimension.value, lazy_gettext(title)) for dimension, title in TITLES.items())]


class ReportForm(Form):
    """The filters of a report; sent by GET, so that its address is the report's."""

    class Meta(Form.Meta):
        """Nothing is changed by it."""

        csrf = False

    since = DateField(lazy_gettext("From"), validators=[Optional()])
    until = DateField(lazy_gettext("Through"), validators=[Optional()])
    group = SelectField(lazy_gettext("Group by"), choices=_dimensions(empty=False), default=Dimension.PROJECT.value)
    then = SelectField(lazy_gettext("then by"), choices=_dimensions(empty=True), default="")
    customer = SelectField(lazy_gettext("Customer"), choices=(), default="")
    project = SelectField(lazy_gettext("Project"), choices=(), default="")
    task = SelectField(lazy_gettext("Task"), choices=(), default="")
    person = StringField(lazy_gettext("Person"), validators=[Length(max=_LONGEST_LOGIN)])
    billable = SelectField(
        lazy_gettext("Billable"),
        choices=[
            SelectChoice("", lazy_gettext("Billable and not")),
            SelectChoice("yes", lazy_gettext("Billable alone")),
            SelectChoice("no", lazy_gettext("Not billable alone")),
        ],
        default="",
    )

    def chosen(self) -> Filters:
        """The ids that were sent, unchecked: what the choices are read for."""
        return Filters(as_id(self.customer.data or ""), as_id(self.project.data or ""), as_id(self.task.data or ""))

    def offer(self, choices: Choices) -> None:
        """Let one of ``choices`` be chosen."""
        self.customer.choices = [SelectChoice("", gettext("All customers")), *_options(choices.customers)]
        self.project.choices = [SelectChoice("", gettext("All projects")), *_options(choices.projects)]
        self.task.choices = [SelectChoice("", gettext("All tasks")), *_options(choices.tasks)]

    def validate(self, extra_validators: Mapping[str, Sequence[Any]] | None = None) -> bool:
        """Each field for itself, then those that depend on each other."""
        super().validate(extra_validators)
        if not self.since.errors and not self.until.errors:
            self._check_days()
        if self.then.data and self.then.data == self.group.data:
            self.then.errors = [gettext("Choose another than the first.")]
        return not self.errors

    def _check_days(self) -> None:
        """A first day needs a last one, and the other way round; in this order."""
        since, until = self.since.data, self.until.data
        if (since is None) != (until is None):
            lacking = self.since if since is None else self.until
            lacking.errors = [gettext("Fill in this field.")]
        elif since is not None and since > until:
            self.until.errors = [gettext("The period ends before it begins.")]

    def limits(self) -> tuple[str, ...]:
        """What the filters leave in, in words."""
        selects = (self.customer, self.project, self.task, self.billable)
        named = [choice.label for field in selects for choice in field.choices if choice.value == field.data != ""]
        return tuple(map(str, [*named, *([self.person.data] if self.person.data else [])]))

    def query(self, days: Days, preset: Preset | None, person_id: int, *, sort: str, page: str) -> ReportQuery:
        """What is asked for; of a form without errors, whose person is ``person_id``."""
        number = as_id(page) or 1
        return ReportQuery(
            days,
            preset,
            Dimension(self.group.data),
            Dimension(self.then.data) if self.then.data else None,
            replace(
                self.chosen(),
                person=self.person.data or "",
                person_id=person_id,
                billable=_BILLABLE[self.billable.data],
            ),
            Sort.NAME if sort == Sort.NAME else Sort.HOURS,
            min(number, _LAST_PAGE),
        )


def _options(choices: Iterable[Choice]) -> Iterable[SelectChoice]:
    return (
        SelectChoice(
            str(choice.id),
            gettext("%(name)s (%(within)s)", name=choice.name, within=choice.within) if choice.within else choice.name,
        )
        for choice in choices
    )


def asked_days(
    preset: str, since: date | None, until: date | None, today: date, start: WeekStart
) -> tuple[Days, Preset | None]:
    """The days that are asked for, and their name where they are those of a preset.

    Days that were typed over those of a preset win; without either it is this month.
    """
    named = Preset(preset) if preset in list(Preset) else None
    if since is not None and until is not None and since <= until:
        typed = Days(since, until)
        return typed, named if named is not None and typed == days_of(named, today, start) else None
    named = named or Preset.THIS_MONTH
    return days_of(named, today, start), named
