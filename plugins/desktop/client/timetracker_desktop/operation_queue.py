"""What has been done here and the server does not know yet: a SQLite file that outlives a crash of program and power.

An operation is on disk before the window shows it, and it leaves the queue in two ways only: the server has done it and
a state fetched afterwards shows it, or the person discards it. Each has an id made here, so that it can be sent any
number of times and takes effect once.

    pending ──sent to the server──▶ sent ──▶ done ──▶ (gone with the next state)
                                       ├──▶ refused ──▶ tried again as a new operation, or discarded by the person
                                       └──▶ conflict ─▶ likewise
"""

import json
import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from timetracker_desktop.model import Entry
from timetracker_desktop.operations import (
    Action,
    Correction,
    Present,
    Result,
    Start,
    Status,
    Stop,
    read_action,
    read_present,
    write_action,
    write_present,
)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS operations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    body TEXT NOT NULL,
    seen_minutes INTEGER,
    made_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'done', 'refused', 'conflict')),
    result TEXT
);
CREATE INDEX IF NOT EXISTS operations_by_state ON operations (owner, state, sequence);
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_COLUMNS = "sequence, id, owner, body, seen_minutes, made_at, state, result"


class OperationState(StrEnum):
    """How far an operation has come."""

    PENDING = "pending"
    SENT = "sent"
    """On its way, or sent by a program that ended before the answer: it is sent again."""
    DONE = "done"
    REFUSED = "refused"
    CONFLICT = "conflict"


_STATE_AFTER = {
    Status.DONE: OperationState.DONE,
    Status.ALREADY: OperationState.DONE,
    Status.REFUSED: OperationState.REFUSED,
    Status.CONFLICT: OperationState.CONFLICT,
}


@dataclass(frozen=True, slots=True)
class Queued:
    """An operation and what has become of it."""

    sequence: int
    id: str
    owner: str
    action: Action
    made_at: datetime
    state: OperationState
    seen_minutes: int | None = None
    """Of a correction: the minutes that the person saw when making it."""
    status: Status | None = None
    code: str = ""
    message: str = ""
    remedy: str = ""
    present: Present | None = None
    deferred: bool = False

    def as_sent(self) -> dict[str, Any]:
        """As it goes to the server."""
        return {"id": self.id, **write_action(self.action)}


