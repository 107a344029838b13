"""The form of System Settings → General."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField

from app.forms import LANGUAGE_CHOICES, Form, time_zone_choices


class GeneralForm(Form):
    """What an administrator decides for all; ``time_zone`` is taken out where a setting decides it."""

    time_zone = SelectField(_l("Time zone"), choices=time_zone_choices)
    language = SelectField(_l("Default language"), choices=LANGUAGE_CHOICES)
