"""The start page beside a minimal Flask page that loads its user with one statement and shows the same dashboard."""

from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, g
from flask.signals import template_rendered
from flask_login import login_user

from benchmarks.gate import load_plain_user
from benchmarks.ground import ENGINES, Ground, page, session_cookie
from benchmarks.measure import Result, of_values, take_turns

TARGET = 0.7
PATH = "/"
_OURS = "product navigation notices theme html_lang evaluation_allowed installation_zone"


def measure(ground: Ground, *, quick: bool) -> Iterator[Result]:
    """On both engines."""
    blocks, calls = (7, 30) if quick else (21, 60)
    for engine in ENGINES:
        app = ground.application(engine)
        cookie = session_cookie(app)
        ours = page(app, PATH, cookie)
        minimal = page(minimal_application(ground.another(app), rendered_context(app, ours)), PATH, cookie)
        if _comparable(ours()) != _comparable(minimal()):
            raise AssertionError("the two pages differ")
        pairs = take_turns(ours, minimal, blocks=blocks, calls=calls)
        name = f"start page / minimal Flask page, {engine}"
        yield of_values(name, pairs.ratios, target=TARGET, note=pairs.note("ours", "minimal"))


def _comparable(answer: tuple[str, bytes]) -> tuple[str, int]:
    """Two pages are the same where nothing but their tokens differs, which are of one length."""
    return answer[0], len(answer[1])


def rendered_context(app: Flask, call: Callable[[], object]) -> dict[str, Any]:
    """What the start page gives its template."""
    seen: list[dict[str, Any]] = []

    def note(_app: Flask, template: Any, context: dict[str, Any]) -> None:
        if template.name == "standard/start.html":
            seen.append(dict(context))

    with template_rendered.connected_to(note, app):
        call()
    return seen[0]


def minimal_application(app: Flask, context: dict[str, Any]) -> Flask:
    """Take out of ``app`` all that is done for a request beside loading the user and rendering the template.

    The view of the dashboard stays, with what it reads, and so do filters, translations and addresses; what the frame
    of every page is given is made once, beforehand.
    """
    app.before_request_funcs.clear()
    app.after_request_funcs.clear()
    app.teardown_request_funcs.clear()
    for key in [key for key in app.template_context_processors if key is not None]:
        del app.template_context_processors[key]
    given = {name: value for name, value in context.items() if name in _OURS.split()}
    processors = app.template_context_processors[None]
    processors[:] = [one for one in processors if one.__name__ != "page_context"]
    processors.append(lambda: {**given, "current_user": g.identity})
    dashboard = app.view_functions["standard.start"]

    def start() -> Any:
        load_plain_user()
        login_user(g.identity, force=True)
        return dashboard()

    app.view_functions["home.index"] = start
    return app
