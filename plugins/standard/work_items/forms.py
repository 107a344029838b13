"""The forms of work items. Rules of the domain are not repeated here; its refusals are shown at the fields."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField
from wtforms.validators import DataRequired, Length

from app.sdk import Form, SelectChoice, gettext, lazy_gettext
from plugins.standard.work_items.palette import COLOURS
from plugins.standard.work_items.reading import Place, details_of
from plugins.standard.work_items.rules import (
    CODE_LENGTH,
    NAME_LENGTH,
    CustomerDetails,
    Details,
    Kind,
    ProjectDetails,
    TaskDetails,
    tidied,
    values_of,
)

_EVERYBODY, _MEMBERS = "everybody", "members"
_LARGEST_ID = 2**63 - 1


class ItemForm(Form):
    """What every customer, project and task has, and how it was when the page was made."""

    name = StringField(lazy_gettext("Name"), filters=[tidied], validators=[DataRequired(), Length(max=NAME_LENGTH)])
    code = StringField(lazy_gettext("Code"), filters=[tidied], validators=[Length(max=CODE_LENGTH)])
    seen = HiddenField()

    kind = Kind.CUSTOMER

    def details(self) -> Details:
        """What was typed, unchecked."""
        return CustomerDetails(self.code.data or "", self.name.data or "")

    def show(self, details: Details) -> None:
        """Put ``details`` into the fields."""
        self.name.data, self.code.data = details.name, details.code

    def seen_details(self) -> Details | None:
        """How it was when the page was made; None where the page says nothing that could be read."""
        return read_details(self.kind, self.seen.data or "")


class CustomerForm(ItemForm):
    """A customer."""


class ProjectForm(ItemForm):
    """A project; its customers are chosen from those that are active, and the one it has."""

    customer_id = SelectField(lazy_gettext("Customer"), coerce=int, validators=[DataRequired()])
    colour = RadioField(
        lazy_gettext("Colour"),
        choices=lambda: [SelectChoice(name, gettext(title)) for name, title in COLOURS.items()],
    )
    open_to = RadioField(
        lazy_gettext("Who records hours on it"),
        choices=[
            SelectChoice(_EVERYBODY, lazy_gettext("Everybody")),
            SelectChoice(_MEMBERS, lazy_gettext("Its members alone")),
        ],
    )

    kind = Kind.PROJECT

    def offer(self, customers: Iterable[Place]) -> None:
        """Let one of ``customers`` be chosen."""
        self.customer_id.choices = [SelectChoice(place.id, place.name) for place in customers]

    def details(self) -> ProjectDetails:
        """What was typed, unchecked."""
        return ProjectDetails(
            self.customer_id.data or 0,
            self.code.data or "",
            self.name.data or "",
            self.colour.data or "",
            self.open_to.data == _EVERYBODY,
        )

    def show(self, details: Details) -> None:
        """Put ``details`` into the fields."""
        super().show(details)
        if isinstance(details, ProjectDetails):
            self.customer_id.data, self.colour.data = details.customer_id, details.colour
            self.open_to.data = _EVERYBODY if details.for_everybody else _MEMBERS


class TaskForm(ItemForm):
    """A task."""

    billable = BooleanField(lazy_gettext("Billable"), description=lazy_gettext("Reports tell billable hours apart."))

    kind = Kind.TASK

    def details(self) -> TaskDetails:
        """What was typed, unchecked."""
        return TaskDetails(self.code.data or "", self.name.data or "", bool(self.billable.data))

    def show(self, details: Details) -> None:
        """Put ``details`` into the fields."""
        super().show(details)
        if isinstance(details, TaskDetails):
            self.billable.data = details.billable


FORMS: Mapping[Kind, type[ItemForm]] = {
    Kind.CUSTOMER: CustomerForm,
    Kind.PROJECT: ProjectForm,
    Kind.TASK: TaskForm,
}


def write_details(details: Details) -> str:
    """Write details as text for a hidden field; they are shown on the page anyway."""
    return json.dumps(values_of(details), ensure_ascii=False)


def read_details(kind: Kind, text: str) -> Details | None:
    """Read what ``write_details`` has written; None for anything else."""
    try:
        values: dict[str, Any] = json.loads(text)
        details = details_of(kind, values)
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return details if set(values) == set(values_of(details)) and _is_sound(values) else None


def _is_sound(values: Mapping[str, Any]) -> bool:
    """Whether each value is of the type of its column; ``bool`` is an ``int`` to Python, and not here."""
    types = {"code": str, "name": str, "colour": str, "customer_id": int, "billable": bool, "for_everybody": bool}
    return all(type(value) is types[name] for name, value in values.items()) and all(
        value.isprintable() for value in values.values() if isinstance(value, str)
    )


def chosen_id(text: str | None) -> int:
    """An id out of an address or a form; 0, which nothing has, for anything else."""
    if text is None or not (text.isascii() and text.isdecimal() and len(text) < len(str(_LARGEST_ID))):
        return 0
    return int(text)
