"""What has failed in editions: told to the log at once, and to administrators on the page Editions until dismissed.

A part that fails may do so at every request, so a process writes each part down once a minute at most, with the number
of times it has failed meanwhile. It is done when the answer is out, and never turns into an error itself.
"""

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Lock

import structlog
from flask import Flask, Response, after_this_request, current_app, g, has_request_context
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from app import clock
from app.audit import Event, record
from app.auth.acting import administrator_transaction
from app.database import UtcDateTime, read_connection, write_connection
from app.editions import reasons
from app.editions.discovery import error_line
from app.editions.models import EditionFailure
from app.editions.registry import registry
from app.refusal import Refusal

WRITTEN_EVERY = timedelta(minutes=1)
_TRACEBACK_LIMIT = 20_000
_PART_LIMIT = 200
_LEDGER = "edition_failures"
_log = structlog.get_logger("timetracker.editions")


@dataclass(frozen=True, slots=True)
class Part:
    """Something of an edition that the core calls."""

    edition: str
    name: str
    """In English and for its author, such as ``card my_week`` or ``listener fill_in of UserAdded``."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of an edition that has failed, and has not been dismissed since."""

    part: str
    count: int
    first_at: datetime
    last_at: datetime
    error: str
    """The exception in one line, of the last time."""
    traceback: str


@dataclass(slots=True)
class _Ledger:
    """What this process has not written down yet. Its size is bounded by what the loaded editions declare."""

    lock: Lock = field(default_factory=Lock)
    waiting: dict[Part, Failure] = field(default_factory=dict)
    written_at: dict[Part, datetime] = field(default_factory=dict)

    def add(self, part: Part, failure: Failure) -> bool:
        """Take a failure in; returns whether it is time to write the part down."""
        with self.lock:
            earlier = self.waiting.get(part)
            self.waiting[part] = failure if earlier is None else _together(earlier, failure)
            last = self.written_at.get(part)
            if last is not None and abs(failure.last_at - last) < WRITTEN_EVERY:
                return False
            self.written_at[part] = failure.last_at
            return True

    def take(self, parts: Iterable[Part]) -> dict[Part, Failure]:
        """Take out what is to be written."""
        with self.lock:
            return {part: self.waiting.pop(part) for part in parts if part in self.waiting}

    def put_back(self, taken: Mapping[Part, Failure]) -> None:
        """What could not be written waits for the next time."""
        with self.lock:
            for part, failure in taken.items():
                later = self.waiting.get(part)
                self.waiting[part] = failure if later is None else _together(failure, later)

    def forget(self, edition: str) -> None:
        """Write the next failure of an edition down at once."""
        with self.lock:
            for part in [part for part in {*self.waiting, *self.written_at} if part.edition == edition]:
                self.waiting.pop(part, None)
                self.written_at.pop(part, None)


def _together(earlier: Failure, later: Failure) -> Failure:
    return replace(later, count=earlier.count + later.count, first_at=earlier.first_at)


def configure_failures(app: Flask) -> None:
    """Give the process its ledger."""
    app.extensions[_LEDGER] = _Ledger()


# Told ---------------------------------------------------------------------------------------------------------------


def report(part: Part, error: BaseException, *, answered: bool = False) -> None:
    """Tell the log and the administrators that a part of an edition has failed; raises nothing.

    Args:
        part: of the edition.
        error: what it has raised.
        answered: whether the answer of the request is out of hand, so that nothing can be done after it.
    """
    try:
        _log.error("edition failed", edition=part.edition, part=part.name, error=error_line(error), exc_info=error)
        _write_down(part, error, answered=answered)
    except Exception as trouble:  # noqa: BLE001 - whatever the edition has raised, telling of it must not raise as well
        _log.warning("failure of an edition was not recorded", edition=part.edition, trouble=type(trouble).__name__)


def _write_down(part: Part, error: BaseException, *, answered: bool) -> None:
    now = clock.now()
    lines = "".join(traceback.format_exception(error))[-_TRACEBACK_LIMIT:]
    failure = Failure(part.name, 1, now, now, _storable(error_line(error)), _storable(lines))
    ledger: _Ledger = current_app.extensions[_LEDGER]
    if not ledger.add(part, failure):
        return
    if has_request_context() and not answered:
        _write_after_answer(part)
    else:
        _write(current_app._get_current_object(), (part,))  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to the object


