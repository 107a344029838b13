"""What all forms share: fields that strip, choices of language and zone, and refusals put at their field."""

from functools import cache
from zoneinfo import available_timezones

from flask import request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict
from wtforms.fields.choices import SelectChoice
from wtforms.form import BaseForm

from app.localisation import LANGUAGES
from app.refusal import Refusal
from app.texts import code_texts

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


class Form(FlaskForm):
    """A form of text fields: a part of the request that is sent as a file is no value of them."""

    class Meta(FlaskForm.Meta):
        """Where the values come from."""

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
