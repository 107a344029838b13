"""Calls code of an edition such that what it raises stays with it: the page, or whatever else is done, goes on.

Everything is caught, ``SystemExit``, redirects and refusals included; only an operator's interrupt goes through.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, TypeVar

from flask import Flask

from app.config import Settings
from app.database import session_tidied
from app.editions.discovery import error_line
from app.editions.failures import Part, report
from app.editions.texts import owner_of, speaking_as

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


class PageEndedError(Exception):
    """A page of an edition wanted to end more than itself, as ``sys.exit()`` does."""


def contain_pages(app: Flask, settings: Settings) -> None:  # noqa: ARG001 - a step of the assembly
    """Let nothing but an ``Exception`` out of the pages of editions: Flask answers that one with 500.

    Anything else would go through to the server, and end the process that serves everybody.
    """
    with app.app_context():
        blueprints = [name for name in app.blueprints if owner_of(name)]
    for name in blueprints:
        for hooks in (app.before_request_funcs, app.after_request_funcs):
            if name in hooks:
                hooks[name] = [_contained(app, hook) for hook in hooks[name]]
    for endpoint, view in app.view_functions.items():
        name, _, action = endpoint.rpartition(".")
        if name in blueprints and action != "static":
            app.view_functions[endpoint] = _contained(app, view)


def _contained(app: Flask, function: Callable[..., Any]) -> Callable[..., Any]:
    call = app.ensure_sync(function)

    @wraps(function)
    def contained(*arguments: Any, **values: Any) -> Any:
        try:
            return call(*arguments, **values)
        except (Exception, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise PageEndedError(error_line(error)) from error

    return contained
