"""What the address of a report asks for, in the words of the domain."""

from dataclasses import dataclass

from app.sdk import Identity, current_user, gettext, request, today
from plugins.standard.reports.forms import ReportForm, asked_days
from plugins.standard.reports.periods import Preset
from plugins.standard.reports.query import ReportQuery
from plugins.standard.reports.service import Choices, find_person, read_choices
from plugins.standard.settings import week_start


@dataclass(frozen=True, slots=True)
class Asked:
    """An address, read."""

    form: ReportForm
    choices: Choices
    query: ReportQuery | None
    """None where something of it is not understood; the form says what."""
    preset: Preset | None
    """The name of the days, also where something else is wrong."""

    @property
    def is_roundabout(self) -> bool:
        """Whether a shorter address says the same, as after a form, which sends its empty fields too."""
        sent = request.args.to_dict(flat=False)
        return (
            bool(sent)
            and self.query is not None
            and sent != {name: [value] for name, value in self.query.address().items()}
        )


def read_asked() -> Asked:
    """Read the address of this request; the form has its values, with the days filled in."""
    reader = current_user()
    form = ReportForm(request.args)
    days, preset = asked_days(request.args.get("period", ""), form.since.data, form.until.data, today(), week_start())
    choices = read_choices(reader, days, form.chosen())
    form.offer(choices)
    is_valid = form.validate()
    person_id = _person_id(form, reader)
    if person_id is None or not is_valid:
        return Asked(form, choices, None, preset)
    form.since.data, form.until.data = days.first, days.last
    query = form.query(days, preset, person_id, sort=request.args.get("sort", ""), page=request.args.get("page", ""))
    return Asked(form, choices, query, preset)


def _person_id(form: ReportForm, reader: Identity) -> int | None:
    """Id of whoever was typed, 0 where nobody was; None, and an error at the field, where that is nobody.

    The login takes the place of the name that was typed.
    """
    if not form.person.data or form.person.errors:
        return 0
    person = find_person(reader, form.person.data)
    if person is None:
        form.person.errors = [gettext("There is nobody of this login or name whose hours you may see.")]
        return None
    form.person.data = person.login
    return person.id
