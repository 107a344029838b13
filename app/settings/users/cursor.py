"""Where a page of a list begins or ends: the sort value and the id of a row, in the address. Pure."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

LONGEST = 4_000  # characters; a folded e-mail address at its longest takes less
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """A row's place: the section of the list that it stands in, its sort value there, and its id."""

    section: int
    value: str | datetime
    row_id: int

    def encode(self) -> str:
        """The cursor as characters that need no escaping in an address."""
        instant = isinstance(self.value, datetime)
        value = self.value.isoformat() if isinstance(self.value, datetime) else self.value
        text = json.dumps([self.section, "t" if instant else "s", value, self.row_id], ensure_ascii=False)
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(text: str | None) -> Cursor | None:
    """Read a cursor; None for none, and for whatever this application has not made."""
    if not text or len(text) > LONGEST or not text.isascii():
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        section, kind, value, row_id = parts
        if type(section) is not int or type(row_id) is not int or not isinstance(value, str) or "\0" in value:
            return None
        value.encode()  # a lone surrogate is no text
        read = datetime.fromisoformat(value).astimezone(UTC) if kind == "t" else value
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return Cursor(section, read, row_id) if abs(row_id) <= _LARGEST_ID else None
