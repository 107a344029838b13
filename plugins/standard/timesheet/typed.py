"""What a form of the week sends: what was typed into each cell, and what the page had shown there.

A cell is sent as three fields: ``h-12-2026-11-26`` for the hours, ``m-…`` for the memo, and ``s-…`` for what was shown.
Only cells in which something else was typed than what was shown are written, so that a page that has been open for long
leaves alone what others have changed meanwhile. Pure.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from zlib import crc32

from app.sdk import N_, Reason, Refusal
from plugins.standard.duration import parse_duration, show_duration
from plugins.standard.entries import Cell, CellChange, CellValue

MEMO_WITHOUT_TIME = Reason(
    "memo_without_time",
    N_("A memo belongs to hours, and there are none."),
    N_("Type the hours as well, or remove the memo."),
)

_PLACE = re.compile(r"(\d{1,18})-(\d{4}-\d{2}-\d{2})", re.ASCII)
_SHOWN = re.compile(r"(\d{1,18})\.(\d{1,4})\.([0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page has shown in a cell."""

    version: int
    minutes: int
    memo_mark: str
    """Eight digits of the memo, which tell whether another one was typed."""

    def encode(self) -> str:
        """As it stands in a hidden field."""
        return f"{self.version}.{self.minutes}.{self.memo_mark}"


def shown_of(value: CellValue) -> Shown:
    """What a page shows that shows ``value``."""
    return Shown(value.version, value.minutes, _mark(value.memo))


def decode_shown(text: str) -> Shown:
    """Read the hidden field; what is no such text, which no page of ours sends, is an empty cell."""
    match = _SHOWN.fullmatch(text)
    if match is None:
        return Shown(0, 0, _mark(""))
    return Shown(int(match[1]), int(match[2]), match[3])


@dataclass(frozen=True, slots=True)
class TypedCell:
    """What was in a cell of the form when it was sent."""

    task_id: int
    day: date
    text: str
    memo: str
    shown: Shown

    @property
    def place(self) -> Cell:
        """Where it is in the sheet."""
        return self.task_id, self.day

    @property
    def is_touched(self) -> bool:
        """Whether it was changed by hand."""
        return self.text.strip() != show_cell(self.shown.minutes) or self.is_memo_touched

    @property
    def is_memo_touched(self) -> bool:
        """Whether the memo was."""
        return _mark(self.memo) != self.shown.memo_mark


def show_cell(minutes: int) -> str:
    """What stands in a cell: nothing where there is no time."""
    return show_duration(minutes) if minutes else ""


def field_names(place: Cell) -> tuple[str, str, str]:
    """Names of the fields of a cell: hours, memo, what was shown."""
    task_id, day = place
    where = f"{task_id}-{day.isoformat()}"
    return f"h-{where}", f"m-{where}", f"s-{where}"


def read_typed(form: Mapping[str, str], days: Collection[date]) -> tuple[TypedCell, ...]:
    """The cells that were changed by hand; fields of days outside ``days`` are none of this week's."""
    cells = (_typed(form, name) for name in form if name.startswith("h-"))
    return tuple(cell for cell in cells if cell is not None and cell.day in days and cell.is_touched)


def _typed(form: Mapping[str, str], name: str) -> TypedCell | None:
    match = _PLACE.fullmatch(name[2:])
    if match is None:
        return None
    try:
        day = date.fromisoformat(match[2])
    except ValueError:
        return None
    where = name[2:]
    memo = plain_memo(form.get(f"m-{where}", ""))
    return TypedCell(int(match[1]), day, form[name], memo, decode_shown(form.get(f"s-{where}", "")))


def plain_memo(text: str) -> str:
    """A memo without space around it, its lines ended as everywhere but in forms; no control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return "".join(character for character in lines if character >= " " or character in "\n\t")


def changes_of(cells: Iterable[TypedCell], *, step: int) -> tuple[list[CellChange], dict[Cell, Refusal]]:
    """Read what was typed, cell by cell; what cannot be read is refused with the reason.

    Args:
        cells: what was changed by hand.
        step: the granularity in minutes. Time that was not typed, such as a timer's, need not keep to it: whoever
            changes the memo alone is not asked to round.
    """
    changes: list[CellChange] = []
    refusals: dict[Cell, Refusal] = {}
    for cell in cells:
        try:
            changes.append(_change(cell, step))
        except Refusal as refusal:
            refusals[cell.place] = refusal
    return changes, refusals


def _change(cell: TypedCell, step: int) -> CellChange:
    minutes = parse_duration(cell.text)
    if minutes != cell.shown.minutes:
        minutes = parse_duration(cell.text, step=step)
    if minutes == 0 and cell.memo and cell.is_memo_touched:
        raise Refusal(MEMO_WITHOUT_TIME)
    return CellChange(cell.task_id, cell.day, minutes, cell.memo, cell.shown.version)


def _mark(memo: str) -> str:
    return f"{crc32(plain_memo(memo).encode('utf-8', 'surrogatepass')):08x}"
