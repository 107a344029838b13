"""Forms of System Settings → Users. Rules of the domain are not repeated here; its refusals are shown here."""

import json
from dataclasses import asdict, fields, replace

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Length

from app.auth.forms import new_password, new_password_again
from app.auth.users import LOGIN_LENGTH, NAME_LENGTH, UserDetails, UserState
from app.editions.permissions import edition_permissions
from app.forms import LANGUAGE_CHOICES, Form, or_none, stripped, time_zone_choices

_required = DataRequired()


class DetailsForm(Form):
    """What is known about a user."""

    login = StringField(_l("Login name"), filters=[stripped], validators=[_required, Length(max=LOGIN_LENGTH)])
    name = StringField(_l("Name"), filters=[stripped], validators=[_required, Length(max=NAME_LENGTH)])
    email = StringField(_l("E-mail"), filters=[stripped, or_none], validators=[Length(max=254)])
    language = SelectField(
        _l("Language"),
        choices=[SelectChoice("", _l("As the browser")), *LANGUAGE_CHOICES],
    )
    time_zone = SelectField(
        _l("Time zone"),
        choices=lambda: [SelectChoice("", _l("As the installation")), *time_zone_choices()],
    )
    administrator = BooleanField(
        _l("System Administrator"),
        description=_l("May change everything in System Settings, and gets there whatever the license says."),
    )

    permissions = SelectMultipleField(
        _l("Permissions"),
        choices=lambda: [SelectChoice(held.name, held.title) for held in edition_permissions()],
    )

    def details(self) -> UserDetails:
        """What was typed.

        Raises:
            Refusal: at the field that the rules do not take.
        """
        typed = self.state()
        return UserDetails(typed.login, typed.name, typed.email, typed.language, typed.time_zone)

    def state(self) -> UserState:
        """What was typed, checked or not."""
        return UserState(
            self.login.data or "",
            self.name.data or "",
            self.email.data,
            or_none(self.language.data),
            or_none(self.time_zone.data),
            bool(self.administrator.data),
            tuple(sorted(self.permissions.data or ())),
        )


class AddForm(DetailsForm):
    """A new user, with a first password or without any."""

    password = new_password(_l("Password"), required=False)
    password_again = new_password_again(_l("Password again"), "password", required=False)


class EditForm(DetailsForm):
    """A user as it was shown, in ``seen``, and as it is to be."""

    seen = HiddenField()

    def state(self) -> UserState:
        """What was typed, with the permissions that the form cannot show: those of editions that are not loaded."""
        typed = super().state()
        seen = self.seen_state()
        offered = {held.name for held in edition_permissions()}
        kept = {*seen.permissions} - offered if seen is not None else set[str]()
        return replace(typed, permissions=tuple(sorted({*typed.permissions, *kept})))

    def seen_state(self) -> UserState | None:
        """How the user was when the form was shown; None where the page says nothing that could be read."""
        return read_state(self.seen.data or "")


class PasswordForm(Form):
    """A new password for somebody else."""

    new_password = new_password(_l("New password"))
    new_password_again = new_password_again(_l("New password again"), "new_password")


_OPTIONAL = ("email", "language", "time_zone")


def write_state(state: UserState) -> str:
    """Write a state as text for a hidden field; it is shown on the page anyway."""
    return json.dumps(asdict(state), ensure_ascii=False)


def read_state(text: str) -> UserState | None:
    """Read what ``write_state`` has written; None for anything else."""
    try:
        values = json.loads(text)
        text.encode()
        texts = (values["login"], values["name"], *filter(None, (values[name] for name in _OPTIONAL)))
        is_sound = all(isinstance(value, str) and value.isprintable() for value in texts)
        is_sound = is_sound and isinstance(values["is_system_administrator"], bool)
        values["permissions"] = tuple(values.get("permissions", ()))  # a page from before there were any has none
        is_sound = is_sound and all(isinstance(name, str) for name in values["permissions"])
        return UserState(**values) if is_sound and set(values) == {field.name for field in fields(UserState)} else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
