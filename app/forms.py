"""What all forms share: wording, fields that strip, choices of language and zone, and refusals put at their field."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from zoneinfo import available_timezones

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict
from werkzeug.exceptions import BadRequest
from wtforms.fields.choices import SelectChoice
from wtforms.form import BaseForm

from app.localisation import LANGUAGES
from app.refusal import Refusal
from app.texts import code_texts
from app.translation import N_

THEMES = [
    SelectChoice("auto", _l("As the device")),
    SelectChoice("light", _l("Light")),
    SelectChoice("dark", _l("Dark")),
]
LANGUAGE_CHOICES = [SelectChoice(code, name) for code, name in LANGUAGES.items()]


@cache
def time_zone_choices() -> tuple[SelectChoice, ...]:
    """Every zone of the IANA database that names a place, and UTC."""
    names = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return tuple(SelectChoice(name, name.replace("_", " ")) for name in ["UTC", *names])


_LARGEST_ID = 2**63 - 1


def chosen_id(name: str) -> int:
    """The number of a row that a button of the form ``name`` carries.

    Raises:
        BadRequest: it carries none.
    """
    chosen = request.form.get(name, "")
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < len(str(_LARGEST_ID))):
        raise BadRequest
    return int(chosen)


WORDING: Mapping[str, str] = MappingProxyType(
    {
        "This field is required.": N_("Fill in this field."),
        "Invalid input.": N_("This is not understood."),
        "Field must be equal to %(other_name)s.": N_("This is not the same as in “%(other_label)s”."),
        "Field must be at least %(min)d character long.": N_("Type at least %(min)d characters."),
        "Field cannot be longer than %(max)d character.": N_("Type at most %(max)d characters."),
        "Field must be exactly %(max)d character long.": N_("Type exactly %(max)d characters."),
        "Field must be between %(min)d and %(max)d characters long.": N_("Type %(min)d to %(max)d characters."),
        "Number must be at least %(min)s.": N_("Type a number of %(min)s or more."),
        "Number must be at most %(max)s.": N_("Type a number of %(max)s or less."),
        "Number must be between %(min)s and %(max)s.": N_("Type a number from %(min)s to %(max)s."),
        "Invalid email address.": N_("This is not an e-mail address."),
        "Not a valid choice.": N_("Choose one of the list."),
        "Invalid Choice: could not coerce.": N_("Choose one of the list."),
        "Invalid choice(s): one or more data inputs could not be coerced.": N_("Choose one of the list."),
        "'%(value)s' is not a valid choice for this field.": N_("Choose one of the list."),
        "Not a valid date value.": N_("This is not a day. Write it as 2027-03-31."),
        "Not a valid datetime value.": N_("This is not a day with a time. Write it as 2027-03-31 17:30."),
        "Not a valid time value.": N_("This is not a time. Write it as 17:30."),
        "Not a valid integer value.": N_("This is not a whole number."),
        "Not a valid decimal value.": N_("This is not a number."),
        "Not a valid float value.": N_("This is not a number."),
    }
)
"""What the validators and fields of WTForms say, and what we say instead, in every form and for every validator."""


class _OwnWording:
    """WTForms asks here for the texts of its validators (its ``Meta.get_translations``)."""

    def gettext(self, text: str) -> str:
        """Our own wording in the reader's language; a text of WTForms that we have none for stays as it is."""
        return gettext(WORDING.get(text, text))

    def ngettext(self, singular: str, plural: str, number: int) -> str:  # noqa: ARG002 - the signature of gettext
        """Likewise; ours need no plural, since no field takes exactly one character."""
        return self.gettext(singular)


_OWN_WORDING = _OwnWording()


class Form(FlaskForm):
    """A form of text fields: a part of the request that is sent as a file is no value of them."""

    class Meta(FlaskForm.Meta):
        """Where the values come from, and how errors are worded."""

        def get_translations(self, form: BaseForm) -> _OwnWording:  # noqa: ARG002 - the signature of WTForms
            """Our own words."""
            return _OWN_WORDING

        def wrap_formdata(self, form: BaseForm, formdata: object) -> object:
            """Leave out what Flask-WTF adds to the form's values."""
            wrapped = super().wrap_formdata(form, formdata)
            return request.form if isinstance(wrapped, CombinedMultiDict) else wrapped


def stripped(value: str | None) -> str | None:
    """Remove white space around what was typed."""
    return value.strip() if value else value


def or_none(value: str | None) -> str | None:
    """An optional field that was left empty is None."""
    return value or None


def put_at_field(form: FlaskForm, refusal: Refusal) -> None:
    """Show ``refusal`` at the field that it names, else above the form; what was typed stays."""
    texts = code_texts(refusal)
    if refusal.field in form._fields:
        field = form[refusal.field]
        field.errors = [*field.errors, texts]
    else:
        form.form_errors.append(texts)


def put_all_at_fields(form: FlaskForm, refusals: Iterable[Refusal]) -> None:
    """Show each refusal at its field, unless the form itself has found something wrong with that field already."""
    wrong = set(form.errors)
    for refusal in refusals:
        if refusal.field not in wrong:
            put_at_field(form, refusal)
