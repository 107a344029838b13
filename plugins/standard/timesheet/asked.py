"""Whose sheet an address asks for, and how its weeks are cut for whoever asks."""

import unicodedata

from app.sdk import Refusal, locale_code, request, today
from plugins.standard.access import NO_SUCH_PERSON
from plugins.standard.settings import week_start, work_calendar
from plugins.standard.timesheet.service import Times

_LONGEST_ID = 18
"""Digits of an id that a column takes."""


def as_id(text: str) -> int | None:
    """The id that ``text`` is; None where it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID else None


def asked_person() -> int | None:
    """Id of the person whose sheet is asked for with ``?person=12``; None for one's own.

    Raises:
        Refusal: ``person_unknown``.
    """
    text = request.args.get("person", "")
    person = as_id(text)
    if text and person is None:
        raise Refusal(NO_SUCH_PERSON)
    return person


def asked_address() -> dict[str, str]:
    """What every address of the sheet carries besides its week or day: whose it is."""
    person = asked_person()
    return {} if person is None else {"person": str(person)}


def asked_words() -> str:
    """What is searched for with ``?q=``, full-width letters as others, without what no text of a database can hold."""
    words = unicodedata.normalize("NFKC", request.values.get("q", ""))
    return "".join(letter for letter in words if letter.isprintable()).strip()[:100]


def present_times() -> Times:
    """How weeks are cut and what is expected of them, with holidays in the reader's language, as of their today."""
    return Times(week_start(), work_calendar(locale_code().partition("_")[0]), today())