class OperationQueue:
    """The file. Window and engine share one object; every method is one transaction."""

    def __init__(self, path: Path) -> None:
        """Open the file at ``path``, or make it.

        Raises:
            sqlite3.OperationalError: the file cannot be opened: it is locked, read-only, or the disk is full.
            sqlite3.DatabaseError: the file is damaged, or no queue.
        """
        self._lock = threading.RLock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        # In WAL mode FULL syncs at every commit: an operation that was acknowledged survives a power failure.
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(_SCHEMA)
        found = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if found != ("ok",):
            raise sqlite3.DatabaseError(str(found[0]))
        try:
            self._select("true")
            self.kept_state()
        except (
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
        ) as error:  # sound as a file, and not what was written here
            raise sqlite3.DatabaseError(str(error)) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several steps as one; others wait. Within another one, a part of it."""
        with self._lock:
            if self._database.in_transaction:
                yield self._database
                return
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    # What is in it ----------------------------------------------------------------------------------------------------

    def operations(self, owner: str) -> list[Queued]:
        """All of one person, in the order in which they were made."""
        return self._select("owner = ?", owner)

    def of_others(self, owner: str) -> list[Queued]:
        """What other people have left here and the server has not done."""
        return self._select("owner != ? AND state != 'done'", owner)

    def all_open(self) -> list[Queued]:
        """Everything that the server has not done, whoever made it."""
        return self._select("state != 'done'")

    def has_unsent(self, owner: str) -> bool:
        """Whether anything waits for the server."""
        return bool(self._select("owner = ? AND state IN ('pending', 'sent') LIMIT 1", owner))

    def _select(self, condition: str, *values: str) -> list[Queued]:
        with self._lock:
            order = "" if "LIMIT" in condition else " ORDER BY sequence"
            query = f"SELECT {_COLUMNS} FROM operations WHERE {condition}{order}"  # noqa: S608  # conditions of this file
            return [_read(row) for row in self._database.execute(query, values)]

    # What the person does ---------------------------------------------------------------------------------------------

    def append(self, owner: str, action: Action, made_at: datetime, *, seen_minutes: int | None = None) -> Queued:
        """Write an operation to disk. A correction takes the place of one of the same cell that was not sent yet."""
        with self.transaction() as database:
            unsent = self._unsent_correction(owner, action) if isinstance(action, Correction) else None
            if unsent is not None and isinstance(unsent.action, Correction) and isinstance(action, Correction):
                merged = replace(unsent.action, minutes=action.minutes, memo=action.memo)
                self._set_body(unsent.id, merged)
                return replace(unsent, action=merged)
            identifier = str(uuid.uuid4())
            values = (identifier, owner, _dump(write_action(action)), seen_minutes, made_at.astimezone(UTC).isoformat())
            cursor = database.execute(
                "INSERT INTO operations (id, owner, body, seen_minutes, made_at, state)"
                " VALUES (?, ?, ?, ?, ?, 'pending')",
                values,
            )
            sequence = cursor.lastrowid or 0
            return Queued(sequence, identifier, owner, action, made_at, OperationState.PENDING, seen_minutes)

    def _unsent_correction(self, owner: str, action: Correction) -> Queued | None:
        """The last operation that touches the cell, if it is a correction that has never left this computer."""
        touching = [
            queued
            for queued in self.operations(owner)
            if queued.state in (OperationState.PENDING, OperationState.SENT) and touches(queued.action, action.cell)
        ]
        if not touching:
            return None
        last = touching[-1]
        return last if last.state is OperationState.PENDING and isinstance(last.action, Correction) else None

    def retry(self, identifier: str, made_at: datetime, *, over: Present | None = None) -> None:
        """Make a new operation of one that was refused or in conflict; the old one is gone with the same stroke.

        Args:
            identifier: of the old one.
            made_at: now.
            over: what a correction may overwrite, as the server has shown it.
        """
        for old in self._stuck(identifier):
            action = old.action
            if over is not None and isinstance(action, Correction):
                action = replace(action, version=over.version)
            self.replace(identifier, action, made_at, seen_minutes=None if over is None else over.minutes)

    def replace(self, identifier: str, action: Action, made_at: datetime, *, seen_minutes: int | None = None) -> None:
        """Make an operation that does something else in place of one that was refused or in conflict."""
        with self.transaction() as database:
            for old in self._stuck(identifier):
                database.execute("DELETE FROM operations WHERE id = ?", (identifier,))
                self.append(old.owner, action, made_at, seen_minutes=seen_minutes)

    def discard(self, identifier: str) -> None:
        """Throw away one that was refused or in conflict, because the person says so."""
        with self.transaction() as database:
            for old in self._stuck(identifier):
                database.execute("DELETE FROM operations WHERE id = ?", (old.id,))

    def _stuck(self, identifier: str) -> list[Queued]:
        return self._select("id = ? AND state IN ('refused', 'conflict')", identifier)

    # What the engine does ---------------------------------------------------------------------------------------------

    def next_batch(self, owner: str, limit: int) -> list[Queued]:
        """Take what is sent next, at most ``limit``, and note that it was sent.

        A correction waits for what was made before it and touches the same cell: only the answer says which version
        of the cell it corrects.
        """
        with self.transaction() as database:
            waiting = self._select(
                f"owner = ? AND state IN ('pending', 'sent') ORDER BY sequence LIMIT {limit:d}", owner
            )
            batch = list(_independent(waiting))
            database.executemany(
                "UPDATE operations SET state = 'sent' WHERE id = ?", [(queued.id,) for queued in batch]
            )
            return [replace(queued, state=OperationState.SENT) for queued in batch]

    def settle(self, owner: str, results: Sequence[Result]) -> int:
        """Note what the server says; returns how many operations are settled by it."""
        with self.transaction() as database:
            sent = {queued.id for queued in self._select("owner = ? AND state = 'sent'", owner)}
            settled = [result for result in results if result.id in sent]
            database.executemany(
                "UPDATE operations SET state = ?, result = ? WHERE id = ? AND state = 'sent'",
                [(_STATE_AFTER[result.status], _dump(_write_result(result)), result.id) for result in settled],
            )
            return len(settled)

    def waits_for(self, owner: str, batch: Sequence[Queued]) -> set[tuple[int, date]]:
        """The cells of corrections that were made on top of ``batch``."""
        return {
            waiting.action.cell
            for waiting in self._select("owner = ? AND state = 'pending'", owner)
            if isinstance(waiting.action, Correction)
            and any(touches(queued.action, waiting.action.cell) for queued in batch)
        }

    def carry_on_from(self, owner: str, cells: set[tuple[int, date]], entries: Iterable[Entry]) -> None:
        """Let corrections of ``cells`` that wait go on from the versions that the server has by now.

        Only where the cell holds the minutes that the person saw: else somebody else has changed it meanwhile, the
        version stays, and the server says that there is a conflict.
        """
        found = {entry.cell: entry for entry in entries if entry.cell in cells}
        with self.transaction():
            for waiting in self._select("owner = ? AND state = 'pending'", owner):
                if not isinstance(waiting.action, Correction) or waiting.action.cell not in found:
                    continue
                cell = found[waiting.action.cell]
                if cell.minutes == waiting.seen_minutes:
                    self._set_body(waiting.id, replace(waiting.action, version=cell.version))

    def _set_body(self, identifier: str, action: Action) -> None:
        self._database.execute("UPDATE operations SET body = ? WHERE id = ?", (_dump(write_action(action)), identifier))

    def keep_state(self, owner: str, etag: str, state: Mapping[str, Any]) -> None:
        """Keep a state that was fetched after everything that is done; ``forget_done`` belongs to it."""
        with self.transaction():
            self.keep("state", _dump({"owner": owner, "etag": etag, "state": dict(state)}))

    def forget_done(self, owner: str, overtaken_at: datetime) -> None:
        """The state that is kept shows all that is done.

        Args:
            owner: whose.
            overtaken_at: when the timer that runs now was started; the end of those that were overtaken by it.
        """
        with self.transaction() as database:
            operations = self.operations(owner)
            stopped = {queued.action.start_id for queued in operations if isinstance(queued.action, Stop)}
            for queued in operations:
                start = queued.action
                if queued.deferred and isinstance(start, Start) and queued.id not in stopped:
                    end = max(start.started_at, overtaken_at)
                    self.append(owner, Stop(queued.id, start.task_id, start.started_at, end, start.memo), overtaken_at)
            database.execute("DELETE FROM operations WHERE owner = ? AND state = 'done'", (owner,))

    def kept_state(self) -> tuple[str, str, Mapping[str, Any]] | None:
        """Owner, ETag and state of the last answer, of this run or an earlier one."""
        text = self.kept("state")
        if text is None:
            return None
        found = json.loads(text)
        return found["owner"], found["etag"], found["state"]

    def keep(self, name: str, value: str) -> None:
        """Keep a text under a name."""
        with self.transaction() as database:
            database.execute(
                "INSERT INTO kept VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
            )

    def kept(self, name: str) -> str | None:
        """The text under a name."""
        with self._lock:
            row = self._database.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
            return None if row is None else str(row[0])

    def forget(self, name: str) -> None:
        """Forget a text."""
        with self.transaction() as database:
            database.execute("DELETE FROM kept WHERE name = ?", (name,))


def open_queue(path: Path) -> tuple[OperationQueue, Path | None]:
    """Open the queue; one that is damaged is put aside, never deleted, and its new place is returned too.

    Raises:
        OSError, sqlite3.OperationalError: it cannot be opened now, and may be sound.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # What was written last, by a program that was killed: SQLite may delete it on closing a file that it cannot read.
    log = path.with_name(f"{path.name}-wal")
    written_last = log.read_bytes() if log.exists() else b""
    try:
        return OperationQueue(path), None
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, read-only or full: the file itself may be sound
            raise
    aside = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%d%H%M%S}")
    path.rename(aside)
    if written_last:
        aside.with_name(f"{aside.name}-wal").write_bytes(written_last)
    for suffix in ("-wal", "-shm"):  # a new queue must not take them for its own
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return OperationQueue(path), aside


