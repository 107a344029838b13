"""Calls code of an edition such that what it raises stays with it: the page, or whatever else is done, goes on.

Everything is caught, ``SystemExit``, redirects and refusals included; only an operator's interrupt goes through. The
log has the traceback, with the edition and the part of it that failed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from app.editions.discovery import error_line
from app.extensions import db

_Result = TypeVar("_Result")
_log = structlog.get_logger("timetracker.editions")


@dataclass(frozen=True, slots=True)
class Part:
    """Something of an edition that the core calls."""

    edition: str
    name: str
    """In English and for its author, such as ``card my_week`` or ``listener fill_in of UserAdded``."""


@dataclass(frozen=True, slots=True)
class Attempt(Generic[_Result]):
    """What came of a call."""

    result: _Result | None
    """None where it failed."""
    failed: bool


_RUNNING: ContextVar[tuple[Part, ...]] = ContextVar("timetracker_running_parts", default=())


def attempt(part: Part, call: Callable[[], _Result]) -> Attempt[_Result]:
    """Call code of an edition; it runs with a database session at rest, and leaves none in a transaction."""
    try:
        with _entered(part), _session_tidied():
            return Attempt(call(), failed=False)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plug-in that calls sys.exit() must not end the application
        report(part, error)
        return Attempt(None, failed=True)


def report(part: Part, error: BaseException) -> None:
    """Tell the log that a part of an edition has failed."""
    _log.error("edition failed", edition=part.edition, part=part.name, error=error_line(error), exc_info=error)


@contextmanager
def _entered(part: Part) -> Iterator[None]:
    """Refuse a part that shows itself, such as a card whose template opens the slot that it stands in."""
    running = _RUNNING.get()
    if part in running:
        raise RecursionError(f"{part.name} of {part.edition} calls itself")
    token = _RUNNING.set((*running, part))
    try:
        yield
    finally:
        _RUNNING.reset(token)


@contextmanager
def _session_tidied() -> Iterator[None]:
    """End whatever the call has begun on the session of this request.

    A session that is in a transaction before the call is its caller's: the call cannot open a transaction within it
    (``write_transaction`` refuses), and it is left alone.
    """
    if db.session.registry.has() and db.session().in_transaction():
        yield
        return
    try:
        yield
    finally:
        if db.session.registry.has():
            db.session.remove()