def _storable(text: str) -> str:
    """Without what PostgreSQL does not take, or UTF-8 does not have."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _write_after_answer(part: Part) -> None:
    if "failed_parts" in g:
        g.failed_parts.append(part)
        return
    g.failed_parts = [part]
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to the object
    parts = g.failed_parts

    @after_this_request
    def write(response: Response) -> Response:
        response.call_on_close(lambda: _write(app, parts))
        return response


# Written ------------------------------------------------------------------------------------------------------------

_SAME = (
    EditionFailure.edition == bindparam("of_edition"),
    EditionFailure.part == bindparam("of_part"),
)
_AGAIN = (
    update(EditionFailure)
    .where(*_SAME)
    .values(
        count=EditionFailure.count + bindparam("times"),
        last_at=bindparam("latest", type_=UtcDateTime()),
        error=bindparam("line"),
        traceback=bindparam("lines"),
    )
)
_FIRST = insert(EditionFailure).inline()


def _write(app: Flask, parts: Iterable[Part]) -> None:
    """Write down what waits of ``parts``, in a transaction of its own; one that fails leaves it waiting."""
    ledger: _Ledger = app.extensions[_LEDGER]
    taken = ledger.take(parts)
    if not taken:
        return
    try:
        with app.app_context(), write_connection() as connection:
            for part, failure in taken.items():
                _write_one(connection, part, failure)
    except Exception as error:  # noqa: BLE001 - locked, full, read-only, absent: the log has the failure itself
        ledger.put_back(taken)
        _log.warning("failures of editions were not written down", error=type(error).__name__)


def _write_one(connection: Connection, part: Part, failure: Failure) -> None:
    again = {
        "of_edition": part.edition,
        "of_part": failure.part[:_PART_LIMIT],
        "times": failure.count,
        "latest": failure.last_at,
        "line": failure.error,
        "lines": failure.traceback,
    }
    if connection.execute(_AGAIN, again).rowcount:
        return
    first = {
        "edition": part.edition,
        "part": failure.part[:_PART_LIMIT],
        "count": failure.count,
        "first_at": failure.first_at,
        "last_at": failure.last_at,
        "error": failure.error,
        "traceback": failure.traceback,
    }
    connection.execute(_FIRST, first)


# Read and dismissed -------------------------------------------------------------------------------------------------


def failures() -> Mapping[str, tuple[Failure, ...]]:
    """What has failed and was not dismissed, by the names of the editions, the latest first."""
    query = select(EditionFailure.__table__).order_by(EditionFailure.last_at.desc(), EditionFailure.part)
    by_edition: dict[str, tuple[Failure, ...]] = {}
    with read_connection() as connection:
        for edition, *values in connection.execute(query):
            by_edition[edition] = (*by_edition.get(edition, ()), Failure(*values))
    return by_edition


def left_behind(kept: Mapping[str, tuple[Failure, ...]]) -> Mapping[str, tuple[Failure, ...]]:
    """Those of ``kept`` whose editions are not installed any more: nobody will mend them, and no page is theirs."""
    installed = {found.name for found in registry().found}
    return {name: failed for name, failed in sorted(kept.items()) if name not in installed}


def dismiss(edition: str, *, actor: str) -> int:
    """Forget what has failed in ``edition``; what fails again is written down again. Returns how many parts it was.

    Raises:
        Refusal: ``edition_not_installed``, where nothing is kept of it either; ``session_ended`` or
            ``no_longer_administrator``.
    """
    with administrator_transaction() as (session, _):
        gone = session.execute(
            delete(EditionFailure).where(EditionFailure.edition == edition).returning(EditionFailure.part)
        ).all()
        if not gone and edition not in {found.name for found in registry().found}:
            raise Refusal(reasons.NOT_INSTALLED, name=edition)
        if gone:
            record(session, Event("edition.dismiss", target=edition, actor=actor, before={"failures": len(gone)}))
    ledger: _Ledger = current_app.extensions[_LEDGER]
    ledger.forget(edition)
    return len(gone)