def touches(action: Action, cell: tuple[int, date]) -> bool:
    """Whether an operation may change a cell.

    A stop changes the days between its instants in the person's zone, which differ from those of UTC by one at most.
    """
    match action:
        case Start():
            return False
        case Stop():
            one, (task_id, day) = timedelta(days=1), cell
            return action.task_id == task_id and action.started_at.date() - one <= day <= action.stopped_at.date() + one
        case _:
            return action.cell == cell


def _independent(waiting: Iterable[Queued]) -> Iterator[Queued]:
    """Up to the first correction of a cell that an earlier one of them touches."""
    stopped: list[Stop] = []
    cells: set[tuple[int, date]] = set()
    for queued in waiting:
        action = queued.action
        if isinstance(action, Correction) and (
            action.cell in cells or any(touches(stop, action.cell) for stop in stopped)
        ):
            return
        if isinstance(action, Stop):
            stopped.append(action)
        elif not isinstance(action, Start):
            cells.add(action.cell)
        yield queued


def _read(row: Sequence[Any]) -> Queued:
    sequence, identifier, owner, body, seen_minutes, made_at, state, result = row
    base = Queued(
        sequence,
        identifier,
        owner,
        read_action(json.loads(body)),
        datetime.fromisoformat(made_at),
        OperationState(state),
        seen_minutes,
    )
    if result is None:
        return base
    found = json.loads(result)
    return replace(
        base,
        status=Status(found["status"]),
        code=found["code"],
        message=found["message"],
        remedy=found["remedy"],
        present=None if found["present"] is None else read_present(found["present"]),
        deferred=found["deferred"],
    )


def _write_result(result: Result) -> dict[str, Any]:
    return {
        "status": result.status,
        "code": result.code,
        "message": result.message,
        "deferred": result.deferred,
        "remedy": result.remedy,
        "present": None if result.present is None else write_present(result.present),
    }


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
