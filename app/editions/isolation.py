"""Calls code of an edition such that what it raises stays with it: the page, or whatever else is done, goes on.

Everything is caught, ``SystemExit``, redirects and refusals included; only an operator's interrupt goes through.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.database import session_tidied
from app.editions.failures import Part, report
from app.editions.texts import speaking_as

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Attempt(Generic[_Result]):
    """What came of a call."""

    result: _Result | None
    """None where it failed."""
    failed: bool


_RUNNING: ContextVar[tuple[Part, ...]] = ContextVar("timetracker_running_parts", default=())


def attempt(part: Part, call: Callable[[], _Result]) -> Attempt[_Result]:
    """Call code of an edition; its texts are those of the edition, and it leaves no session in a transaction."""
    try:
        with _entered(part), speaking_as(part.edition), session_tidied():
            return Attempt(call(), failed=False)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plug-in that calls sys.exit() must not end the application
        report(part, error)
        return Attempt(None, failed=True)


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
