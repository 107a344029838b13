"""Forms of log-in, set-up and account. Rules of the domain are not repeated here; its refusals are shown here."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, EqualTo, Length

from app.auth.passwords import MAXIMUM_LENGTH, MINIMUM_LENGTH
from app.auth.tokens import LIFETIMES
from app.auth.tokens import NAME_LENGTH as TOKEN_NAME_LENGTH
from app.auth.users import LOGIN_LENGTH, NAME_LENGTH
from app.forms import LANGUAGE_CHOICES, THEMES, Form, or_none, stripped, time_zone_choices
from app.security import SCOPES

# Characters. The rule's own limit is lower and has words of its own: a browser that cut a pasted password off at that
# limit would say nothing, and the person would keep one that is not theirs.
_LONGEST_PASSWORD = 1_000
_required = DataRequired()
_any_length = Length(max=_LONGEST_PASSWORD, message=_l("This is too long."))
PASSWORD_RULE = _l(
    "%(minimum)s to %(maximum)s characters of any kind, and nothing that is easy to guess: four words that nobody would"
    " put together do well.",
    minimum=MINIMUM_LENGTH,
    maximum=MAXIMUM_LENGTH,
)
"""What a new password has to be, said before somebody types one; ``check_password_rules`` holds it."""


def new_password(label: str, *, required: bool = True) -> PasswordField:
    """The field of a new password, with its rule as help."""
    validators = [_required, _any_length] if required else [_any_length]
    return PasswordField(label, validators=validators, description=PASSWORD_RULE)


def new_password_again(label: str, first: str, *, required: bool = True) -> PasswordField:
    """The field in which the password of the field ``first`` is typed once more."""
    same = EqualTo(first, _l("The two passwords are not the same."))
    return PasswordField(label, validators=[_required, same, _any_length] if required else [same, _any_length])


class LoginForm(Form):
    """Log-in."""

    login = StringField(_l("Login name"), filters=[stripped], validators=[_required, Length(max=256)])
    password = PasswordField(_l("Password"), validators=[_required, _any_length])
    next = HiddenField("")  # without a label WTForms would look for a translation of its name


class SetupForm(Form):
    """The first system administrator, with the set-up code that proves who may be it."""

    setup_code = StringField(_l("Set-up code"), filters=[stripped], validators=[_required, Length(max=64)])
    name = StringField(_l("Name"), filters=[stripped], validators=[_required, Length(max=NAME_LENGTH)])
    login = StringField(_l("Login name"), filters=[stripped], validators=[_required, Length(max=LOGIN_LENGTH)])
    email = StringField(_l("E-mail"), filters=[stripped, or_none], validators=[Length(max=254)])
    password = new_password(_l("Password"))
    password_again = new_password_again(_l("Password again"), "password")
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
    new_password = new_password(_l("New password"))
    new_password_again = new_password_again(_l("New password again"), "new_password")


class TokenForm(Form):
    """A new personal token."""

    name = StringField(
        _l("What for"),
        filters=[stripped],
        validators=[_required, Length(max=TOKEN_NAME_LENGTH)],
        description=_l("Such as the program that will use it."),
        id="token-name",  # the form beside it has a name too
    )
    scopes = SelectMultipleField(
        _l("It may"), choices=[SelectChoice(scope.value, title) for scope, title in SCOPES.items()]
    )
    days = SelectField(
        _l("Holds for"),
        coerce=int,
        choices=[SelectChoice(days, _l("%(days)s days", days=days)) for days in LIFETIMES],
    )
