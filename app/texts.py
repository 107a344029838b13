"""A refusal in the reader's language, with its instants in the installation's time zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import reduce

from flask_babel import format_date, format_datetime, gettext

from app.audit import COMMAND_LINE
from app.editions.texts import gettext as gettext_of_edition
from app.license.document import last_day
from app.refusal import Refusal
from app.settings.state import current_state


@dataclass(frozen=True, slots=True)
class RefusalTexts:
    """What is shown of a refusal, wherever it is shown."""

    code: str
    message: str
    detail: str
    remedy: str
    field: str | None
    claim: str | None

    @property
    def title(self) -> str:
        """The message, as headline of a page."""
        return self.message


def code_texts(error: Refusal) -> RefusalTexts:
    """Translate ``error`` and fill its placeholders."""
    values = {name: _shown(value) for name, value in error.params.items()}

    def filled(message: str) -> str:
        if not message:
            return ""
        text = gettext(message)
        if text == message:  # the reason may be an edition's own
            text = gettext_of_edition(message)
        return text % values if values else text

    reason = error.reason
    return RefusalTexts(
        error.code,
        filled(reason.message),
        filled(reason.detail),
        filled(reason.remedy),
        error.field,
        error.claim,
    )


def actor_name(login: str) -> str:
    """Who did something, as screens name them: a login, or the command line in the reader's language."""
    return gettext("Command line") if login == COMMAND_LINE else login


def license_date(instant: datetime, length: str = "long") -> str:
    """The last day on which what ends at ``instant`` still holds, in the installation's zone and the reader's language.

    The time of day is added where the instant is not midnight there (design section 4).
    """
    day = last_day(instant, current_state().time_zone)
    shown = format_date(day.day, length)
    return shown if day.time is None else _with_time(shown, day.time)


def maintenance_ended(instant: datetime) -> str:
    """A sentence with the Maintenance Expiration Date of a license whose maintenance has ended at ``instant``."""
    return str(gettext("The Maintenance Expiration Date was %(day)s.", day=license_date(instant)))


def starting_date(instant: datetime, length: str = "long") -> str:
    """The day on which what starts at ``instant`` starts, likewise."""
    local = instant.astimezone(current_state().time_zone)
    shown = format_date(local.date(), length)
    return shown if (local.hour, local.minute) == (0, 0) else _with_time(shown, local.time())


def sentences(*parts: str) -> str:
    """Sentences one after the other, as the reader's script sets them: Japanese puts no space between them."""
    return reduce(_joined, (part for part in parts if part), "")


def _joined(first: str, second: str) -> str:
    """A sentence that nobody has translated ends as English does, and is followed by a space in every language."""
    if first and first[-1].isascii():
        return f"{first} {second}"
    return str(gettext("%(first)s %(second)s", first=first, second=second)) if first else second


def listed(names: Iterable[str]) -> str:
    """Names in one line, as the reader's language separates them: ``Copy week, Budgets``."""
    return str(gettext(", ")).join(names)


def _with_time(day: str, at: time) -> str:
    return str(gettext("%(day)s, %(time)s", day=day, time=f"{at:%H:%M}"))


def _shown(value: str | int | date | datetime) -> str | int:
    if isinstance(value, datetime):
        local = value.astimezone(current_state().time_zone)
        return format_datetime(local, "long", rebase=False)
    if isinstance(value, date):
        return format_date(value, "long")
    return value
