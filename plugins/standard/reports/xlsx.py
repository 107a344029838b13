"""Workbooks of Excel (Office Open XML, ISO/IEC 29500) that are sent while they are written.

Pure. A library that keeps a workbook on disk until it is whole would send its first byte after minutes, where a proxy
has given up; here rows leave as they come, and neither memory nor disk grows with them. Text is text whatever it begins
with, since it never stands in an element that calculates; numbers are numbers.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from io import RawIOBase
from typing import Any
from xml.sax.saxutils import escape

ROWS_OF_SHEET = 1_048_576
"""Excel has no more; what is beyond goes on to another sheet, with the head again."""
_MINUTES_OF_DAY = 1440
_DAY_ZERO = date(1899, 12, 30).toordinal()
_FIRST_DAY = date(1900, 3, 1)
"""Days before it have no number that all spreadsheets agree on; they are written as text."""
_LONGEST_TEXT = 32_767
_CHUNK = 65_536  # bytes
_NOT_OF_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What Excel would take for a character of that number (ECMA-376, 22.4.2.4), such as _x000D_."""
_WHEN = (1980, 1, 1, 0, 0, 0)
"""Of every part: the same table makes the same file."""


class Style(IntEnum):
    """How a cell is shown: the number of its format in ``styles.xml``."""

    PLAIN = 0
    HEAD = 1
    DURATION = 2
    """Hours and minutes, also of more than a day."""
    DAY = 3
    NUMBER = 4
    TEXT = 5


@dataclass(frozen=True, slots=True)
class Duration:
    """Minutes that are shown as hours and minutes."""

    minutes: int


Cell = str | int | date | Duration | None


def workbook(title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]], widths: Sequence[int]) -> Iterator[bytes]:
    """Yield a workbook of one table, in parts.

    Args:
        title: of the sheets; a number follows where there is more than one.
        head: what the columns are called; it stays in sight, and the columns can be filtered.
        rows: in the order in which they are to stand.
        widths: of the columns, in characters.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        _write(archive, "[Content_Types].xml", _CONTENT_TYPES)
        _write(archive, "_rels/.rels", _RELATIONS)
        _write(archive, "xl/styles.xml", _STYLES)
        remaining = iter(rows)
        sheets = 0
        row = next(remaining, None)
        while sheets == 0 or row is not None:
            sheets += 1
            with archive.open(_part(f"xl/worksheets/sheet{sheets}.xml"), "w") as part:
                part.write(_sheet_start(widths, len(head)))
                part.write(_row(1, head, Style.HEAD).encode())
                number, chunk = 1, list[str]()
                while row is not None and number < ROWS_OF_SHEET:
                    number += 1
                    chunk.append(_row(number, row))
                    if number % _ROWS_OF_CHUNK == 0:
                        part.write("".join(chunk).encode())
                        chunk.clear()
                        yield from sink.taken()
                    row = next(remaining, None)
                part.write("".join(chunk).encode())
                part.write(_sheet_end(len(head), number).encode())
            yield from sink.taken()
        _write(archive, "xl/workbook.xml", _workbook_part(title, sheets))
        _write(archive, "xl/_rels/workbook.xml.rels", _workbook_relations(sheets))
    yield from sink.taken(everything=True)


_ROWS_OF_CHUNK = 256


class _Sink(RawIOBase):
    """A file that cannot go back, whose bytes are taken away as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        """It takes bytes."""
        return True

    def write(self, data: Any) -> int:
        """Keep them until they are taken."""
        self._parts.append(bytes(data))
        self._size += len(data)
        return len(data)

    def taken(self, *, everything: bool = False) -> Iterator[bytes]:
        """What has come, once it is worth sending."""
        if self._size and (everything or self._size > _CHUNK):
            yield b"".join(self._parts)
            self._parts.clear()
            self._size = 0


def _part(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _WHEN)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _write(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(_part(name), text.encode())


def _row(number: int, cells: Iterable[Cell], style: Style | None = None) -> str:
    return f'<row r="{number}">{"".join(_cell(cell, style) for cell in cells)}</row>'


def _cell(cell: Cell, style: Style | None) -> str:
    if cell is None or cell == "":
        return "<c/>"
    if isinstance(cell, Duration):
        # A part of a day, with so many places that it is read as the very number that a spreadsheet divides: two hours
        # are not less than TIME(2,0,0), and INT(24*…) of them is 2.
        return f'<c s="{Style.DURATION:d}"><v>{_days(cell.minutes)}</v></c>'
    if isinstance(cell, int):
        return f'<c s="{Style.NUMBER:d}"><v>{cell}</v></c>'
    if isinstance(cell, date):
        if cell >= _FIRST_DAY:
            return f'<c s="{Style.DAY:d}"><v>{cell.toordinal() - _DAY_ZERO}</v></c>'
        cell = cell.isoformat()
    plain = _NOT_OF_XML.sub("\N{REPLACEMENT CHARACTER}", cell[:_LONGEST_TEXT])
    text = escape(_LOOKS_ESCAPED.sub("_x005F_", plain))
    shown = Style.TEXT if style is None else style
    return f'<c s="{shown:d}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _days(minutes: int) -> str:
    """Minutes as a decimal fraction of a day, in whole numbers all the way."""
    scaled = (abs(minutes) * 10**20 + _MINUTES_OF_DAY // 2) // _MINUTES_OF_DAY
    return f"{'-' if minutes < 0 else ''}{scaled // 10**20}.{scaled % 10**20:020}"


def _column(number: int) -> str:
    """The letters of a column: 1 is A, 27 is AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Sheets are the default of .xml, since how many there will be is known at the end alone.
_CONTENT_TYPES = (
    f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
    f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Default Extension="xml" ContentType="{_TYPE}.worksheet+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>'
)
_RELATIONS = (
    f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="[h]:mm"/>'
    '<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="6">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _sheet_start(widths: Sequence[int], columns: int) -> bytes:
    numbered = zip(range(1, columns + 1), widths, strict=True)
    cols = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>' for number, width in numbered
    )
    return (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{cols}</cols><sheetData>"
    ).encode()


def _sheet_end(columns: int, rows: int) -> str:
    return f'</sheetData><autoFilter ref="A1:{_column(columns)}{rows}"/></worksheet>'


def _workbook_part(title: str, sheets: int) -> str:
    names = [title] if sheets == 1 else [f"{title} {number}" for number in range(1, sheets + 1)]
    listed = "".join(
        f'<sheet name="{escape(name, _QUOTE)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(names, 1)
    )
    return f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}"><sheets>{listed}</sheets></workbook>'


_QUOTE = {'"': "&quot;"}


def _workbook_relations(sheets: int) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_DOCUMENT}/styles" Target="styles.xml"/>'
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{listed}{styles}</Relationships>'
