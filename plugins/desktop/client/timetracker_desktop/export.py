"""The queue as a table for people, when the server will not take it: CSV that spreadsheets open as it is."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo

from timetracker_desktop.duration import show_duration
from timetracker_desktop.local_truth import cut_into_days
from timetracker_desktop.model import State
from timetracker_desktop.operation_queue import OperationState, Queued
from timetracker_desktop.operations import Addition, Correction, Start, Stop
from timetracker_desktop.texts import N_

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are full-width, which spreadsheets take for the same."""
_COLUMNS = (
    N_("Day"),
    N_("What"),
    N_("Customer"),
    N_("Project"),
    N_("Code"),
    N_("Task"),
    N_("From"),
    N_("To"),
    N_("Duration"),
    N_("Minutes"),
    N_("Memo"),
    N_("State"),
    N_("Reason"),
    N_("Number"),
)
_WHAT = {Start: N_("Timer started"), Stop: N_("Timer"), Correction: N_("Correction"), Addition: N_("Addition")}
STATES = {
    OperationState.PENDING: N_("Waiting"),
    OperationState.SENT: N_("Waiting"),
    OperationState.DONE: N_("Recorded"),
    OperationState.REFUSED: N_("Not accepted"),
    OperationState.CONFLICT: N_("Changed elsewhere"),
}


def export_csv(operations: Iterable[Queued], state: State | None, translate: Callable[[str], str] = str) -> bytes:
    """One line for each operation and day, in UTF-8 with a byte order mark.

    Text that a spreadsheet would take for a formula is preceded by an apostrophe, as OWASP advises, so that a memo
    ``=1+1`` stays that memo. Times are of the person's zone.
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([translate(column) for column in _COLUMNS])
    for queued in operations:
        for line in _lines(queued, state, translate):
            writer.writerow([as_text(value) for value in line])
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8", errors="replace")


def as_text(value: str) -> str:
    """A cell that no spreadsheet calculates."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def _lines(queued: Queued, state: State | None, translate: Callable[[str], str]) -> Iterable[list[str]]:
    zone: tzinfo = UTC if state is None else state.person.zone
    action = queued.action
    task = None if state is None else state.task(action.task_id)
    names = ["", "", "", f"#{action.task_id}"] if task is None else [task.customer, task.project, task.code, task.name]
    what, word = translate(_WHAT[type(action)]), translate(STATES[queued.state])
    end = [action.memo, word, " ".join(part for part in (queued.message, queued.remedy) if part), queued.id]
    for day, begins, ends, minutes in _times(queued, state, zone):
        shown = ["", ""] if minutes is None else [show_duration(minutes), str(minutes)]
        yield [day, what, *names, begins, ends, *shown, *end]


def _times(queued: Queued, state: State | None, zone: tzinfo) -> Iterable[tuple[str, str, str, int | None]]:
    """Day, from, to and minutes; a timer over midnight has a line for each day."""
    action = queued.action
    match action:
        case Start():
            local = action.started_at.astimezone(zone)
            yield local.date().isoformat(), f"{local:%H:%M}", "", None
        case Stop():
            yield from _days(action, state, zone)
        case _:
            yield action.day.isoformat(), "", "", action.minutes


def _days(stop: Stop, state: State | None, zone: tzinfo) -> Iterable[tuple[str, str, str, int | None]]:
    begins, ends = _clock(stop.started_at, zone), _clock(stop.stopped_at, zone)
    local_day = stop.started_at.astimezone(zone).date()
    if state is None:
        minutes = max(0, int((stop.stopped_at - stop.started_at).total_seconds()) // 60)
        yield local_day.isoformat(), begins, ends, minutes
        return
    parts = cut_into_days(stop.started_at, stop.stopped_at, state.person.zone) or [(local_day, 0)]
    for number, (day, minutes) in enumerate(parts):
        first, last = number == 0, number == len(parts) - 1
        yield day.isoformat(), begins if first else "00:00", ends if last else "24:00", minutes


def _clock(instant: datetime, zone: tzinfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}"
