"""What the page of a week shows: the grid, and over it what was typed, what is wrong with it, what has changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

from babel.dates import format_interval, format_skeleton

from app.sdk import (
    Refusal,
    RefusalTexts,
    actor_name,
    code_texts,
    gettext,
    listed,
    locale_code,
    ngettext,
    sentences,
)
from plugins.standard.duration import show_duration
from plugins.standard.entries import EMPTY, Cell, CellValue
from plugins.standard.months import Month
from plugins.standard.timesheet.copying import CopyPlan
from plugins.standard.timesheet.grid import GridCell, GridDay, GridRow, Lock, TaskOfSheet
from plugins.standard.timesheet.service import OfferedTask, SheetOfWeek
from plugins.standard.timesheet.typed import TypedCell, field_names, show_cell, shown_of
from plugins.standard.week import Week


@dataclass(frozen=True, slots=True)
class Overlay:
    """What was typed and could not be saved."""

    typed: Mapping[Cell, TypedCell] = field(default_factory=dict)
    refusals: Mapping[Cell, Refusal] = field(default_factory=dict)
    conflicts: Mapping[Cell, CellValue] = field(default_factory=dict)
    """What is in the cells now that have changed since they were shown."""


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell as the template shows it."""

    key: str
    """Its part of ids: task and day."""
    number: int
    """Which day of the week it is on, from 1."""
    day: str
    """That day in words."""
    hours_name: str
    memo_name: str
    shown_name: str
    text: str
    memo: str
    shown: str
    """What the page shows, for the hidden field."""
    is_changed: bool
    """Whether it holds what was typed and is not saved."""
    lock: Lock | None
    error: RefusalTexts | None
    conflict: str
    """A sentence about what is in it now, where that is not what was shown before."""
    typed_text: str
    """What was typed into a cell that cannot be changed any more."""


@dataclass(frozen=True, slots=True)
class RowView:
    """A row as the template shows it."""

    row: GridRow
    cells: tuple[CellView, ...]

    @property
    def is_removable(self) -> bool:
        """Whether it can be taken off the sheet."""
        return self.row.is_empty and self.row.lock is not Lock.READ_ONLY


@dataclass(frozen=True, slots=True)
class Problem:
    """One line of the list above the sheet."""

    key: str
    where: str
    what: str


@dataclass(frozen=True, slots=True)
class SheetPage:
    """All that the page of a week shows."""

    read: SheetOfWeek
    groups: tuple[tuple[str, str, str, tuple[RowView, ...]], ...]
    """Project, customer, colour, and rows."""
    shown_day: date
    """The day that a narrow screen shows."""
    errors: tuple[Problem, ...]
    conflicts: tuple[Problem, ...]
    suggestions: tuple[OfferedTask, ...]

    @property
    def is_editable(self) -> bool:
        """Whether there is anything to save."""
        return any(cell.lock is None for _, _, _, rows in self.groups for row in rows for cell in row.cells)

    @property
    def is_open(self) -> bool:
        """Whether rows can be added: not to what is read only, nor to a week that is closed as a whole."""
        return not self.read.rules.is_read_only and not all(day.is_closed for day in self.read.grid.days)

    @property
    def unsaved(self) -> int:
        """How many cells hold what was typed and is not saved."""
        return sum(cell.is_changed for _, _, _, rows in self.groups for row in rows for cell in row.cells)


def present_sheet(
    read: SheetOfWeek, *, overlay: Overlay, suggestions: tuple[OfferedTask, ...], wanted_day: date | None
) -> SheetPage:
    """Put what was typed over what is there.

    Args:
        read: the sheet as it is now.
        overlay: what could not be saved; empty where nothing was sent.
        suggestions: tasks to add.
        wanted_day: the day that a narrow screen was showing; None where nobody chose one.
    """
    views = {row.task.id: _row(row, overlay) for row in read.grid.rows}
    groups = tuple(
        (group.project, group.customer, group.colour, tuple(views[row.task.id] for row in group.rows))
        for group in read.grid.groups
    )
    tasks = {row.task.id: row.task for row in read.grid.rows}
    order = {place: number for number, place in enumerate(read.grid.cells)}
    wrong = sorted(overlay.refusals.items(), key=lambda item: order.get(item[0], len(order)))
    errors = tuple(
        Problem(_key(place), _where(place, tasks), sentences(texts.message, texts.remedy))
        for place, texts in ((place, code_texts(refusal)) for place, refusal in wrong)
    )
    conflicts = tuple(
        Problem(_key(place), _where(place, tasks), _conflict_text(value, overlay.typed[place]))
        for place, value in overlay.conflicts.items()
        if place in overlay.typed
    )
    days = [day.date for day in read.grid.days]
    at_fault = next((day for _, day in (*overlay.refusals, *overlay.conflicts) if day in days), None)
    shown = at_fault or (wanted_day if wanted_day in days else None) or _first_shown(read.grid.days)
    return SheetPage(read, groups, shown, errors, conflicts, suggestions)


def _first_shown(days: tuple[GridDay, ...]) -> date:
    """Today; in another week the first day that can be written, or the first of all where none can."""
    today = (day for day in days if day.is_today)
    is_open = (day for day in days if not day.is_closed)
    return next(chain(today, is_open, days)).date


