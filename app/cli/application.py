"""The application of a command: found without ``FLASK_APP``, so that every command works from any folder."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo

from app import create_app
from app.config import SettingsError
from app.logs import direct_logs_to_people, logs_to_people

_P = ParamSpec("_P")
_R = TypeVar("_R")


def application(context: click.Context) -> Flask:
    """Make the application of this command, once; tests bring their own.

    Raises:
        SettingsError: a setting is not understood.
    """
    info = context.ensure_object(ScriptInfo)
    if info._loaded_app is None:  # noqa: SLF001 - Flask's own cache; it would look for wsgi.py, which refuses to serve
        with logs_to_people():
            info._loaded_app = info.create_app() if info.create_app is not None else create_app()  # noqa: SLF001 - as above
        direct_logs_to_people(info._loaded_app.extensions["settings"])  # noqa: SLF001 - as above
    return info._loaded_app  # noqa: SLF001 - as above


def with_application(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate a command that works on this installation; a setting that is not understood ends it with status 1."""

    @functools.wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        context = click.get_current_context()
        try:
            app = application(context)
        except SettingsError as error:
            raise click.ClickException(str(error)) from error
        if not current_app or current_app._get_current_object() is not app:  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's way to the object behind a proxy
            context.with_resource(app.app_context())
        return command(*args, **kwargs)

    return wrapped
