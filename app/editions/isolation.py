"""Calls code of an edition such that what it raises stays with it: the page, or whatever else is done, goes on.

Everything is caught, ``SystemExit``, redirects and refusals included; only an operator's interrupt goes through.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any, Generic, TypeVar

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import InternalServerError
from werkzeug.wsgi import ClosingIterator

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


def attempt(part: Part, call: Callable[[], _Result], *, answered: bool = False) -> Attempt[_Result]:
    """Call code of an edition; its texts are those of the edition, and it leaves no session in a transaction.

    Args:
        part: what is called, for whoever hears that it has failed.
        call: calls it.
        answered: whether the answer of the request is out of hand, so that nothing can be done after it.
    """
    try:
        with _entered(part), speaking_as(part.edition), session_tidied():
            return Attempt(call(), failed=False)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plug-in that calls sys.exit() must not end the application
        report(part, error, answered=answered)
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
    """Keep what pages of editions raise, and what their hooks do, to requests that the gate has let in.

    Pages may raise any ``Exception``, which Flask answers with 500; anything else would go through to the server, and
    end the process that serves everybody. Hooks beside the page are isolated each: the page goes on without them. Flask
    calls ``url_value_preprocessor`` before the gate, so it is moved behind it, to the hooks before the request.
    """
    with app.app_context():
        owners = {name: owner for name in app.blueprints if (owner := owner_of(name))}
    for name, owner in owners.items():
        _contain_hooks(app, name, owner)
    for endpoint, view in app.view_functions.items():
        name, _, action = endpoint.rpartition(".")
        if name in owners and action != "static":
            app.view_functions[endpoint] = _contained(app, view)
    app.after_request(_contain_stream)


def _contain_hooks(app: Flask, name: str, edition: str) -> None:
    moved = [_behind_the_gate(hook) for hook in app.url_value_preprocessors.pop(name, [])]
    before = [_contained(app, hook) for hook in (*moved, *app.before_request_funcs.pop(name, []))]
    if before:
        app.before_request_funcs[name] = before
    for hooks, contain in (
        (app.after_request_funcs, _contained_after),
        (app.teardown_request_funcs, _contained_teardown),
        (app.template_context_processors, _contained_context),
        (app.url_default_functions, _contained_defaults),
    ):
        if hooks.get(name):
            hooks[name] = [contain(app, edition, hook) for hook in hooks[name]]
    for by_class in app.error_handler_spec.get(name, {}).values():
        for error, handler in by_class.items():
            by_class[error] = _contained_handler(app, edition, handler)


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


def _behind_the_gate(preprocessor: Callable[..., Any]) -> Callable[[], None]:
    def before() -> None:
        preprocessor(request.endpoint, request.view_args)

    return before


def _let_in() -> bool:
    """Whether the page itself is answered; what the gate answers in its place is none of the edition's business."""
    return bool(g.get("let_in"))


def _hook_part(edition: str, kind: str, hook: Callable[..., Any]) -> Part:
    return Part(edition, f"{kind} {getattr(hook, '__name__', type(hook).__name__)}")


def _contained_after(app: Flask, edition: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    """One that fails, or forgets to return the answer, leaves the answer as it was."""
    part, call = _hook_part(edition, "after_request", hook), app.ensure_sync(hook)

    def changed(response: Response) -> Response:
        returned: object = call(response)
        if not isinstance(returned, Response):
            raise TypeError(f"the hook returned {type(returned).__name__} in place of the answer")
        return returned

    def after(response: Response) -> Response:
        if not _let_in():
            return response
        return attempt(part, lambda: changed(response), answered=True).result or response

    return after


def _contained_teardown(app: Flask, edition: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    part, call = _hook_part(edition, "teardown_request", hook), app.ensure_sync(hook)

    def teardown(error: BaseException | None = None) -> None:
        if _let_in():
            attempt(part, lambda: call(error), answered=True)

    return teardown


def _contained_context(app: Flask, edition: str, hook: Callable[..., Any]) -> Callable[..., Any]:
    """One that fails adds nothing; what every page has, such as ``current_user``, stays what it is.

    Every blueprint has one of Flask's as well, which is left alone.
    """
    if getattr(hook, "__module__", "") == "flask.templating":
        return hook
    part, call = _hook_part(edition, "context_processor", hook), app.ensure_sync(hook)

    def added(known: frozenset[str]) -> dict[str, Any]:
        values: dict[str, Any] = dict(call())
        taken = sorted(known.intersection(values))
        if taken:
            report(part, ValueError(f"{', '.join(taken)} is what every page has, and is not replaced"))
        return {name: value for name, value in values.items() if name not in known}

    def context() -> dict[str, Any]:
        if not _let_in():
            return {}
        return attempt(part, lambda: added(frozenset(g.get("names_of_every_page", ())))).result or {}

    return context


def _contained_defaults(app: Flask, edition: str, hook: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ARG001 - as the others
    """Called wherever an address of the edition is made, which the navigation does on every page of everybody."""
    part = _hook_part(edition, "url_defaults", hook)

    def defaults(endpoint: str, values: dict[str, Any]) -> None:
        changed = dict(values)
        if not attempt(part, lambda: hook(endpoint, changed)).failed:
            values.update(changed)

    return defaults


def _contained_handler(app: Flask, edition: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    """One that fails leaves the error to the application, as if it were not there."""
    part, call = _hook_part(edition, "errorhandler", handler), app.ensure_sync(handler)

    def handle(error: Exception) -> Any:
        try:
            return call(error)
        except KeyboardInterrupt:
            raise
        except BaseException as trouble:  # noqa: BLE001 - as in attempt
            report(part, trouble)
            of_core = app._find_error_handler(error, [])  # noqa: SLF001 - Flask's way to the handler
            return of_core(error) if of_core is not None else InternalServerError()

    return handle


def _contain_stream(response: Response) -> Response:
    """What is sent while it is made may fail as well, when the answer is long under way."""
    edition = owner_of(request.blueprint) if request.blueprint else None
    if edition is not None and _let_in() and response.is_streamed and not response.direct_passthrough:
        app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to the object
        parts: Any = response.response
        response.response = ClosingIterator(
            _stream(app, Part(edition, f"page {request.endpoint}"), parts), getattr(parts, "close", None)
        )
    return response


def _stream(app: Flask, part: Part, parts: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from parts
    except (GeneratorExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        with app.app_context():
            report(part, error, answered=True)
        raise PageEndedError(error_line(error)) from error
