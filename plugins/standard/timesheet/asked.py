"""Whose sheet an address asks for."""

from app.sdk import Refusal, request
from plugins.standard.access import NO_SUCH_PERSON

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
