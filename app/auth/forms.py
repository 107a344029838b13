"""Forms of log-in, set-up and account. Rules of the domain are not repeated here; its refusals are shown here."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, EqualTo, Length

from app.auth.users import LOGIN_LENGTH, NAME_LENGTH
from app.forms import LANGUAGE_CHOICES, THEMES, Form, or_none, stripped, time_zone_choices

_LONGEST_PASSWORD = 1_000  # characters; the rule's own limit is lower and has words of its own
_required = DataRequired(_l("Fill in this field."))
_any_length = Length(max=_LONGEST_PASSWORD, message=_l("This is too long."))
_same = _l("The two passwords are not the same.")


class LoginForm(Form):
    """Log-in."""

    login = StringField(_l("Login name"), filters=[stripped], validators=[_required, Length(max=256)])
    password = PasswordField(_l("Password"), validators=[_required, _any_length])
    next = HiddenField()


class SetupForm(Form):
    """The first system administrator, with the set-up code that proves who may be it."""

    setup_code = StringField(_l("Set-up code"), filters=[stripped], validators=[_required, Length(max=64)])
    name = StringField(_l("Name"), filters=[stripped], validators=[_required, Length(max=NAME_LENGTH)])
    login = StringField(_l("Login name"), filters=[stripped], validators=[_required, Length(max=LOGIN_LENGTH)])
    email = StringField(_l("E-mail"), filters=[stripped, or_none], validators=[Length(max=254)])
    password = PasswordField(_l("Password"), validators=[_required, _any_length])
    password_again = PasswordField(_l("Password again"), validators=[_required, EqualTo("password", _same)])
    language = SelectField(_l("Language"), choices=LANGUAGE_CHOICES)
    time_zone = SelectField(_l("Time zone"), choices=time_zone_choices)


class ProfileForm(Form):
    """One's own particulars."""

    name = StringField(_l("Name"), filters=[stripped], validators=[_required, Length(max=NAME_LENGTH)])
    email = StringField(_l("E-mail"), filters=[stripped, or_none], validators=[Length(max=254)])
    language = SelectField(_l("Language"), choices=[SelectChoice("", _l("As the browser")), *LANGUAGE_CHOICES])
    time_zone = SelectField(
        _l("Time zone"),
        choices=lambda: [SelectChoice("", _l("As the installation")), *time_zone_choices()],
    )
    theme = SelectField(_l("Theme"), choices=THEMES)


class PasswordForm(Form):
    """One's own password."""

    current_password = PasswordField(_l("Current password"), validators=[_required, _any_length])
    new_password = PasswordField(_l("New password"), validators=[_required, _any_length])
    new_password_again = PasswordField(_l("New password again"), validators=[_required, EqualTo("new_password", _same)])
