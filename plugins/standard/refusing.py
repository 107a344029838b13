"""How the commands of this edition refuse: the reason, what to do, the code, and status 1."""

import json
import sys
from typing import NoReturn

import click

from app.sdk import Refusal, code_texts, sentences

REFUSED = 1


def refuse(refusal: Refusal, *, as_json: bool = False) -> NoReturn:
    """Print why not, on standard error or as JSON on standard output, and end with status 1."""
    texts = code_texts(refusal)
    if as_json:
        print_json({"code": texts.code, "message": texts.message, "remedy": texts.remedy})
    else:
        click.echo(f"{sentences(texts.message, texts.remedy)} [{texts.code}]", err=True)
    sys.exit(REFUSED)


def print_json(value: object) -> None:
    """Print one JSON document with its non-ASCII characters as they are."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
