"""Tables as CSV that Excel, LibreOffice and Numbers open rightly, and that cannot make them calculate.

Pure: neither Flask nor SQLAlchemy is imported.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of its own country."""
_CALCULATES = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What starts a formula, the full-width forms that Japanese spreadsheets take included (OWASP, "CSV Injection")."""
_LATER_FORMULA = re.compile(rf"""([;\t\r\n]["'\s]*)({_CALCULATES})""")
"""A formula behind what separates cells in many countries: Excel there takes ``;`` and leaves our ``,`` alone."""
_HARMLESS_START = re.compile(rf"\A'(?={_CALCULATES})")
_HARMLESS_LATER = re.compile(rf"(;[\"'\s]*)'(?={_CALCULATES})")
_CHUNK = 32_768  # characters


def harmless(cell: str) -> str:
    """Return ``cell`` so that a spreadsheet shows it as text and does not calculate it."""
    cell = _LATER_FORMULA.sub(r"\1'\2", cell)
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell


def csv_original(cell: str) -> str:
    """Return the text of one line that ``harmless`` has made ``cell`` of, so that an export can be imported again."""
    return _HARMLESS_START.sub("", _HARMLESS_LATER.sub(r"\1", cell))


def csv_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table as CSV (RFC 4180), in parts; a cell may hold line breaks, which are kept in quotes."""
    yield BYTE_ORDER_MARK
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([harmless(cell) for cell in head])
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