def _row(row: GridRow, overlay: Overlay) -> RowView:
    return RowView(row, tuple(_cell(number, cell, overlay) for number, cell in enumerate(row.cells, start=1)))


def _cell(number: int, cell: GridCell, overlay: Overlay) -> CellView:
    place, value = cell.place, cell.value
    typed = overlay.typed.get(place)
    refusal = overlay.refusals.get(place)
    conflict = overlay.conflicts.get(place)
    shown = shown_of(value)
    if typed is not None and conflict is None:
        shown = typed.shown  # so that saving again still notices what others have changed
    stays = typed is not None and cell.lock is None
    hours_name, memo_name, shown_name = field_names(place)
    return CellView(
        key=_key(place),
        number=number,
        day=short_day(cell.day),
        hours_name=hours_name,
        memo_name=memo_name,
        shown_name=shown_name,
        text=typed.text if typed is not None and stays else show_cell(value.minutes),
        memo=typed.memo if typed is not None and stays else value.memo,
        shown=shown.encode(),
        is_changed=stays,
        lock=cell.lock,
        error=None if refusal is None else code_texts(refusal),
        conflict="" if conflict is None or typed is None else _conflict_text(conflict, typed),
        typed_text=typed.text if typed is not None and not stays else "",
    )


def _key(place: Cell) -> str:
    task_id, day = place
    return f"{task_id}-{day.isoformat()}"


def _where(place: Cell, tasks: Mapping[int, TaskOfSheet]) -> str:
    task_id, day = place
    name = tasks[task_id].name if task_id in tasks else gettext("A task that is not on this sheet")
    return gettext("%(task)s, %(day)s", task=name, day=short_day(day))


def short_day(day: date) -> str:
    """A day with its weekday and without its year: ``Thu 26 Nov``, ``11月26日(木)``."""
    return format_skeleton("MMMEd", day, locale=locale_code())


def _conflict_text(value: CellValue, typed: TypedCell) -> str:
    typed_text = typed.text.strip() or show_duration(0)
    if value == EMPTY:
        return gettext("Emptied meanwhile; you typed %(typed)s.", typed=typed_text)
    text = gettext(
        "Now %(now)s, by %(login)s; you typed %(typed)s.",
        now=show_duration(value.minutes),
        login=actor_name(value.changed_by),
        typed=typed_text,
    )
    if value.memo and value.memo != typed.memo:
        return sentences(text, gettext("Its memo: “%(memo)s”", memo=value.memo))
    return text


def interval(week: Week) -> str:
    """The days of a week, such as ``23–29 November 2026``."""
    return format_interval(week.first, week.last, "yMMMMd", locale=locale_code())


def month_title(month: Month) -> str:
    """A month in words: ``November 2026``, ``2026年11月``."""
    return format_skeleton("yMMMM", month.first, locale=locale_code())


def a_few(names: Sequence[str], most: int = 5) -> str:
    """The first of ``names`` in one line, and how many more there are."""
    more = len(names) - most
    return listed([*names[:most], gettext("%(num)s more", num=more)] if more > 0 else names)


# What is told after saving ------------------------------------------------------------------------------------------


def saved_text(cells: int) -> str:
    """What was saved."""
    if not cells:
        return gettext("There was nothing to save.")
    return ngettext("%(num)s cell saved.", "%(num)s cells saved.", cells)


def copied_text(plan: CopyPlan) -> str:
    """What was copied from last week, and what was left out and why."""
    return sentences(*_copied(plan), *_left_out(plan))


def _copied(plan: CopyPlan) -> Iterable[str]:
    if plan.is_empty:
        yield gettext("Nothing was copied: what there is of last week is here already.")
        return
    rows = ngettext("%(num)s row", "%(num)s rows", len(plan.rows))
    if not plan.changes:
        yield gettext("Copied from last week: %(rows)s.", rows=rows)
        return
    cells = ngettext("%(num)s cell", "%(num)s cells", len(plan.changes))
    if plan.rows:
        yield gettext("Copied from last week: %(rows)s and %(cells)s.", rows=rows, cells=cells)
    else:
        yield gettext("Copied from last week: %(cells)s.", cells=cells)


def _left_out(plan: CopyPlan) -> Iterable[str]:
    if plan.left_out_tasks:
        tasks = a_few(plan.left_out_tasks)
        yield gettext("Left out, as no hours can be recorded on them any more: %(tasks)s.", tasks=tasks)
    if plan.on_closed_days:
        yield ngettext(
            "%(num)s cell was left out since its day is closed.",
            "%(num)s cells were left out since their days are closed.",
            plan.on_closed_days,
        )
    if plan.on_holidays:
        yield ngettext(
            "%(num)s cell was left out since its day is a holiday.",
            "%(num)s cells were left out since their days are holidays.",
            plan.on_holidays,
        )
    if plan.on_full_days:
        yield ngettext(
            "%(num)s cell was left out since its day would have more than 24 hours.",
            "%(num)s cells were left out since their days would have more than 24 hours.",
            plan.on_full_days,
        )
    if plan.already_filled:
        yield ngettext(
            "%(num)s cell has hours already, which stay.",
            "%(num)s cells have hours already, which stay.",
            plan.already_filled,
        )
