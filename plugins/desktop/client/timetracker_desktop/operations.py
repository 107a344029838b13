"""What a person does with their hours, as it goes to the server, and what the server says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from timetracker_desktop import reading


@dataclass(frozen=True, slots=True)
class Start:
    """The timer starts on a task."""

    task_id: int
    started_at: datetime
    memo: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The timer stops; what has passed is recorded."""

    start_id: str
    """The operation that started it."""
    task_id: int
    started_at: datetime
    stopped_at: datetime
    memo: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A cell gets other minutes or another memo."""

    task_id: int
    day: date
    minutes: int
    memo: str
    version: int
    """The version of the cell that the person saw; 0 of an empty one."""

    @property
    def cell(self) -> tuple[int, date]:
        """Which entry it corrects."""
        return self.task_id, self.day


@dataclass(frozen=True, slots=True)
class Addition:
    """Minutes are added to a cell, whatever its version."""

    task_id: int
    day: date
    minutes: int
    memo: str

    @property
    def cell(self) -> tuple[int, date]:
        """Which entry it adds to."""
        return self.task_id, self.day


Action = Start | Stop | Correction | Addition

_KINDS: dict[type[Any], str] = {Start: "start", Stop: "stop", Correction: "set", Addition: "add"}


def write_action(action: Action) -> dict[str, Any]:
    """As the protocol has it, without the id."""
    body: dict[str, Any] = {"kind": _KINDS[type(action)], "task_id": action.task_id, "memo": action.memo}
    match action:
        case Start():
            body["started_at"] = write_instant(action.started_at)
        case Stop():
            body["start_id"] = action.start_id
            body["started_at"] = write_instant(action.started_at)
            body["stopped_at"] = write_instant(action.stopped_at)
        case Correction():
            body |= {"day": action.day.isoformat(), "minutes": action.minutes, "version": action.version}
        case Addition():
            body |= {"day": action.day.isoformat(), "minutes": action.minutes}
    return body


def read_action(body: Mapping[str, Any]) -> Action:
    """Read what ``write_action`` wrote.

    Raises:
        reading.ReadingError: it did not.
    """
    task_id, memo, kind = reading.whole(body, "task_id"), reading.text_or(body, "memo"), reading.text(body, "kind")
    match kind:
        case "start":
            return Start(task_id, reading.instant(body, "started_at"), memo)
        case "stop":
            return Stop(
                reading.text(body, "start_id"),
                task_id,
                reading.instant(body, "started_at"),
                reading.instant(body, "stopped_at"),
                memo,
            )
        case "set":
            minutes, version = reading.whole(body, "minutes"), reading.whole(body, "version")
            return Correction(task_id, reading.day(body, "day"), minutes, memo, version)
        case "add":
            return Addition(task_id, reading.day(body, "day"), reading.whole(body, "minutes"), memo)
    raise reading.ReadingError("kind")


def write_instant(instant: datetime) -> str:
    """UTC to the second."""
    return instant.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


class Status(StrEnum):
    """What became of an operation at the server."""

    DONE = "done"
    ALREADY = "already"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Present:
    """What the cell holds at the server, where somebody else was faster."""

    minutes: int
    memo: str
    version: int


@dataclass(frozen=True, slots=True)
class Result:
    """The server's word on one operation."""

    id: str
    status: Status
    code: str = ""
    message: str = ""
    remedy: str = ""
    present: Present | None = None
    deferred: bool = False
    """Of a start: a timer that was started later runs already, so this one does not; its stop records it."""


def read_result(source: Mapping[str, Any]) -> Result:
    """Read one result.

    Raises:
        reading.ReadingError: it is not what the protocol says.
    """
    try:
        status = Status(reading.text(source, "status"))
    except ValueError as error:
        raise reading.ReadingError("status") from error
    return Result(
        reading.text(source, "id"),
        status,
        reading.text_or(source, "code"),
        reading.text_or(source, "message"),
        reading.text_or(source, "remedy"),
        None if source.get("present") is None else read_present(reading.part(source, "present")),
        reading.flag(source, "deferred"),
    )


def read_present(source: Mapping[str, Any]) -> Present:
    """Read what is there instead."""
    return Present(reading.whole(source, "minutes"), reading.text_or(source, "memo"), reading.whole(source, "version"))


def write_present(present: Present) -> dict[str, Any]:
    """As the server sends it."""
    return {"minutes": present.minutes, "memo": present.memo, "version": present.version}
