"""The form on which somebody says that a device is theirs."""

from wtforms import StringField
from wtforms.validators import InputRequired

from app.sdk import Form, lazy_gettext


class PairForm(Form):
    """The code that the device shows."""

    user_code = StringField(lazy_gettext("Code"), validators=[InputRequired()])
