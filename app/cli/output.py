"""What every command shares: answers as text or JSON, refusals with their code, and the exit status."""

import functools
import json
import sys
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, NoReturn, ParamSpec, TypeVar

import click
from flask import current_app

from app.refusal import Refusal
from app.texts import RefusalTexts, code_texts

REFUSED = 1
"""Exit status of a refusal; click's own 2 stands for wrong usage."""
_P = ParamSpec("_P")
_R = TypeVar("_R")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def print_json(value: object) -> None:
    """Print one JSON document with its non-ASCII characters as they are."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_rows(rows: Iterable[tuple[str, str]], *, err: bool = False) -> None:
    """Print names with their values below each other; a row without a name goes on below the last value."""
    listed = list(rows)
    width = max((_columns(name) for name, _ in listed), default=0)
    for name, value in listed:
        click.echo(f"  {name}{' ' * (width - _columns(name))}  {value}".rstrip(), err=err)


def _columns(text: str) -> int:
    """Columns that ``text`` takes on a terminal: Japanese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def refusal_texts(refusal: Refusal) -> RefusalTexts:
    """Texts of ``refusal``; in English and with ISO dates where a command has no application to translate them."""
    if current_app:
        return code_texts(refusal)
    values = {
        name: value.isoformat() if isinstance(value, (date, datetime)) else value
        for name, value in refusal.params.items()
    }
    reason = refusal.reason
    message, detail, remedy = (
        text % values if values else text for text in (reason.message, reason.detail, reason.remedy)
    )
    return RefusalTexts(refusal.code, message, detail, remedy, refusal.field, refusal.claim)


def refuse(refusal: Refusal, *, as_json: bool) -> NoReturn:
    """Print why not, on standard error or as JSON on standard output, and end with status 1."""
    texts = refusal_texts(refusal)
    if as_json:
        answer = {"code": texts.code, "message": texts.message, "remedy": texts.remedy}
        print_json(answer if texts.claim is None else {**answer, "claim": texts.claim})
    else:
        click.echo(f"{texts.message} {texts.remedy} [{texts.code}]", err=True)
    sys.exit(REFUSED)


def answers_refusals(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate a command whose refusals are to be printed, as JSON where it was called with ``--json``."""

    @functools.wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        as_json: Any = kwargs.get("as_json", False)
        try:
            return command(*args, **kwargs)
        except Refusal as refusal:
            refuse(refusal, as_json=bool(as_json))

    return wrapped
