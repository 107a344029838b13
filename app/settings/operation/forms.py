"""The filters of the audit log."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import DateField, Field, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional, ValidationError

from app.audit import COMMAND_LINE, OUTCOME_DONE, OUTCOME_REFUSED
from app.auth.folding import fold
from app.forms import Form, stripped
from app.settings.operation.audit_log import Filters
from app.settings.operation.titles import action_titles

_FIRST_DAY = date(1970, 1, 1)


def _actions() -> list[SelectChoice]:
    return [SelectChoice("", _("All actions")), *(SelectChoice(*choice) for choice in action_titles().items())]


def _printable(form: Form, field: Field) -> None:  # noqa: ARG001 - the signature of a validator
    """Refuse control characters, which no login name has and which PostgreSQL does not take."""
    if not (field.data or "").isprintable():
        raise ValidationError(_("A login name has no control characters."))


def _within_calendar(form: Form, field: Field) -> None:  # noqa: ARG001 - the signature of a validator
    """Refuse the first years of the calendar, whose days have no beginning in every time zone."""
    if field.data is not None and field.data < _FIRST_DAY:
        raise ValidationError(_("Choose %(day)s or a later day.", day=format_date(_FIRST_DAY, "long")))


def _not_before_the_first(form: "AuditFilterForm", field: Field) -> None:
    """Refuse a period that ends before it begins."""
    since = form.since.data
    if since is not None and field.data is not None and field.data < since:
        raise ValidationError(
            _("The period ends before it begins: choose %(day)s or a later day.", day=format_date(since, "long"))
        )


class AuditFilterForm(Form):
    """Asked for in the address, so that a filtered page can be kept and sent on; changes nothing, so without token."""

    class Meta:
        """Nothing is changed by a GET."""

        csrf = False

    actor = StringField(_l("Who"), filters=[stripped], validators=[Length(max=64), _printable])
    action = SelectField(_l("Action"), choices=_actions, default="")
    outcome = SelectField(
        _l("Outcome"),
        choices=[
            SelectChoice("", _l("Any outcome")),
            SelectChoice(OUTCOME_DONE, _l("Done")),
            SelectChoice(OUTCOME_REFUSED, _l("Refused")),
        ],
        default="",
    )
    since = DateField(_l("From"), validators=[Optional(), _within_calendar])
    until = DateField(_l("Through"), validators=[Optional(), _within_calendar, _not_before_the_first])

    def filters(self, zone: ZoneInfo) -> Filters:
        """What is asked for; the days begin and end in ``zone``."""
        actor = self.actor.data or ""
        until = self.until.data
        # Nothing comes after the last day of the calendar, so there the period is open.
        before = None if until is None or until == date.max else _midnight(until + timedelta(days=1), zone)
        return Filters(
            actor=COMMAND_LINE if fold(actor) == fold(_("Command line")) else actor,
            action=self.action.data or "",
            outcome=self.outcome.data or "",
            since=_midnight(self.since.data, zone),
            before=before,
        )

    @property
    def is_empty(self) -> bool:
        """Whether everything is asked for."""
        return not any(field.data for field in self)


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, zone)
