"""What a device tells and is answered, as it stands in JSON.

Instants carry an offset (RFC 3339), days are ISO 8601, minutes are whole numbers.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from app.sdk import ApiModel, Day, Id, Instant
from plugins.standard.interface import plain_memo

MOST_OPERATIONS = 200
_LARGEST_VERSION = 2**63 - 1

TaskId = Annotated[Id, Field(strict=True)]
Memo = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=10_000), AfterValidator(plain_memo)]
"""As the sheet takes it, without control characters.

Longer than an entry takes, so that one memo that is too long is refused by itself and not with all others.
"""
Minutes = Annotated[int, Field(ge=0, le=1440, strict=True)]


class Start(ApiModel):
    """The timer was started on a task."""

    id: UUID
    kind: Literal["start"]
    task_id: TaskId
    started_at: Instant
    memo: Memo = ""


class Stop(ApiModel):
    """The timer of ``start_id`` was stopped; all of it once more, for a server that never heard of its start."""

    id: UUID
    kind: Literal["stop"]
    start_id: UUID
    task_id: TaskId
    started_at: Instant
    stopped_at: Instant
    memo: Memo = ""


class Set(ApiModel):
    """A cell of the time sheet is to become this; no minutes empty it."""

    id: UUID
    kind: Literal["set"]
    task_id: TaskId
    day: Day
    minutes: Minutes
    memo: Memo = ""
    version: Annotated[int, Field(ge=0, le=_LARGEST_VERSION, strict=True)]
    """The version that was corrected; 0 of an empty cell."""


class Add(ApiModel):
    """Minutes are to be added to a cell, whatever is in it."""

    id: UUID
    kind: Literal["add"]
    task_id: TaskId
    day: Day
    minutes: Minutes
    memo: Memo = ""


Operation = Annotated[Start | Stop | Set | Add, Field(discriminator="kind")]


class Batch(ApiModel):
    """What a device tells at once, in the order in which it happened."""

    operations: Annotated[list[Operation], Field(max_length=MOST_OPERATIONS)]


class Status(StrEnum):
    """What came of an operation."""

    DONE = "done"
    ALREADY = "already"
    """The timer was stopped, switched or discarded in the browser; nothing is lost and nothing is to be done."""
    CONFLICT = "conflict"
    """The cell has another version; ``present`` says what is in it now."""
    REFUSED = "refused"


class Present(ApiModel):
    """What is in a cell now."""

    minutes: int
    memo: str
    version: int


class Result(ApiModel):
    """The answer to one operation."""

    id: UUID
    status: Status
    code: str | None = None
    message: str | None = None
    remedy: str | None = None
    deferred: bool | None = None
    """True of a start while a timer runs that was started later: nothing runs because of it."""
    days: dict[date, int] | None = None
    """Minutes that a stop has recorded, by day."""
    present: Present | None = None


class Results(ApiModel):
    """The answer to a batch: one result for each operation, in the same order."""

    results: list[Result]
