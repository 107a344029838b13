"""Where a page of a list begins or ends: the sort value and the id of a row, in the address. Pure."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST = 4_000  # characters; a folded e-mail address at its longest takes less
_LARGEST_ID = 2**63 - 1


SortValue = str | int | datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's place: the section of the list that it stands in, its sort value there, and its id."""

    section: int
    value: SortValue
    row_id: int

    def encode(self) -> str:
        """The cursor as characters that need no escaping in an address."""
        kind, value = "s", self.value
        if isinstance(value, datetime):
            kind, value = "t", value.isoformat()
        elif isinstance(value, int):
            kind = "n"
        text = json.dumps([self.section, kind, value, self.row_id], ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str | None) -> Cursor | None:
    """Read a cursor; None for none, and for whatever this application has not made."""
    if not text or len(text) > LONGEST or not text.isascii():
        return None
    try:
        section, kind, value, row_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not all(map(_is_id, (section, row_id))):
            return None
        return Cursor(section, _read(kind, value), row_id)
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _is_id(number: object) -> bool:
    return type(number) is int and 0 <= number <= _LARGEST_ID


def _read(kind: str, value: object) -> SortValue:
    match kind, value:
        case "n", int() if _is_id(value):
            return value
        case "s", str() if "\0" not in value:  # PostgreSQL takes none
            value.encode()  # a lone surrogate is no text
            return value
        case "t", str():
            return datetime.fromisoformat(value).astimezone(UTC)
        case _:
            raise ValueError(value)
