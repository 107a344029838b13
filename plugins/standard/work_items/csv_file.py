"""Reads a CSV file of work items, whatever spreadsheet wrote it, and says what the columns are. Pure."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.sdk import N_, Reason, Refusal, csv_original, fold

COLUMNS = (
    "customer",
    "customer_code",
    "project",
    "project_code",
    "task",
    "task_code",
    "billable",
    "members",
)
"""Names of the columns, in the order in which they are exported."""
ROW_LIMIT = 5_000
_SEPARATORS = (",", ";", "\t")
_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "顧客": "customer",
        "顧客コード": "customer_code",
        "プロジェクト": "project",
        "プロジェクトコード": "project_code",
        "タスク": "task",
        "タスクコード": "task_code",
        "請求対象": "billable",
        "メンバー": "members",
    }
)

NOT_TEXT = Reason(
    "import_not_text",
    N_("The file is neither in UTF-8 nor in Shift_JIS."),
    N_("Save it in the spreadsheet as “CSV UTF-8”, and choose it again."),
)
NOTHING = Reason("import_empty", N_("There is nothing to import."), N_("Choose a file, or paste its text."))
NO_COLUMNS = Reason(
    "import_columns_unknown",
    N_("The first row does not name the columns: there is none called %(column)s."),
    N_("Begin with a row of names, as the sample does."),
)
COLUMN_TWICE = Reason(
    "import_column_twice",
    N_("The column %(column)s is there twice."),
    N_("Delete or rename one of them."),
)
TOO_MANY_ROWS = Reason(
    "import_too_long",
    N_("The file has more than %(limit)s rows."),
    N_("Import it in several parts."),
)
TOO_LARGE = Reason(
    "import_too_large",
    N_("What you sent has more than %(limit)s MB. Nothing was imported."),
    N_("Divide it into several files that each begin with the row of names, and import one after the other."),
    status=413,
)
NOT_CSV = Reason(
    "import_not_csv",
    N_("Line %(line)s cannot be read as CSV."),
    N_("Look for a quotation mark that is opened and never closed."),
)
TOO_MANY_CELLS = Reason(
    "import_row_too_long",
    N_("Line %(line)s has more cells than there are columns."),
    N_("Put a name that holds the separator into quotation marks."),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file; a column that it does not have is an empty text."""

    line: int
    """In the file, from 1; the first one of a row that goes over several."""
    customer: str = ""
    customer_code: str = ""
    project: str = ""
    project_code: str = ""
    task: str = ""
    task_code: str = ""
    billable: str = ""
    members: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds."""

    rows: tuple[Row, ...]
    ignored: tuple[str, ...]
    """Columns of other names, which say nothing."""


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8 with or without a byte order mark, UTF-16 with one, else Shift_JIS.

    Raises:
        Refusal: ``import_not_text``.
    """
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp932")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise Refusal(NOT_TEXT, field="file")


def read_table(text: str) -> Table:
    """The rows of a text whose first row names the columns; rows without any text are left out.

    Raises:
        Refusal: ``import_empty``, ``import_columns_unknown``, ``import_column_twice``, ``import_too_long``,
            ``import_row_too_long`` or ``import_not_csv``.
    """
    text = text.removeprefix("\ufeff").lstrip("\r\n")
    if not text.strip():
        raise Refusal(NOTHING, field="text")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    rows: list[Row] = []
    names: list[str] = []
    line = 1
    try:
        names = next(reader)
        places = _places(names)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells[len(names) :]):
                raise Refusal(TOO_MANY_CELLS, field="text", line=line)
            if any(cell.strip() for cell in cells):
                rows.append(_row(line, places, cells))
            if len(rows) > ROW_LIMIT:
                raise Refusal(TOO_MANY_ROWS, field="text", limit=ROW_LIMIT)
            line = reader.line_num + 1
    except csv.Error as error:
        raise Refusal(NOT_CSV, field="text", line=line) from error
    if not rows:
        raise Refusal(NOTHING, field="text")
    known = set(places.values())
    return Table(tuple(rows), tuple(name.strip() for place, name in enumerate(names) if place not in known and name))


def _separator(text: str) -> str:
    """What stands between cells: that which makes most known names of the first line."""
    head = text.splitlines()[0]
    return max(_SEPARATORS, key=lambda separator: sum(_column(name) != "" for name in head.split(separator)))


def _column(name: str) -> str:
    """The column that is called so; an empty text for none."""
    plain = fold(name.strip().strip('"')).replace(" ", "_")
    return _ALIASES.get(plain, plain if plain in COLUMNS else "")


def _places(names: list[str]) -> Mapping[str, int]:
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        column = _column(name)
        if column in places:
            raise Refusal(COLUMN_TWICE, field="text", column=column)
        if column:
            places[column] = place
    if "customer" not in places and "customer_code" not in places:
        raise Refusal(NO_COLUMNS, field="text", column="customer")
    return places


def _row(line: int, places: Mapping[str, int], cells: list[str]) -> Row:
    values = {column: _cell(cells[place]) for column, place in places.items() if place < len(cells)}
    return Row(line, **values)


def _cell(text: str) -> str:
    """A cell without white space around it, and without the quote that keeps a spreadsheet from calculating it."""
    return csv_original(" ".join(text.split()))
